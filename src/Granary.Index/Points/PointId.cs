using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Granary.Index;

/// <summary>What a <see cref="PointId"/> is written as.</summary>
public enum PointIdKind : byte
{
    /// <summary>No id; the default value.</summary>
    None = 0,

    /// <summary>An unsigned 64-bit integer.</summary>
    Number = 1,

    /// <summary>A UUID (RFC 9562), compared by its 128 bits in network order.</summary>
    Uuid = 2,
}

/// <summary>
/// The identity of a point: an unsigned 64-bit integer or a UUID. Numbers sort before UUIDs, each by value, which is
/// the order scrolling follows and the order that breaks ties between equal scores.
/// </summary>
public readonly struct PointId : IEquatable<PointId>, IComparable<PointId>
{
    /// <summary>How many placement slots ids are hashed to; partitions own ranges of them.</summary>
    public const int PlacementSlots = 1024;

    /// <summary>Bytes of the canonical encoding: the tag, then 16 bytes big-endian.</summary>
    public const int EncodedSize = 17;

    private readonly UInt128 _value;

    private PointId(PointIdKind kind, UInt128 value) => (Kind, _value) = (kind, value);

    /// <summary>Makes a numeric id.</summary>
    public PointId(ulong number) : this(PointIdKind.Number, number)
    {
    }

    /// <summary>Makes a UUID id.</summary>
    public PointId(Guid uuid)
    {
        Span<byte> bytes = stackalloc byte[16];
        uuid.TryWriteBytes(bytes, bigEndian: true, out _);
        (Kind, _value) = (PointIdKind.Uuid, BinaryPrimitives.ReadUInt128BigEndian(bytes));
    }

    /// <summary>Whether this is a number, a UUID or nothing.</summary>
    public PointIdKind Kind { get; }

    /// <summary>The number; meaningful when <see cref="Kind"/> is <see cref="PointIdKind.Number"/>.</summary>
    public ulong Number => (ulong)_value;

    /// <summary>The UUID; meaningful when <see cref="Kind"/> is <see cref="PointIdKind.Uuid"/>.</summary>
    public Guid Uuid
    {
        get
        {
            Span<byte> bytes = stackalloc byte[16];
            BinaryPrimitives.WriteUInt128BigEndian(bytes, _value);
            return new Guid(bytes, bigEndian: true);
        }
    }

    /// <summary>
    /// The placement slot, 0 to <see cref="PlacementSlots"/> - 1: version 1 of the placement hash, FNV-1a (64-bit) over
    /// <see cref="EncodedSize"/> canonical bytes, finished with the splitmix64 mixer. It is part of the storage format.
    /// </summary>
    public int PlacementSlot
    {
        get
        {
            Span<byte> bytes = stackalloc byte[EncodedSize];
            Encode(bytes);
            var hash = 14695981039346656037UL;
            foreach (var b in bytes)
                hash = (hash ^ b) * 1099511628211UL;
            hash = (hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9UL;
            hash = (hash ^ (hash >> 27)) * 0x94D049BB133111EBUL;
            return (int)((hash ^ (hash >> 31)) % PlacementSlots);
        }
    }

    /// <summary>Writes the canonical encoding into the first <see cref="EncodedSize"/> bytes of <paramref name="destination"/>.</summary>
    public void Encode(Span<byte> destination)
    {
        destination[0] = (byte)Kind;
        BinaryPrimitives.WriteUInt128BigEndian(destination[1..], _value);
    }

    /// <summary>Reads what <see cref="Encode"/> wrote.</summary>
    public static PointId Decode(ReadOnlySpan<byte> source) =>
        new((PointIdKind)source[0], BinaryPrimitives.ReadUInt128BigEndian(source[1..]));

    /// <summary>Parses a UUID in any of the forms Qdrant takes (hyphenated, simple, URN) or a decimal number.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out PointId id)
    {
        id = default;
        if (string.IsNullOrEmpty(text))
            return false;
        if (ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            id = new PointId(number);
            return true;
        }

        return TryParseUuid(text, out id);
    }

    /// <summary>Parses a UUID (hyphenated, simple, braced or URN); a JSON string is only ever a UUID.</summary>
    public static bool TryParseUuid(ReadOnlySpan<char> text, out PointId id)
    {
        id = default;
        if (text.StartsWith("urn:uuid:", StringComparison.OrdinalIgnoreCase))
            text = text[9..];
        if (text.Length is not (32 or 36 or 38) || !Guid.TryParse(text, out var uuid))
            return false;
        id = new PointId(uuid);
        return true;
    }

    /// <inheritdoc/>
    public bool Equals(PointId other) => Kind == other.Kind && _value == other._value;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is PointId other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_value, Kind);

    /// <inheritdoc/>
    public int CompareTo(PointId other) => Kind != other.Kind ? Kind.CompareTo(other.Kind) : _value.CompareTo(other._value);

    /// <inheritdoc/>
    public override string ToString() => Kind switch
    {
        PointIdKind.Number => Number.ToString(CultureInfo.InvariantCulture),
        PointIdKind.Uuid => Uuid.ToString("D"),
        _ => "(none)",
    };

    /// <summary>Equality by kind and value.</summary>
    public static bool operator ==(PointId left, PointId right) => left.Equals(right);

    /// <summary>Inequality by kind and value.</summary>
    public static bool operator !=(PointId left, PointId right) => !left.Equals(right);

    /// <summary>Order: numbers before UUIDs, then by value.</summary>
    public static bool operator <(PointId left, PointId right) => left.CompareTo(right) < 0;

    /// <summary>Order: numbers before UUIDs, then by value.</summary>
    public static bool operator >(PointId left, PointId right) => left.CompareTo(right) > 0;

    /// <summary>Order: numbers before UUIDs, then by value.</summary>
    public static bool operator <=(PointId left, PointId right) => left.CompareTo(right) <= 0;

    /// <summary>Order: numbers before UUIDs, then by value.</summary>
    public static bool operator >=(PointId left, PointId right) => left.CompareTo(right) >= 0;
}
