using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Unicode;
using Granary.Index;

namespace Granary.Collections.Wire;

/// <summary>
/// Reads what <see cref="WireWriter"/> wrote. Every length is checked against the bytes that are left before anything is read or allocated,
/// and the elements of all lists together may not need more bytes than the message has: what a damaged or hostile message makes the
/// reader allocate is bounded by a multiple of its size.
/// </summary>
public ref struct WireReader
{
    private readonly ReadOnlyMemory<byte> _message;
    private readonly ReadOnlySpan<byte> _bytes;
    private int _at;
    private int _unclaimed;
    private string? _name;
    private int _nameAt;
    private int _nameLength;

    /// <summary>A reader at the first byte of a message.</summary>
    public WireReader(ReadOnlyMemory<byte> message)
    {
        _message = message;
        _bytes = message.Span;
        _unclaimed = message.Length;
    }

    /// <summary>Bytes that were not read yet.</summary>
    public readonly int Left => _bytes.Length - _at;

    /// <summary>The error of a damaged message, with the place.</summary>
    public readonly GranaryException Damaged(string what) =>
        new(ErrorKind.Internal, $"A message from another node is damaged at byte {_at} of {_bytes.Length}: {what}");

    /// <summary>One byte.</summary>
    public byte Byte()
    {
        if (_at >= _bytes.Length)
            throw Damaged("it ends too early");
        return _bytes[_at++];
    }

    /// <summary>A truth value.</summary>
    public bool Bool() => Flags(1) != 0;

    /// <summary>A byte of flags, none beyond <paramref name="known"/>.</summary>
    public byte Flags(int known)
    {
        var flags = Byte();
        return (flags & ~known) == 0 ? flags : throw Damaged($"flags 0x{flags:x2}, known are 0x{known:x2}");
    }

    /// <summary>A member of an enumeration of bytes, as its number.</summary>
    public T Enumerated<T>() where T : struct, Enum
    {
        var number = Byte();
        var value = Unsafe.BitCast<byte, T>(number);
        return Enum.IsDefined(value) ? value : throw Damaged($"unknown {typeof(T).Name} {number}");
    }

    /// <summary>An unsigned varint.</summary>
    public ulong Unsigned()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var next = Byte();
            if (shift == 63 && next > 1)
                break;
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
                return value;
        }

        throw Damaged("a number of more than 64 bits");
    }

    /// <summary>A signed varint.</summary>
    public long Signed()
    {
        var value = Unsigned();
        return (long)(value >> 1) ^ -(long)(value & 1);
    }

    /// <summary>A signed varint of 32 bits.</summary>
    public int Int()
    {
        var value = Signed();
        return value == (int)value ? (int)value : throw Damaged($"{value} is beyond 32 bits");
    }

    /// <summary>A float.</summary>
    public float Float() => BinaryPrimitives.ReadSingleLittleEndian(Take(4));

    /// <summary>A double.</summary>
    public double Double() => BinaryPrimitives.ReadDoubleLittleEndian(Take(8));

    /// <summary>A number of elements to be read one by one.</summary>
    /// <param name="least">
    /// The least bytes of an element, without those of elements within it: these bytes are claimed, and a byte is claimed once only.
    /// </param>
    public int Count(int least)
    {
        var count = Unsigned();
        if (count > (ulong)Math.Min(Left, _unclaimed) / (uint)least)
            throw Damaged($"{count} elements in {Left} bytes");
        _unclaimed -= (int)count * least;
        return (int)count;
    }

    /// <summary>A string.</summary>
    public string String() => Text(StringBytes(out var wide), wide);

    /// <summary>A string that is likely the same as the one read last by this method: the names of fields, over many points.</summary>
    public string Name()
    {
        var bytes = StringBytes(out var wide);
        if (!wide && _name is not null && bytes.SequenceEqual(_bytes.Slice(_nameAt, _nameLength)))
            return _name;
        var name = Text(bytes, wide);
        if (!wide)
            (_name, _nameAt, _nameLength) = (name, _at - bytes.Length, bytes.Length);
        return name;
    }

    /// <summary>Bytes, as a part of the message.</summary>
    public ReadOnlyMemory<byte> Blob()
    {
        var length = Length(1);
        _at += length;
        return _message.Slice(_at - length, length);
    }

    /// <summary>Floats, in an array of their own.</summary>
    public float[] Floats() => Numbers<float>();

    /// <summary>Unsigned 32-bit integers, in an array of their own.</summary>
    public uint[] UInts() => Numbers<uint>();

    /// <summary>A list of values.</summary>
    /// <param name="least">See <see cref="Count"/>.</param>
    /// <param name="read">Reads one of them.</param>
    public T[] Array<T>(int least, WireRead<T> read)
    {
        var count = Count(least);
        if (count == 0)
            return [];
        var values = new T[count];
        for (var i = 0; i < values.Length; i++)
            values[i] = read(ref this);
        return values;
    }

    /// <summary>The same as <see cref="Array{T}"/>, immutable.</summary>
    public ImmutableArray<T> Immutable<T>(int least, WireRead<T> read) =>
        ImmutableCollectionsMarshal.AsImmutableArray(Array(least, read));

    /// <summary>Nothing may be left.</summary>
    public readonly void End()
    {
        if (Left > 0)
            throw Damaged($"{Left} bytes after its end");
    }

    private T[] Numbers<T>() where T : unmanaged
    {
        var count = Length(4);
        if (count == 0)
            return [];
        var values = GC.AllocateUninitializedArray<T>(count);
        Take(count * 4).CopyTo(MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    private ReadOnlySpan<byte> StringBytes(out bool wide)
    {
        var header = Unsigned();
        wide = (header & 1) != 0;
        var length = header >> 1;
        if (length > (ulong)Left || (wide && (length & 1) != 0))
            throw Damaged($"a string of {length} bytes in {Left}");
        return Take((int)length);
    }

    private readonly string Text(ReadOnlySpan<byte> bytes, bool wide)
    {
        if (wide)
        {
            return string.Create(bytes.Length / 2, bytes, static (text, source) => source.CopyTo(MemoryMarshal.AsBytes(text)));
        }

        return Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : throw Damaged("a string that is not UTF-8");
    }

    private int Length(int size)
    {
        var count = Unsigned();
        return count <= (ulong)Left / (uint)size ? (int)count : throw Damaged($"{count} values of {size} bytes in {Left}");
    }

    internal ReadOnlySpan<byte> Take(int length)
    {
        if (length > Left)
            throw Damaged("it ends too early");
        _at += length;
        return _bytes.Slice(_at - length, length);
    }
}
