using System.Runtime.CompilerServices;
using Granary.Collections.Ports;

namespace Granary.Grains.Tests.Support;

/// <summary>One storage that every silo of a test shares, and none of them closes.</summary>
/// <param name="inner">The storage.</param>
/// <param name="gate">Awaited before records are read; null for none.</param>
/// <param name="catalogGate">Awaited before the catalog is read; null for none.</param>
/// <param name="size">What a partition is said to have beyond what it has; null: nothing.</param>
internal sealed class SharedStorage(
    IStorage inner, Func<Task>? gate = null, Func<Task>? catalogGate = null, Func<PartitionKey, long>? size = null) : IStorage
{
    public string Kind => inner.Kind;

    public ICatalogStore Catalog { get; } = catalogGate is null ? inner.Catalog : new GatedCatalog(inner.Catalog, catalogGate);

    public ILeaseStore? Leases => inner.Leases;

    public ValueTask<IPartitionLog> OpenLogAsync(PartitionKey partition, CancellationToken cancellation) =>
        inner.OpenLogAsync(partition, cancellation);

    public async ValueTask<ILogReader> OpenLogReaderAsync(PartitionKey partition, CancellationToken cancellation)
    {
        var reader = await inner.OpenLogReaderAsync(partition, cancellation);
        return gate is null ? reader : new GatedReader(reader, gate);
    }

    public ValueTask<ICheckpointStore> OpenCheckpointsAsync(PartitionKey partition, CancellationToken cancellation) =>
        inner.OpenCheckpointsAsync(partition, cancellation);

    public ValueTask DropCollectionAsync(Guid incarnation, CancellationToken cancellation) =>
        inner.DropCollectionAsync(incarnation, cancellation);

    public ValueTask<IReadOnlyList<Guid>> ListIncarnationsAsync(CancellationToken cancellation) =>
        inner.ListIncarnationsAsync(cancellation);

    public async ValueTask<IReadOnlyList<StoredSize>> MeasureAsync(CancellationToken cancellation) =>
        [.. (await inner.MeasureAsync(cancellation)).Select(s => s with { Bytes = s.Bytes + (size?.Invoke(s.Partition) ?? 0) })];

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private sealed class GatedCatalog(ICatalogStore inner, Func<Task> gate) : ICatalogStore
    {
        public async ValueTask<IReadOnlyList<CatalogEntry>> ListAsync(string prefix, CancellationToken cancellation)
        {
            await gate();
            return await inner.ListAsync(prefix, cancellation);
        }

        public async ValueTask<CatalogEntry?> GetAsync(string key, CancellationToken cancellation)
        {
            await gate();
            return await inner.GetAsync(key, cancellation);
        }

        public ValueTask<bool> TryCommitAsync(IReadOnlyList<CatalogChange> changes, CancellationToken cancellation) =>
            inner.TryCommitAsync(changes, cancellation);
    }

    private sealed class GatedReader(ILogReader inner, Func<Task> gate) : ILogReader
    {
        public long NextOperation => inner.NextOperation;

        public long FirstOperation => inner.FirstOperation;

        public long SizeInBytes => inner.SizeInBytes;

        public string? RecoveryNote => inner.RecoveryNote;

        public ValueTask<long> HeadAsync(CancellationToken cancellation) => inner.HeadAsync(cancellation);

        public async IAsyncEnumerable<LogRecord> ReadAsync(
            long fromOperation, [EnumeratorCancellation] CancellationToken cancellation)
        {
            await gate().WaitAsync(cancellation);
            await foreach (var record in inner.ReadAsync(fromOperation, cancellation))
                yield return record;
        }

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
