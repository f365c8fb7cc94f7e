using Granary.Collections.Tests.Support;

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
        var key = new Granary.Collections.Ports.PartitionKey(incarnation, 0);
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
}
