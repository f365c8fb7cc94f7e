using Granary.Collections.Catalog;
using Granary.Collections.Tests.Cluster;
using Granary.Collections.Tests.Support;
using Granary.Index;
using Granary.Storage.Memory;

namespace Granary.Collections.Tests.Querying;

/// <summary>A text query over several partitions takes one round where it can, and answers as it would with two.</summary>
public sealed class KnownStatisticsTests
{
    private const int Partitions = 8;
    private static readonly string[] Words = ["red", "green", "blue", "black", "white", "grey", "old", "new"];

    [Fact]
    public async Task StatisticsAreGatheredOnceAndPointsComeAlong()
    {
        await using var far = await Far.StartAsync();
        await far.FillAsync(200);
        Assert.Equal(2 * Partitions, await far.AskedAsync(() => far.QueryAsync(Text("red old crate"))));
        // Known by their terms, not by their text.
        Assert.Equal(Partitions, await far.AskedAsync(() => far.QueryAsync(Text("crate red red"))));
        Assert.Equal(Partitions, await far.AskedAsync(() => far.QueryAsync(Text("old") with { WithPayload = new(true, [], []) })));
        Assert.Equal(2 * Partitions, await far.AskedAsync(() => far.QueryAsync(Text("old barn"))));
    }

    [Fact]
    public async Task ChangedStatisticsAreNoticedByThePartitionThatTheyChangedIn()
    {
        await using var far = await Far.StartAsync();
        await using var one = await Fixture.CreateAsync(Fixture.Plain);
        await far.FillAsync(120);
        await Far.FillAsync(one.Collection, 120);
        var random = new Random(4);
        for (var round = 0; round < 30; round++)
        {
            var query = Text($"{Words[random.Next(8)]} {Words[random.Next(8)]} {Words[random.Next(8)]}", random.Next(1, 60));
            for (var twice = 0; twice < 2; twice++)
            {
                var expected = await one.Collection.QueryAsync(query);
                var actual = await far.Collection.QueryAsync(query);
                Assert.Equal(expected.Select(h => (h.Id, h.Score)), actual.Select(h => (h.Id, h.Score)));
            }

            var id = (ulong)random.Next(150);
            var batch = () => round % 3 == 0
                ? new WriteBatch().Delete(id) : new WriteBatch().Upsert(id, payload: Far.Payload(random.Next()));
            var seed = random.Next();
            foreach (var collection in new[] { one.Collection, far.Collection })
            {
                random = new Random(seed);
                await collection.WriteAsync(batch(), Batches.Wait);
            }
        }
    }

    [Theory]
    [InlineData(10)]
    [InlineData(40)]
    public async Task WhenAPartitionHasMoreOfTheBestThanItsShareItIsAskedForTheRest(int limit)
    {
        await using var far = await Far.StartAsync();
        await using var one = await Fixture.CreateAsync(Fixture.Plain);
        // The best sixty are all in one partition, and every score is there several times.
        var placement = PlacementTable.Even(Partitions);
        var rank = 0;
        for (ulong id = 0; rank < 60; id++)
        {
            var best = placement.PartitionOf(new PointId(id)) == 3 && rank++ >= 0;
            var text = best ? string.Join(' ', Enumerable.Repeat("red", 1 + (rank % 4))) : "red old blue sack barn";
            foreach (var collection in new[] { one.Collection, far.Collection })
                await collection.WriteAsync(new WriteBatch().Upsert(id, payload: $$"""{"text":"{{text}}"}"""), Batches.NoWait);
        }

        foreach (var collection in new[] { one.Collection, far.Collection })
            Assert.True(await collection.WaitAsync());
        var query = Text("red", limit) with { WithPayload = new(true, [], []) };
        var expected = await one.Collection.QueryAsync(query);
        await far.Collection.QueryAsync(query);
        // One round over all, one more for the partition that may have more; with many hits, one for their points.
        var rounds = Partitions + 1 + (limit > 20 ? 1 : 0);
        Assert.Equal(rounds, await far.AskedAsync(async () =>
        {
            var actual = await far.Collection.QueryAsync(query);
            Assert.Equal(expected.Select(h => (h.Id, h.Score)), actual.Select(h => (h.Id, h.Score)));
            Assert.All(actual, h => Assert.NotNull(h.Payload));
        }));
    }

    private static QueryRequest Text(string text, int limit = 10) => new()
    {
        Query = new NearestQuery(new TextInput(text)),
        Using = "text",
        Limit = limit,
    };

    /// <summary>A collection all of whose partitions are in other processes, with one replica each.</summary>
    private sealed class Far(Fixture fixture, TestCluster cluster) : IAsyncDisposable
    {
        public ICollection Collection => fixture.Collection;

        public static async Task<Far> StartAsync()
        {
            var storage = new MemoryStorage();
            var cluster = new TestCluster(storage, new TestPartitionOptions { Replicas = 1 });
            return new Far(
                await Fixture.CreateAsync(Fixture.Plain with { Partitions = Partitions }, storage: storage, host: cluster), cluster);
        }

        public static string Payload(int seed)
        {
            var random = new Random(seed);
            return $$"""{"text":"{{string.Join(' ', Enumerable.Range(0, random.Next(1, 9)).Select(_ => Words[random.Next(8)]))}}"}""";
        }

        public static async Task FillAsync(ICollection collection, int points)
        {
            var batch = new WriteBatch();
            for (var id = 0; id < points; id++)
                batch.Upsert((ulong)id, payload: Payload(id));
            await collection.WriteAsync(batch, Batches.Wait);
        }

        public Task QueryAsync(QueryRequest query) => Collection.QueryAsync(query).AsTask();

        public Task FillAsync(int points) => FillAsync(Collection, points);

        /// <summary>How many requests to replicas something takes.</summary>
        public async Task<int> AskedAsync(Func<Task> ask)
        {
            var before = Asked();
            await ask();
            return Asked() - before;
        }

        public ValueTask DisposeAsync() => fixture.DisposeAsync();

        private int Asked() => cluster.Partitions.Sum(p => p.Ports.Sum(r => r.Asked));
    }
}
