using Granary.Collections.Diagnostics;
using Granary.Collections.Embedding;
using Granary.Collections.Partitions;
using Granary.Collections.Ports;
using Granary.Collections.Tests.Support;
using Granary.Collections.Writing;
using Granary.Index;
using Granary.Storage.Memory;

namespace Granary.Collections.Tests.Rules;

public sealed class OpeningLeavesNothingBehind
{
    [Fact]
    public async Task APartitionThatCannotBeOpenedLetsGoOfItsIndex()
    {
        await using var storage = new MemoryStorage();
        var key = new PartitionKey(Guid.NewGuid(), 0);
        var shorter = key with { Number = 1 };
        await using var log = await storage.OpenLogAsync(key, default);
        await using (var replica = await Replica.OpenAsync(storage, log, shorter, Fixture.Plain.Schema))
        {
            await using var writer = new PartitionWriter(key, log, replica.Feed, null, new PhaseTimings());
            for (ulong id = 1; id <= 5; id++)
                await writer.AppendAsync(new WriteBatch().Upsert(id, new float[8]).Operations.Detach(), 1);
            await replica.CatchUpAsync(5);
            await replica.Indexer.CheckpointAsync(default);
        }

        // The other partition's log ends before its checkpoint does, and cannot be filled up.
        await using (var opened = await storage.OpenLogAsync(shorter, default))
            await opened.AppendAsync(
                [new LogRecord(1, 1, Guid.NewGuid(), new WriteBatch().Upsert(1, new float[8]).Operations.Detach())], default);
        storage.Faults.DiskFull = true;
        var wrapped = new WrappedStorage(storage);
        using var embedder = new TextEmbedder(new DatabaseOptions());
        await using var embedding = new EmbeddingPipeline(Fixture.Plain, embedder, new PhaseHistogram("embed"), TimeProvider.System);
        var error = await Assert.ThrowsAsync<GranaryException>(async () => await LocalPartition.OpenAsync(
            wrapped, shorter, Fixture.Plain.Schema, new IngestionSettings(), new PhaseTimings(), embedding, TimeProvider.System, default));
        Assert.Equal(ErrorKind.InsufficientStorage, error.Kind);
        Assert.Equal(0, wrapped.Checkpoints!.OpenHandles);
        // Its owner by then, the indexer, was closed.
        Assert.True(wrapped.Checkpoints.IsDisposed);
    }

    [Fact]
    public async Task APartitionThatServesHoldsNoCheckpointOpen()
    {
        await using var storage = new MemoryStorage();
        var key = new PartitionKey(Guid.NewGuid(), 0);
        await using var log = await storage.OpenLogAsync(key, default);
        await using var replica = await Replica.OpenAsync(storage, log, key, Fixture.Plain.Schema);
        await using var writer = new PartitionWriter(key, log, replica.Feed, null, new PhaseTimings());
        await writer.AppendAsync(new WriteBatch().Upsert(1, new float[8]).Operations.Detach(), 1);
        await replica.CatchUpAsync(1);
        await replica.Indexer.CheckpointAsync(default);

        WrappedCheckpoints? checkpoints = null;
        await using var again = await Replica.OpenAsync(
            storage, log, key, Fixture.Plain.Schema, wrap: store => checkpoints = new WrappedCheckpoints(store));
        Assert.Equal(1, again.Indexer.Checkpointed);
        Assert.Equal(1, again.Indexer.Index.PointCount);
        Assert.Equal(0, checkpoints!.OpenHandles);
    }

    private sealed class WrappedStorage(IStorage inner) : IStorage
    {
        public WrappedCheckpoints? Checkpoints { get; private set; }

        public string Kind => inner.Kind;

        public ICatalogStore Catalog => inner.Catalog;

        public ValueTask<ILogReader> OpenLogReaderAsync(PartitionKey partition, CancellationToken cancellation) =>
            inner.OpenLogReaderAsync(partition, cancellation);

        public ValueTask<IPartitionLog> OpenLogAsync(PartitionKey partition, CancellationToken cancellation) =>
            inner.OpenLogAsync(partition, cancellation);

        public async ValueTask<ICheckpointStore> OpenCheckpointsAsync(PartitionKey partition, CancellationToken cancellation) =>
            Checkpoints = new WrappedCheckpoints(await inner.OpenCheckpointsAsync(partition, cancellation));

        public ValueTask DropCollectionAsync(Guid incarnation, CancellationToken cancellation) =>
            inner.DropCollectionAsync(incarnation, cancellation);

        public ValueTask<IReadOnlyList<Guid>> ListIncarnationsAsync(CancellationToken cancellation) =>
            inner.ListIncarnationsAsync(cancellation);

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
