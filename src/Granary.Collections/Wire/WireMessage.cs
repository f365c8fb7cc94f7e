using Granary.Index;

namespace Granary.Collections.Wire;

/// <summary>What a message holds; its second byte. The numbers are part of the format.</summary>
public enum WireKind : byte
{
    /// <summary>An error in the place of an answer.</summary>
    Error = 1,

    /// <summary>A <see cref="Searching.PartitionRequest"/>.</summary>
    SearchRequest = 2,

    /// <summary>A <see cref="Searching.PartitionAnswer"/>.</summary>
    SearchAnswer = 3,

    /// <summary>A <see cref="Searching.StatisticsRequest"/>.</summary>
    StatisticsRequest = 4,

    /// <summary>A <see cref="Searching.StatisticsAnswer"/>.</summary>
    StatisticsAnswer = 5,

    /// <summary>A <see cref="Searching.PointSelection"/>.</summary>
    Selection = 6,

    /// <summary>A list of <see cref="PointId"/>.</summary>
    Ids = 7,

    /// <summary>A list of <see cref="PointRecord"/>.</summary>
    Points = 8,

    /// <summary>A <see cref="Index.Filters.Filter"/>, or none.</summary>
    Filter = 9,

    /// <summary>A list of <see cref="FacetHit"/>.</summary>
    Facets = 10,

    /// <summary>A <see cref="Collections.ReadOptions"/>.</summary>
    ReadOptions = 11,

    /// <summary>A <see cref="Collections.PartitionStatus"/>.</summary>
    Status = 12,

    /// <summary>A list of <see cref="PhaseTiming"/>.</summary>
    Timings = 13,

    /// <summary>A list of <see cref="FailedOperation"/>.</summary>
    Failures = 14,

    /// <summary>A <see cref="Wire.StatisticsCall"/>.</summary>
    StatisticsCall = 15,

    /// <summary>A <see cref="Wire.FetchCall"/>.</summary>
    FetchCall = 16,

    /// <summary>A <see cref="Wire.CountCall"/>.</summary>
    CountCall = 17,

    /// <summary>A <see cref="Wire.FacetCall"/>.</summary>
    FacetCall = 18,

    /// <summary>A number.</summary>
    Number = 19,

    /// <summary>That something was done; no value.</summary>
    Done = 20,

    /// <summary>A <see cref="Partitions.PartitionReport"/>.</summary>
    Report = 21,

    /// <summary>A <see cref="Partitions.WaitResult"/>.</summary>
    Wait = 22,

    /// <summary>An <see cref="IndexSchema"/>, as the catalog has it.</summary>
    Schema = 23,
}

/// <summary>Reads one value where the reader stands.</summary>
/// <typeparam name="T">What is read.</typeparam>
public delegate T WireRead<out T>(ref WireReader reader);

/// <summary>
/// The envelope of what crosses from one process to another when a partition is remote: version (1 byte), kind (1), one value, nothing
/// after it. See docs/formats.md.
/// </summary>
public static class WireMessage
{
    /// <summary>The version this program writes, and the only one it reads.</summary>
    public const byte Version = 4;

    /// <summary>One value as a message.</summary>
    /// <exception cref="GranaryException">The value cannot be told in this version, or the message would be too large.</exception>
    public static byte[] Encode<T>(WireKind kind, T value, Action<WireWriter, T> write)
    {
        using var writer = new WireWriter();
        writer.Byte(Version);
        writer.Byte((byte)kind);
        write(writer, value);
        return writer.ToArray();
    }

    /// <summary>
    /// The value of a message. Payloads in it are parts of <paramref name="message"/>, which must not change afterwards; all else is
    /// copied.
    /// </summary>
    /// <exception cref="GranaryException">
    /// The message is an error, which is thrown as it was on the other side; or it is of another version or kind, or damaged.
    /// </exception>
    public static T Decode<T>(WireKind kind, ReadOnlyMemory<byte> message, WireRead<T> read)
    {
        var reader = new WireReader(message);
        var version = reader.Byte();
        if (version != Version)
        {
            throw new GranaryException(
                ErrorKind.Unavailable,
                $"A message of wire version {version} came from another node; this one understands version {Version}: both must run "
                    + "releases that share a version");
        }

        var actual = (WireKind)reader.Byte();
        if (actual == WireKind.Error && kind != WireKind.Error)
        {
            var error = ErrorWire.Read(ref reader);
            reader.End();
            throw error;
        }

        if (actual != kind)
            throw reader.Damaged($"its kind is {(byte)actual} where {(byte)kind} ({kind}) is expected");
        var value = read(ref reader);
        reader.End();
        return value;
    }
}
