using Granary.Collections.Ports;

namespace Granary.Grains.Tests.Support;

/// <summary>One storage that every silo of a test shares, and none of them closes.</summary>
/// <param name="inner">The storage.</param>
internal sealed class SharedStorage(IStorage inner) : IStorage
{
    public string Kind => inner.Kind;

    public ICatalogStore Catalog => inner.Catalog;

    public ILeaseStore? Leases => inner.Leases;

    public ValueTask<IPartitionLog> OpenLogAsync(PartitionKey partition, CancellationToken cancellation) =>
        inner.OpenLogAsync(partition, cancellation);

    public ValueTask<ILogReader> OpenLogReaderAsync(PartitionKey partition, CancellationToken cancellation) =>
        inner.OpenLogReaderAsync(partition, cancellation);

    public ValueTask<ICheckpointStore> OpenCheckpointsAsync(PartitionKey partition, CancellationToken cancellation) =>
        inner.OpenCheckpointsAsync(partition, cancellation);

    public ValueTask DropCollectionAsync(Guid incarnation, CancellationToken cancellation) =>
        inner.DropCollectionAsync(incarnation, cancellation);

    public ValueTask<IReadOnlyList<Guid>> ListIncarnationsAsync(CancellationToken cancellation) =>
        inner.ListIncarnationsAsync(cancellation);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
