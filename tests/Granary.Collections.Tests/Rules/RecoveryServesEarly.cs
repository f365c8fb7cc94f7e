using System.Runtime.CompilerServices;
using Granary.Collections.Diagnostics;
using Granary.Collections.Ports;
using Granary.Collections.Searching;
using Granary.Collections.Tests.Support;
using Granary.Collections.Writing;
using Granary.Index.Search;
using Granary.Storage.Memory;

namespace Granary.Collections.Tests.Rules;

public sealed class RecoveryServesEarly
{
    [Fact]
    public async Task AfterARestartSearchesSeeTheWholeLogBeforeItIsLinked()
    {
        var config = Fixture.Plain with { Ingestion = new IngestionSettings { BatchSize = 1_000_000, BatchDelay = TimeSpan.FromDays(1) } };
        await using var fixture = await Fixture.CreateAsync(config, new DatabaseOptions { Time = new ManualTime() });
        var random = new Random(1);
        var vectors = new List<float[]>();
        for (ulong id = 0; id < 400; id++)
        {
            vectors.Add(Batches.Vector(random));
            await fixture.Collection.WriteAsync(new WriteBatch().Upsert(id, vectors[^1]), Batches.NoWait);
            if (id == 199)
                await fixture.Collection.CheckpointAsync();
        }

        await fixture.KillAndRestartAsync();
        for (var i = 0; i < 400; i += 37)
        {
            var expected = Enumerable.Range(0, 400).OrderByDescending(j => vectors[j].Zip(vectors[i], (x, y) => x * y).Sum()).First();
            var hits = await fixture.Collection.QueryAsync(new QueryRequest
            {
                Query = new NearestQuery(new DenseInput(vectors[i])),
                Params = new SearchParams { Exact = true },
                Limit = 1,
            });
            Assert.Equal((ulong)expected, hits[0].Id.Number);
        }

        var partition = Assert.Single((await fixture.Collection.GetInfoAsync()).Partitions);
        Assert.Equal(200, partition.Checkpointed);
        Assert.Equal(400, partition.Applied);
        Assert.True(await fixture.Collection.WaitAsync());
        Assert.Equal(CollectionColor.Green, (await fixture.Collection.GetInfoAsync()).Color);
    }

    [Fact]
    public async Task TheCheckpointServesAtOnceAndTheLogsRestIsAppliedBeforeAnythingIsLinked()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        await using var storage = new MemoryStorage();
        var key = new PartitionKey(Guid.NewGuid(), 0);
        var log = await storage.OpenLogAsync(key, default);
        await using (var first = await Replica.OpenAsync(storage, log, key, Fixture.Plain.Schema))
        {
            await using var writer = new PartitionWriter(key, log, first.Feed, null, new PhaseTimings());
            for (ulong id = 1; id <= 30; id++)
            {
                await writer.AppendAsync(new WriteBatch().Upsert(id, [id, 1, 0, 0, 0, 0, 0, 1]).Operations.Detach(), 1);
                if (id != 20)
                    continue;
                await first.CatchUpAsync(20);
                await first.Indexer.CheckpointAsync(limit.Token);
            }
        }

        // The writer closed its log.
        await using var again = await storage.OpenLogAsync(key, default);
        var held = new HeldLog(again);
        var linked = new System.Collections.Concurrent.ConcurrentQueue<long>();
        await using var replica = await Replica.OpenAsync(storage, held, key, Fixture.Plain.Schema, onLinked: linked.Enqueue);
        var search = new LocalPartitionSearch(replica.Indexer, () => 30, TimeProvider.System);
        await held.Asked.Task.WaitAsync(limit.Token);
        var leg = new DenseLeg("", new float[] { 1, 1, 0, 0, 0, 0, 0, 1 }) { Exact = true, Limit = 100 };
        var strong = search.SearchAsync(new PartitionRequest([leg], new ReadOptions()), limit.Token).AsTask();
        var early = search.SearchAsync(new PartitionRequest([leg], new ReadOptions { Strong = false }), limit.Token);
        Assert.True(early.IsCompleted);
        Assert.Equal(20, (await early).Legs[0].Hits.Count);
        Assert.True(replica.Indexer.Recovering);
        Assert.False(strong.IsCompleted);

        held.Gate.SetResult();
        Assert.Equal(30, (await strong).Legs[0].Hits.Count);
        await replica.Indexer.Linked.WaitAsync(30, limit.Token);
        Assert.All(linked, operation => Assert.Equal(30, operation));
    }

    [Fact]
    public async Task AGracefulStopDrainsTheQueueAndLeavesACheckpoint()
    {
        await using var fixture = await Fixture.CreateAsync();
        var random = new Random(1);
        for (ulong id = 0; id < 500; id++)
            await fixture.Collection.WriteAsync(new WriteBatch().Upsert(id, Batches.Vector(random)), Batches.NoWait);
        await fixture.RestartAsync();
        var partition = Assert.Single((await fixture.Collection.GetInfoAsync()).Partitions);
        Assert.Equal((500, 500), (partition.Checkpointed, partition.Linked));
        Assert.Equal(500, await fixture.Collection.CountAsync(null));
    }

    [Fact]
    public async Task TwoCheckpointsAreKeptAndTheLogGoesOnlyBehindTheOlder()
    {
        await using var fixture = await Fixture.CreateAsync();
        for (ulong id = 1; id <= 4; id++)
        {
            await fixture.Collection.WriteAsync(new WriteBatch().Upsert(id, new float[8]), Batches.Wait);
            await fixture.Collection.CheckpointAsync();
        }

        var incarnation = Assert.Single(await fixture.Storage.ListIncarnationsAsync(default));
        var key = new PartitionKey(incarnation, 0);
        var survivor = fixture.Storage.Reopen();
        await using var checkpoints = await survivor.OpenCheckpointsAsync(key, default);
        Assert.Equal([4L, 3], (await checkpoints.ListAsync(default)).Select(c => c.Operation));
        await using var log = await survivor.OpenLogAsync(key, default);
        Assert.Equal(4, log.FirstOperation);
        Assert.Equal(5, log.NextOperation);
    }

    [Fact]
    public async Task CheckpointsAreTakenByThemselves()
    {
        var config = Fixture.Plain with { Ingestion = new IngestionSettings { CheckpointOperations = 100 } };
        await using var fixture = await Fixture.CreateAsync(config);
        for (ulong id = 0; id < 450; id++)
            await fixture.Collection.WriteAsync(new WriteBatch().Upsert(id, new float[8]), Batches.Wait);
        // Taken beside the work: not always there yet.
        while ((await fixture.Collection.GetInfoAsync()).Partitions[0].Checkpointed < 350)
            await Task.Yield();
    }

    /// <summary>A log whose records are held back until the gate opens.</summary>
    private sealed class HeldLog(IPartitionLog inner) : IPartitionLog
    {
        public TaskCompletionSource Asked { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Gate { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public long NextOperation => inner.NextOperation;

        public long FirstOperation => inner.FirstOperation;

        public string? RecoveryNote => inner.RecoveryNote;

        public long SizeInBytes => inner.SizeInBytes;

        public ValueTask AppendAsync(IReadOnlyList<LogRecord> records, CancellationToken cancellation) =>
            inner.AppendAsync(records, cancellation);

        public async IAsyncEnumerable<LogRecord> ReadAsync(
            long fromOperation, [EnumeratorCancellation] CancellationToken cancellation)
        {
            Asked.TrySetResult();
            await Gate.Task.WaitAsync(cancellation);
            await foreach (var record in inner.ReadAsync(fromOperation, cancellation))
                yield return record;
        }

        public ValueTask TruncateAsync(long beforeOperation, CancellationToken cancellation) =>
            inner.TruncateAsync(beforeOperation, cancellation);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
