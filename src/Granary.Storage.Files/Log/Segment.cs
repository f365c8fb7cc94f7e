using Granary.Storage.Files.Platform;

namespace Granary.Storage.Files.Log;

/// <summary>One file of a log. Stays open, and on Unix readable after its deletion, until the log and every reader let go of it.</summary>
internal sealed class Segment(string path, IFile file, SegmentHeader header) : IDisposable
{
    private const long IndexStep = 256 << 10;

    /// <summary>Some records and where they begin, ascending; guarded by itself.</summary>
    private readonly List<(long Operation, long Offset)> _index = [];
    private int _users = 1;
    private long _committed = SegmentHeader.Size;
    private long _synced = SegmentHeader.Size;

    public string Path { get; } = path;

    public IFile File { get; } = file;

    public SegmentHeader Header { get; } = header;

    public long FirstOperation => Header.FirstOperation;

    /// <summary>Where the acknowledged records end.</summary>
    public long Committed => Volatile.Read(ref _committed);

    /// <summary>Up to where the file is known to be on disk.</summary>
    public long Synced => Volatile.Read(ref _synced);

    /// <summary>Notes where a record begins, if it lies far enough from the last one noted.</summary>
    public void Note(long operation, long offset)
    {
        lock (_index)
        {
            if (_index.Count == 0 || offset - _index[^1].Offset >= IndexStep)
                _index.Add((operation, offset));
        }
    }

    /// <summary>Makes everything before an offset visible to readers.</summary>
    public void Commit(long offset) => Volatile.Write(ref _committed, offset);

    /// <summary>Syncs, and remembers how far.</summary>
    public void Sync()
    {
        var end = Committed;
        if (end <= Synced)
            return;
        File.Sync();
        for (var seen = Synced; seen < end; seen = Synced)
            Interlocked.CompareExchange(ref _synced, end, seen);
    }

    /// <summary>Remembers that someone else synced up to an offset.</summary>
    public void MarkSynced(long offset) => Volatile.Write(ref _synced, offset);

    /// <summary>An offset at or before the record that holds the operation.</summary>
    public long Seek(long operation)
    {
        lock (_index)
        {
            int low = 0, high = _index.Count;
            while (low < high)
            {
                var middle = (low + high) / 2;
                if (_index[middle].Operation <= operation)
                    low = middle + 1;
                else
                    high = middle;
            }

            return low == 0 ? SegmentHeader.Size : _index[low - 1].Offset;
        }
    }

    /// <summary>Keeps the file open until a matching <see cref="Dispose"/>; false when it was closed already.</summary>
    public bool TryAcquire()
    {
        for (var users = Volatile.Read(ref _users); users > 0;)
        {
            var seen = Interlocked.CompareExchange(ref _users, users + 1, users);
            if (seen == users)
                return true;
            users = seen;
        }

        return false;
    }

    public void Dispose()
    {
        if (Interlocked.Decrement(ref _users) == 0)
            File.Dispose();
    }
}
