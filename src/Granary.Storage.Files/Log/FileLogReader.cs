using Granary.Collections.Ports;
using Granary.Index;

namespace Granary.Storage.Files.Log;

/// <summary>Reads a partition's log beside its writer, who is in this process, and goes on with the next one.</summary>
internal sealed class FileLogReader : ILogReader
{
    private readonly PartitionKey _partition;
    private readonly Func<FileLog?> _current;
    private (long Next, long First, long Bytes) _seen = (1, 1, 0);
    private volatile bool _disposed;

    public FileLogReader(PartitionKey partition, Func<FileLog?> current)
    {
        (_partition, _current) = (partition, current);
        Look();
    }

    public long NextOperation => Volatile.Read(ref _seen.Next);

    public long FirstOperation => Volatile.Read(ref _seen.First);

    public string? RecoveryNote => null;

    public long SizeInBytes => Volatile.Read(ref _seen.Bytes);

    public ValueTask<long> HeadAsync(CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        cancellation.ThrowIfCancellationRequested();
        Look();
        return new(NextOperation);
    }

    public IAsyncEnumerable<LogRecord> ReadAsync(long fromOperation, CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        while (true)
        {
            if (Look() is not { } log)
                return AsyncEnumerable.Empty<LogRecord>();
            try
            {
                return log.ReadAsync(fromOperation, cancellation);
            }
            catch (ObjectDisposedException) when (log.IsDisposed)
            {
                // Its writer closed it between; the files are there, or the storage says that it is closed.
            }
        }
    }

    public ValueTask DisposeAsync()
    {
        _disposed = true;
        return default;
    }

    private FileLog? Look()
    {
        var log = _current();
        if (log is null)
        {
            return NextOperation == 1
                ? null : throw GranaryException.NotFound($"The log of {_partition} is gone: its collection was dropped.");
        }

        Volatile.Write(ref _seen.First, log.FirstOperation);
        Volatile.Write(ref _seen.Bytes, log.SizeInBytes);
        Volatile.Write(ref _seen.Next, log.NextOperation);
        return log;
    }
}
