using Granary.Collections.Ports;

namespace Granary.Storage.Files.Log;

/// <content>Appending: one write per group, one sync where it was asked for.</content>
internal sealed partial class FileLog
{
    private readonly List<ReadOnlyMemory<byte>> _buffers = [];
    private byte[] _headers = [];

    /// <summary>Bytes may lie behind the committed end, from a write that failed.</summary>
    private bool _unclean;

    public ValueTask AppendAsync(IReadOnlyList<LogRecord> records, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        lock (_appending)
        {
            CheckWritable();
            var next = StorageRules.CheckAppend(records, _next);
            if (records.Count == 0)
                return default;
            var path = Active.Path;
            try
            {
                if (_unclean)
                    CutBack(Active);
                if (Active.Committed >= _options.SegmentBytes)
                    Roll();
                path = Active.Path;
                Write(Active, records);
            }
            catch (Exception e) when (FileErrors.IsIo(e))
            {
                TryCutBack(Active);
                throw FileErrors.From("appending to the log", path, e);
            }

            Volatile.Write(ref _next, next);
        }

        if (_options.Durability == Durability.Process)
            _worker.Enqueue(this);
        return default;
    }

    private void Write(Segment segment, IReadOnlyList<LogRecord> records)
    {
        if (_headers.Length < records.Count * FrameHeader.Size)
            _headers = new byte[records.Count * FrameHeader.Size];
        _buffers.Clear();
        var (start, synced) = (segment.Committed, segment.Synced);
        var end = start;
        for (var i = 0; i < records.Count; i++)
        {
            var record = records[i];
            var header = _headers.AsMemory(i * FrameHeader.Size, FrameHeader.Size);
            FrameHeader.Write(header.Span, record, segment.Header.Salt, synced, records.Count - 1 - i);
            _buffers.Add(header);
            if (!record.Operations.IsEmpty)
                _buffers.Add(record.Operations);
            end += FrameHeader.Size + record.Operations.Length;
        }

        _unclean = true;
        segment.File.Write(_buffers, start);
        if (_options.Durability == Durability.Disk)
        {
            segment.File.Sync();
            segment.MarkSynced(end);
        }

        _unclean = false;
        _buffers.Clear();
        for (var (i, offset) = (0, start); i < records.Count; i++)
        {
            segment.Note(records[i].FirstOperation, offset);
            offset += FrameHeader.Size + records[i].Operations.Length;
        }

        segment.Commit(end);
    }

    /// <summary>
    /// Removes what a failed write left, so that the log ends with its last acknowledged record; durably, so that a power cut
    /// does not bring it back between later records.
    /// </summary>
    private void CutBack(Segment segment)
    {
        segment.File.SetLength(segment.Committed);
        try
        {
            segment.File.Sync();
        }
        catch (Exception e) when (FileErrors.IsIo(e) && segment.Synced < segment.Committed)
        {
            // What was acknowledged without a sync may be gone from the system's memory now.
            _fault = FileErrors.From("syncing", segment.Path, e);
            throw;
        }

        _unclean = false;
    }

    private void TryCutBack(Segment segment)
    {
        try
        {
            if (_unclean)
                CutBack(segment);
        }
        catch (Exception e) when (FileErrors.IsIo(e))
        {
            // The next append tries again before it writes anything.
        }
    }

    /// <summary>
    /// Goes on in a new segment. The old one is synced before the new one takes a record, so that a power cut never leaves a gap
    /// between segments; the new one is in the manifest before it takes a record, so that its loss would be noticed.
    /// </summary>
    private void Roll()
    {
        lock (_listing)
        {
            Active.Sync();
            var fresh = LogRecovery.CreateSegment(_files, _folder, _partition, _next);
            try
            {
                Segment[] segments = [.. _segments, fresh];
                WriteManifest(segments);
                _segments = segments;
            }
            catch
            {
                fresh.Dispose();
                throw;
            }
        }
    }
}
