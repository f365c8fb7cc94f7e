using Granary.Collections.Ports;

namespace Granary.Storage.Memory;

/// <summary>Storage that lives as long as its process, for tests: durable across <see cref="Reopen"/> only.</summary>
public sealed partial class MemoryStorage : IStorage
{
    private readonly MemoryContents _contents;
    private readonly MemoryCatalog _catalog;
    private readonly MemoryLeaseStore _leases;
    private readonly TimeProvider _time;
    private bool _disposed;

    /// <summary>Empty storage.</summary>
    /// <param name="time">The clock of its leases.</param>
    public MemoryStorage(TimeProvider? time = null) : this(new MemoryContents(), new MemoryFaults(), time ?? TimeProvider.System)
    {
    }

    private MemoryStorage(MemoryContents contents, MemoryFaults faults, TimeProvider time)
    {
        _time = time;
        _leases = new MemoryLeaseStore(contents, time, () => _disposed);
        _contents = contents;
        _catalog = new MemoryCatalog(contents, () => _disposed);
        Faults = faults;
    }

    /// <inheritdoc/>
    public string Kind => "mem";

    /// <summary>Failures to inject.</summary>
    public MemoryFaults Faults { get; }

    /// <inheritdoc/>
    public ICatalogStore Catalog => _catalog;

    /// <inheritdoc/>
    public ILeaseStore Leases => _leases;

    /// <summary>The same contents and faults as a process would find them after a restart; every log opened before is fenced.</summary>
    public MemoryStorage Reopen()
    {
        foreach (var partition in _contents.Partitions.Values)
            partition.Fence();
        return new MemoryStorage(_contents, Faults, _time);
    }

    /// <inheritdoc/>
    public ValueTask<IPartitionLog> OpenLogAsync(PartitionKey partition, CancellationToken cancellation)
    {
        Check(cancellation);
        return new(new MemoryLog(_contents.Partition(partition), Faults));
    }

    /// <inheritdoc/>
    public ValueTask<ILogReader> OpenLogReaderAsync(PartitionKey partition, CancellationToken cancellation)
    {
        Check(cancellation);
        return new(new MemoryLogReader(_contents, partition));
    }

    /// <inheritdoc/>
    public ValueTask<ICheckpointStore> OpenCheckpointsAsync(PartitionKey partition, CancellationToken cancellation)
    {
        Check(cancellation);
        return new(new MemoryCheckpointStore(_contents.Partition(partition), Faults));
    }

    /// <inheritdoc/>
    public ValueTask DropCollectionAsync(Guid incarnation, CancellationToken cancellation)
    {
        Check(cancellation);
        foreach (var key in _contents.Partitions.Keys.Where(k => k.Incarnation == incarnation))
        {
            if (_contents.Partitions.TryRemove(key, out var partition))
                partition.Fence();
        }

        return default;
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<Guid>> ListIncarnationsAsync(CancellationToken cancellation)
    {
        Check(cancellation);
        return new([.. _contents.Partitions.Keys.Select(k => k.Incarnation).Distinct()]);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<StoredSize>> MeasureAsync(CancellationToken cancellation)
    {
        Check(cancellation);
        return new([.. _contents.Partitions.Values.Select(p => new StoredSize(p.Key, p.Size))]);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _disposed = true;
        foreach (var partition in _contents.Partitions.Values)
            partition.Fence();
        return default;
    }

    private void Check(CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        ObjectDisposedException.ThrowIf(_disposed, this);
    }
}
