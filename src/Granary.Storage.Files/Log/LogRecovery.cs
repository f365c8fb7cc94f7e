using System.Buffers.Binary;
using System.Security.Cryptography;
using Granary.Collections.Ports;
using Granary.Storage.Files.Platform;

namespace Granary.Storage.Files.Log;

/// <summary>What opening a log found.</summary>
/// <param name="Segments">Open segments, the last one writable.</param>
/// <param name="NextOperation">What the next operation gets.</param>
/// <param name="Note">What was cut or mended; null when nothing.</param>
internal sealed record RecoveredLog(List<Segment> Segments, long NextOperation, string? Note);

/// <summary>
/// Opens a log's folder. A torn end is cut at the last whole group commit; damage that a crash cannot have done is refused.
/// </summary>
internal sealed class LogRecovery(IFileSystem files, string folder, PartitionKey partition)
{
    private readonly List<Segment> _segments = [];
    private string? _note;

    /// <exception cref="Index.GranaryException">The log is damaged beyond a torn tail.</exception>
    public RecoveredLog Open()
    {
        try
        {
            files.CreateFolders(folder);
            var manifest = ReadManifest();
            var next = manifest.Segments[0];
            for (var i = 0; i < manifest.Segments.Count; i++)
                next = OpenSegment(manifest, i, next);
            return new RecoveredLog(_segments, next, _note);
        }
        catch
        {
            _segments.ForEach(s => s.Dispose());
            throw;
        }
    }

    /// <summary>Makes a segment with its header, durable but for its place in the manifest.</summary>
    public static Segment CreateSegment(IFileSystem files, string folder, PartitionKey partition, long firstOperation)
    {
        var path = Path.Combine(folder, LogManifest.SegmentName(firstOperation));
        var header = new SegmentHeader(
            partition, firstOperation, BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(8)));
        var file = files.Create(path);
        try
        {
            file.Write([header.ToBytes()], 0);
            file.Sync();
            files.SyncFolder(folder);
        }
        catch
        {
            file.Dispose();
            throw;
        }

        return new Segment(path, file, header);
    }

    private LogManifest ReadManifest()
    {
        var path = Path.Combine(folder, LogManifest.FileName);
        var entries = files.List(folder);
        files.Delete(path + FileSystemExtensions.NewSuffix);
        if (!entries.Any(e => e.Name == LogManifest.FileName))
            return Begin(path, entries);

        var manifest = LogManifest.Parse(path, files.ReadAll(path), partition);
        foreach (var entry in entries.Where(
            e => e.Name is not (LogManifest.FileName or LogManifest.FileName + FileSystemExtensions.NewSuffix)))
        {
            if (manifest.Segments.Any(s => entry.Name == LogManifest.SegmentName(s)))
                continue;
            if (entry.IsFolder || !IsLeftover(entry, manifest))
                throw FileErrors.Corrupted(Path.Combine(folder, entry.Name), 0, "this file does not belong to the log");
            files.Delete(Path.Combine(folder, entry.Name));
        }

        return manifest;
    }

    /// <summary>A log that never was, or whose very first step was interrupted.</summary>
    private LogManifest Begin(string path, IReadOnlyList<FolderEntry> entries)
    {
        foreach (var entry in entries.Where(e => e.Name != LogManifest.FileName + FileSystemExtensions.NewSuffix))
        {
            if (entry.IsFolder || entry.Name != LogManifest.SegmentName(1) || entry.Length > SegmentHeader.Size)
                throw FileErrors.Corrupted(path, 0, $"the manifest is missing, and {entry.Name} is there");
        }

        CreateSegment(files, folder, partition, 1).Dispose();
        var manifest = new LogManifest(partition, [1], 1, SegmentHeader.Size);
        files.Replace(path, manifest.ToBytes());
        return manifest;
    }

    /// <summary>
    /// A crash leaves a segment outside the manifest in two ways: rolled but not entered yet (then it has no record), or truncated
    /// away but not deleted yet.
    /// </summary>
    private static bool IsLeftover(FolderEntry entry, LogManifest manifest)
    {
        var stem = Path.GetFileNameWithoutExtension(entry.Name);
        return entry.Name.EndsWith(".log", StringComparison.Ordinal) && stem.Length == 20 && long.TryParse(stem, out var first)
            && (first < manifest.Segments[0] || (first > manifest.Segments[^1] && entry.Length <= SegmentHeader.Size));
    }

    private long OpenSegment(LogManifest manifest, int number, long next)
    {
        var first = manifest.Segments[number];
        var last = number == manifest.Segments.Count - 1;
        var path = Path.Combine(folder, LogManifest.SegmentName(first));
        if (!files.Exists(path))
            throw FileErrors.Corrupted(path, 0, "the segment is missing");
        if (first != next)
            throw FileErrors.Corrupted(path, 0, $"the segment begins with operation {first}, the one before ends before {next}");

        var file = files.Open(path, write: true);
        Segment segment;
        try
        {
            var header = new byte[SegmentHeader.Size];
            var problem = SegmentHeader.TryParse(header.AsSpan(0, file.Read(header, 0)), out var parsed);
            if (problem is null && (parsed.Partition != partition || parsed.FirstOperation != first))
                problem = $"it belongs to {parsed.Partition} from operation {parsed.FirstOperation} on";
            if (problem is not null)
                throw FileErrors.Corrupted(path, 0, problem);
            segment = new Segment(path, file, parsed);
        }
        catch
        {
            file.Dispose();
            throw;
        }

        _segments.Add(segment);
        return Scan(segment, last, manifest.SyncedSegment == first ? manifest.SyncedBytes : 0);
    }

    /// <summary>Walks the records of a segment; returns the operation number after them.</summary>
    private long Scan(Segment segment, bool last, long synced)
    {
        var length = segment.File.Length;
        var reader = new FrameReader(segment.File, segment.Header.Salt, SegmentHeader.Size, length);
        var (next, groupNext, groupStart, remaining) = (segment.FirstOperation, segment.FirstOperation, (long)SegmentHeader.Size, 0);
        while (reader.TryRead(keep: false, out var header, out var record))
        {
            var offset = reader.Offset - header.FrameBytes;
            if (record.FirstOperation != next || record.Count < 1)
                throw FileErrors.Corrupted(segment.Path, offset, $"the record begins with operation {record.FirstOperation}, not {next}");
            if (header.Remaining < 0 || (remaining > 0 && header.Remaining != remaining - 1))
                throw FileErrors.Corrupted(segment.Path, offset, $"a record of a group is missing ({remaining} were to follow)");
            segment.Note(next, offset);
            (next, remaining) = (next + record.Count, header.Remaining);
            if (remaining == 0)
                (groupNext, groupStart) = (next, reader.Offset);
        }

        if (groupStart < length)
        {
            var problem = reader.Problem ?? $"{remaining} records of the last group commit are missing";
            if (!last)
                throw FileErrors.Corrupted(segment.Path, reader.Offset, problem);
            RefuseUnlessTorn(segment, reader.Offset, length, next, synced, problem);
            _note = $"{segment.Path}: cut at offset {groupStart}, {length - groupStart} bytes after operation {groupNext - 1} were not "
                + $"whole: {problem}";
            segment.File.SetLength(groupStart);
        }

        if (last)
        {
            // What is served from here on must not be taken back by a power cut.
            segment.File.Sync();
        }

        segment.Commit(groupStart);
        segment.MarkSynced(groupStart);
        return groupNext;
    }

    /// <summary>
    /// Damage is a torn tail when nothing after it was written in the knowledge that it is on disk: no whole record follows, or
    /// only records of the same unsynced stretch, whose blocks a power cut may leave in any order.
    /// </summary>
    private static void RefuseUnlessTorn(Segment segment, long damaged, long length, long next, long synced, string problem)
    {
        var follower = 0L;
        foreach (var (offset, header) in WholeFrames(segment, damaged + 1, length))
        {
            // An older record can only be a copy inside someone's payload.
            if (header.FirstOperation > next)
                (follower, synced) = (offset, Math.Max(synced, header.Synced));
        }

        if (follower > 0 && synced > damaged)
            throw FileErrors.Corrupted(segment.Path, damaged, $"{problem}, yet a whole record follows at offset {follower}");
    }

    private static IEnumerable<(long Offset, FrameHeader Header)> WholeFrames(Segment segment, long start, long length)
    {
        const int Window = 1 << 20;
        var window = new byte[Window];
        var magic = BitConverter.GetBytes(FrameHeader.Magic);
        for (var at = start; at < length - FrameHeader.Size;)
        {
            var read = segment.File.Read(window, at);
            var found = window.AsSpan(0, read).IndexOf(magic);
            if (found < 0)
            {
                at += Math.Max(1, read - (magic.Length - 1));
                continue;
            }

            var reader = new FrameReader(segment.File, segment.Header.Salt, at + found, length);
            if (reader.TryRead(keep: false, out var header, out _))
            {
                yield return (at + found, header);
                at += found + header.FrameBytes;
            }
            else
            {
                at += found + 1;
            }
        }
    }
}
