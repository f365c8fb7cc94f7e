using Granary.Collections.Ports;
using Granary.Index;
using Granary.Storage.Files.Platform;

namespace Granary.Storage.Files.Log;

/// <summary>
/// A partition's log in segments. Appends hold <see cref="_appending"/>; whatever changes the list of segments holds
/// <see cref="_listing"/>, taken after it; readers hold neither.
/// </summary>
internal sealed partial class FileLog : IPartitionLog
{
    private readonly Lock _appending = new();
    private readonly Lock _listing = new();
    private readonly IFileSystem _files;
    private readonly FileStorageOptions _options;
    private readonly SyncWorker _worker;
    private readonly string _folder;
    private readonly PartitionKey _partition;

    /// <summary>Never changed in place.</summary>
    private volatile Segment[] _segments;
    private long _next;
    private int _waitingForSync;
    private volatile bool _fenced;
    private volatile bool _disposed;
    private volatile GranaryException? _fault;

    public FileLog(
        IFileSystem files, string folder, PartitionKey partition, FileStorageOptions options, SyncWorker worker)
    {
        (_files, _folder, _partition, _options, _worker) = (files, folder, partition, options, worker);
        var found = new LogRecovery(files, folder, partition).Open();
        _segments = [.. found.Segments];
        _next = found.NextOperation;
        RecoveryNote = found.Note;
    }

    public PartitionKey Partition => _partition;

    public long NextOperation => Volatile.Read(ref _next);

    public long FirstOperation => Math.Min(_segments[0].FirstOperation, NextOperation);

    public string? RecoveryNote { get; }

    public long SizeInBytes => _segments.Sum(s => s.Committed);

    /// <summary>Whether it was closed.</summary>
    public bool IsDisposed => _disposed;

    /// <summary>Whether another writer has the log now, or nobody: its collection was dropped.</summary>
    public bool IsFenced => _fenced;

    private Segment Active => _segments[^1];

    /// <summary>Takes the log from its writer: whatever it was doing is finished, and it does nothing more.</summary>
    public void Fence()
    {
        lock (_appending)
        {
            lock (_listing)
                _fenced = true;
        }
    }

    /// <summary>True for the first call since <see cref="EndWaitingForSync"/>.</summary>
    public bool BeginWaitingForSync() => Interlocked.Exchange(ref _waitingForSync, 1) == 0;

    /// <summary>What is appended from now on needs another sync.</summary>
    public void EndWaitingForSync() => Volatile.Write(ref _waitingForSync, 0);

    /// <summary>Everything acknowledged is on disk when this returns.</summary>
    public void Sync()
    {
        var active = Active;
        if (!active.TryAcquire())
            return;
        try
        {
            active.Sync();
        }
        catch (Exception e)
        {
            // After a failed sync the system may have dropped the pages and call the next sync a success: only opening anew is safe.
            _fault = FileErrors.From("syncing", active.Path, e);
            throw _fault;
        }
        finally
        {
            active.Dispose();
        }
    }

    public ValueTask DisposeAsync()
    {
        lock (_appending)
        {
            lock (_listing)
            {
                if (_disposed)
                    return default;
                _disposed = true;
                try
                {
                    if (!_fenced && _fault is null && Active.Committed > SegmentHeader.Size)
                    {
                        Active.Sync();
                        WriteManifest(_segments);
                    }
                }
                catch (Exception e) when (FileErrors.IsIo(e))
                {
                    throw FileErrors.From("closing the log", Active.Path, e);
                }
                finally
                {
                    Release();
                }
            }
        }

        return default;
    }

    /// <summary>Lets go of the files as a dying process would: nothing is synced or written.</summary>
    public void Abandon()
    {
        lock (_appending)
        {
            lock (_listing)
            {
                if (_disposed)
                    return;
                _disposed = true;
                Release();
            }
        }
    }

    private void Release()
    {
        foreach (var segment in _segments)
            segment.Dispose();
    }

    private void CheckWritable()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_fenced)
            throw new LogConflictException($"The log of {_partition} was opened by another writer, or its collection was dropped.");
        if (_fault is { } fault)
            throw new GranaryException(fault.Kind, $"{fault.Message}; the log takes no more writes until it is opened anew", fault);
    }

    private void WriteManifest(Segment[] segments)
    {
        var last = segments[^1];
        var manifest = new LogManifest(_partition, [.. segments.Select(s => s.FirstOperation)], last.FirstOperation, last.Synced);
        _files.Replace(Path.Combine(_folder, LogManifest.FileName), manifest.ToBytes());
    }
}
