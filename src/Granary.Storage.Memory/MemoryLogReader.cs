using Granary.Collections.Ports;
using Granary.Index;

namespace Granary.Storage.Memory;

/// <summary>Reads a partition's log beside its writer.</summary>
internal sealed class MemoryLogReader : ILogReader
{
    private readonly MemoryContents _contents;
    private readonly PartitionKey _key;
    private long _next = 1;
    private long _first = 1;
    private long _bytes;
    private bool _disposed;

    public MemoryLogReader(MemoryContents contents, PartitionKey key)
    {
        (_contents, _key) = (contents, key);
        Look();
    }

    public long NextOperation => Volatile.Read(ref _next);

    public long FirstOperation => Volatile.Read(ref _first);

    public string? RecoveryNote => null;

    public long SizeInBytes => Volatile.Read(ref _bytes);

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
        return Look() is { } partition ? partition.ReadAsync(fromOperation, cancellation) : AsyncEnumerable.Empty<LogRecord>();
    }

    public ValueTask DisposeAsync()
    {
        _disposed = true;
        return default;
    }

    private MemoryPartition? Look()
    {
        if (!_contents.Partitions.TryGetValue(_key, out var partition))
        {
            return NextOperation == 1
                ? null : throw GranaryException.NotFound($"The log of {_key} is gone: its collection was dropped.");
        }

        lock (partition.Lock)
        {
            Volatile.Write(ref _first, partition.FirstOperation);
            Volatile.Write(ref _bytes, partition.Bytes);
            Volatile.Write(ref _next, partition.NextOperation);
        }

        return partition;
    }
}
