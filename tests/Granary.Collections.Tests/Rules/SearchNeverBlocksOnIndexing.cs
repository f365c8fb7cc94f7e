using Granary.Collections.Tests.Support;

namespace Granary.Collections.Tests.Rules;

public sealed class SearchNeverBlocksOnIndexing
{
    [Fact]
    public async Task SearchesAreAnsweredWhileAppendsAreStuckAndNothingIsLinked()
    {
        // A batch that never fills and never gets old: nothing is linked.
        var config = Fixture.Plain with { Ingestion = new IngestionSettings { BatchSize = 1_000_000, BatchDelay = TimeSpan.FromDays(1) } };
        await using var fixture = await Fixture.CreateAsync(config, new DatabaseOptions { Time = new ManualTime() });
        var random = new Random(1);
        var vectors = new List<float[]>();
        for (ulong id = 0; id < 300; id++)
        {
            vectors.Add(Batches.Vector(random));
            await fixture.Collection.WriteAsync(new WriteBatch().Upsert(id, vectors[^1]), Batches.NoWait);
        }

        var held = new TaskCompletionSource();
        fixture.Storage.Faults.AppendGate = _ => held.Task;
        var stuck = fixture.Collection.WriteAsync(new WriteBatch().Upsert(999, new float[8]), Batches.NoWait).AsTask();
        var expected = Enumerable.Range(0, 300).OrderByDescending(i => vectors[i].Zip(vectors[0], (x, y) => x * y).Sum()).First();
        var hits = await fixture.Collection.QueryAsync(new QueryRequest
        {
            Query = new NearestQuery(new DenseInput(vectors[0])),
            Limit = 5,
        });
        Assert.Equal((ulong)expected, hits[0].Id.Number);
        var info = await fixture.Collection.GetInfoAsync();
        Assert.True(info.Partitions[0].Linked < info.Partitions[0].Logged);
        Assert.Equal(CollectionColor.Yellow, info.Color);
        Assert.False(stuck.IsCompleted);
        held.SetResult();
        await stuck;
    }
}
