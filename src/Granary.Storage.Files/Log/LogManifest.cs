using System.Globalization;
using System.Text;
using Granary.Collections.Ports;

namespace Granary.Storage.Files.Log;

/// <summary>
/// Which segments a log consists of: a small text, swapped by atomic rename, so that a missing first or last segment is noticed.
/// </summary>
/// <param name="Partition">Whose log it is.</param>
/// <param name="Segments">First operations of the segments, ascending.</param>
/// <param name="SyncedSegment">A segment of which a prefix was on disk when this was written.</param>
/// <param name="SyncedBytes">The length of that prefix.</param>
internal sealed record LogManifest(PartitionKey Partition, IReadOnlyList<long> Segments, long SyncedSegment, long SyncedBytes)
{
    public const string FileName = "manifest";
    private const string Title = "granary-log 1";

    /// <summary>The file name of a segment.</summary>
    public static string SegmentName(long firstOperation) => firstOperation.ToString("D20", CultureInfo.InvariantCulture) + ".log";

    public byte[] ToBytes()
    {
        var text = new StringBuilder()
            .Append(Title).Append('\n')
            .Append(CultureInfo.InvariantCulture, $"partition {Partition}\n");
        foreach (var segment in Segments)
            text.Append(CultureInfo.InvariantCulture, $"segment {segment}\n");
        text.Append(CultureInfo.InvariantCulture, $"synced {SyncedSegment} {SyncedBytes}\n");
        return ChecksummedText.Seal(text);
    }

    /// <exception cref="Index.GranaryException">The text is not a manifest of this partition.</exception>
    public static LogManifest Parse(string path, byte[] bytes, PartitionKey partition)
    {
        var lines = ChecksummedText.Open(path, bytes);
        if (lines[0] != Title)
            throw FileErrors.Corrupted(path, 0, $"the first line is not `{Title}`");
        if (lines.Length < 4 || lines[1] != $"partition {partition}")
            throw FileErrors.Corrupted(path, Title.Length + 1, $"it does not belong to partition {partition}");
        var segments = lines[2..^1].Select(l => long.Parse(l["segment ".Length..], CultureInfo.InvariantCulture)).ToArray();
        var synced = lines[^1].Split(' ');
        return new LogManifest(
            partition, segments, long.Parse(synced[1], CultureInfo.InvariantCulture), long.Parse(synced[2], CultureInfo.InvariantCulture));
    }
}
