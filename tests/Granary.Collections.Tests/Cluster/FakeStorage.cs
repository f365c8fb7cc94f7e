using System.Runtime.CompilerServices;
using Granary.Collections.Ports;

namespace Granary.Collections.Tests.Cluster;

/// <summary>The way to a storage from one process: reading logs may be held up, and fail.</summary>
internal sealed class FakeStorage(IStorage inner) : IStorage
{
    private int _opened;

    /// <summary>Reading a log waits for this.</summary>
    public Task Open { get; set; } = Task.CompletedTask;

    /// <summary>Thrown by the next reading of a log; asked each time.</summary>
    public Func<Exception?>? Fault { get; set; }

    /// <summary>Thrown by opening.</summary>
    public Func<Exception?>? OpenFault { get; set; }

    /// <summary>How many log readers were opened.</summary>
    public int Opened => Volatile.Read(ref _opened);

    public string Kind => inner.Kind;

    public ICatalogStore Catalog => inner.Catalog;

    public ILeaseStore? Leases => inner.Leases;

    public ValueTask<IPartitionLog> OpenLogAsync(PartitionKey partition, CancellationToken cancellation) =>
        inner.OpenLogAsync(partition, cancellation);

    public async ValueTask<ILogReader> OpenLogReaderAsync(PartitionKey partition, CancellationToken cancellation)
    {
        Interlocked.Increment(ref _opened);
        if (OpenFault?.Invoke() is { } fault)
            throw fault;
        return new Reader(this, await inner.OpenLogReaderAsync(partition, cancellation));
    }

    public ValueTask<ICheckpointStore> OpenCheckpointsAsync(PartitionKey partition, CancellationToken cancellation) =>
        inner.OpenCheckpointsAsync(partition, cancellation);

    public ValueTask DropCollectionAsync(Guid incarnation, CancellationToken cancellation) =>
        inner.DropCollectionAsync(incarnation, cancellation);

    public ValueTask<IReadOnlyList<Guid>> ListIncarnationsAsync(CancellationToken cancellation) =>
        inner.ListIncarnationsAsync(cancellation);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private sealed class Reader(FakeStorage owner, ILogReader inner) : ILogReader
    {
        public long NextOperation => inner.NextOperation;

        public long FirstOperation => inner.FirstOperation;

        public string? RecoveryNote => inner.RecoveryNote;

        public long SizeInBytes => inner.SizeInBytes;

        public ValueTask<long> HeadAsync(CancellationToken cancellation) => inner.HeadAsync(cancellation);

        public async IAsyncEnumerable<LogRecord> ReadAsync(
            long fromOperation, [EnumeratorCancellation] CancellationToken cancellation)
        {
            await owner.Open.WaitAsync(cancellation);
            if (owner.Fault?.Invoke() is { } fault)
                throw fault;
            await foreach (var record in inner.ReadAsync(fromOperation, cancellation))
                yield return record;
        }

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
