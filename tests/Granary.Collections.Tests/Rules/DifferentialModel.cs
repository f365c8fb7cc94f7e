using Granary.Collections.Tests.Support;

namespace Granary.Collections.Tests.Rules;

/// <summary>Random operations through asynchronous and synchronous indexing and through a plain model.</summary>
public sealed class DifferentialModel
{
    [Theory]
    [InlineData(21, 1)]
    [InlineData(22, 3)]
    [InlineData(23, 1)]
    public async Task EveryExactResultIsTheModels(int seed, int partitions)
    {
        await using var asynchronous = await Fixture.CreateAsync(Fixture.Plain with { Partitions = partitions });
        await using var synchronous = await Fixture.CreateAsync(
            Fixture.Plain with { Partitions = partitions, Ingestion = new IngestionSettings { Mode = IndexingMode.Synchronous } });
        var one = new RandomOperations(seed);
        var two = new RandomOperations(seed);
        var random = new Random(seed);
        for (var i = 0; i < 150; i++)
        {
            await asynchronous.Collection.WriteAsync(one.Next(), Batches.NoWait);
            await synchronous.Collection.WriteAsync(two.Next(), Batches.NoWait);
            if (i % 10 != 0)
                continue;
            if (i % 50 == 40)
                await asynchronous.KillAndRestartAsync();
            if (i % 70 == 60)
                await asynchronous.Collection.RebuildAsync();
            var expected = one.Describe();
            Assert.Equal(expected, RandomOperations.Describe(await asynchronous.AllAsync()));
            Assert.Equal(expected, RandomOperations.Describe(await synchronous.AllAsync()));
            await CompareAsync(asynchronous, synchronous, one, Batches.Vector(random), random.Next(4));
        }
    }

    private static async Task CompareAsync(Fixture asynchronous, Fixture synchronous, RandomOperations model, float[] query, int n)
    {
        var request = new QueryRequest
        {
            Query = new NearestQuery(new DenseInput(query)),
            Filter = Batches.Has("n", n),
            Params = new SearchParams { Exact = true },
            Limit = 10,
        };
        var nearest = model.Model.Where(p => p.Value.N == n && p.Value.Vector is not null)
            .Select(p => (Id: p.Key, Score: Dot(p.Value.Vector!, query))).OrderByDescending(p => p.Score).ThenBy(p => p.Id).Take(10)
                .ToList();
        foreach (var fixture in new[] { asynchronous, synchronous })
        {
            var hits = await fixture.Collection.QueryAsync(request);
            Assert.Equal(nearest.Select(p => p.Id), hits.Select(h => h.Id.Number));
            Assert.All(hits.Zip(nearest), pair => Assert.Equal(pair.Second.Score, pair.First.Score, 1e-4));
            Assert.Equal(model.Model.Count(p => p.Value.N == n), await fixture.Collection.CountAsync(Batches.Has("n", n)));
        }

        var text = new QueryRequest { Query = new NearestQuery(new TextInput("alpha gamma")), Using = "text", Limit = 20 };
        var one = await asynchronous.Collection.QueryAsync(text);
        var two = await synchronous.Collection.QueryAsync(text);
        Assert.Equal(one.Select(h => (h.Id, h.Score)), two.Select(h => (h.Id, h.Score)));
        Assert.All(one, h => Assert.Matches("alpha|gamma", model.Model[h.Id.Number].Text!));

        var every = new TextInput("alpha gamma") { Options = """{"operator":"and"}""" };
        var both = await asynchronous.Collection.QueryAsync(text with { Query = new NearestQuery(every), Limit = model.Model.Count + 1 });
        Assert.Equal(
            model.Model.Where(p => p.Value.Text is { } t && t.Contains("alpha") && t.Contains("gamma")).Select(p => p.Key).Order(),
            both.Select(h => h.Id.Number).Order());
    }

    private static float Dot(float[] a, float[] b) => a.Zip(b, (x, y) => x * y).Sum();
}
