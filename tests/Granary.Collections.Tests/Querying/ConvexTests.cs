using System.Text;
using Granary.Collections.Tests.Support;
using Granary.Index;
using Granary.Index.Operations;

namespace Granary.Collections.Tests.Querying;

/// <summary>
/// The quick ways of the convex combination (slots for points, what legs prepared kept, scores ahead, selection for sorting) give what the
/// plain one gives, to the bit.
/// </summary>
public sealed class ConvexTests
{
    private const int All = 100_000;

    private static readonly string[] Words =
        ["red", "green", "blue", "black", "white", "grey", "old", "new", "box", "crate", "sack", "barn", "hay", "oats", "rye", "mill"];

    [Theory]
    [InlineData(1, Distance.Cosine, 9, 1)]
    [InlineData(1, Distance.Cosine, 40, 2)]
    [InlineData(1, Distance.Dot, 17, 3)]
    [InlineData(1, Distance.Euclid, 8, 4)]
    [InlineData(1, Distance.Manhattan, 5, 5)]
    [InlineData(3, Distance.Cosine, 40, 6)]
    [InlineData(3, Distance.Euclid, 9, 7)]
    public async Task RandomCollectionsAreRankedAsByThePlainCombination(int partitions, Distance distance, int size, int seed)
    {
        var random = new Random(seed);
        await using var fixture = await FillAsync(partitions, distance, size, random);
        var vectors = await VectorsAsync(fixture);
        var ranked = 0;
        for (var round = 0; round < 60; round++)
        {
            var request = Request(random, size);
            var convex = (ConvexQuery)request.Query!;
            var legs = new List<PlainLeg>();
            foreach (var prefetch in request.Prefetches)
                legs.Add(await LegAsync(fixture, prefetch, convex, legs.Count, distance, vectors));
            var plain = (await PlainConvex.RankAsync(legs, convex.Feedback)).Take(request.Limit + request.Offset);
            if (request.ScoreThreshold is { } threshold)
                plain = plain.Where(h => h.Score >= threshold);
            var expected = plain.Skip(request.Offset).Select(h => (h.Id, BitConverter.SingleToInt32Bits(h.Score))).ToList();
            var actual = await fixture.Collection.QueryAsync(request);
            Assert.Equal(expected, actual.Select(h => (h.Id, BitConverter.SingleToInt32Bits(h.Score))));
            ranked += expected.Count;
        }

        Assert.True(ranked > 100, $"{ranked} hits in all");
    }

    /// <summary>Threads answer with the memory of queries before, of which some were cancelled midway or refused.</summary>
    [Fact]
    public async Task QueriesAtTheSameTimeAreAnsweredAsOneByOneAlsoAfterCancelledOnes()
    {
        const int Size = 24;
        var random = new Random(8);
        await using var fixture = await FillAsync(1, Distance.Cosine, Size, random);
        var requests = Enumerable.Range(0, 40).Select(_ => Request(random, Size)).ToList();
        var expected = new List<List<(PointId, int)>>();
        foreach (var request in requests)
            expected.Add(Bits(await fixture.Collection.QueryAsync(request)));
        Assert.True(expected.Sum(static hits => hits.Count) > 100);
        var bad = new QueryRequest
        {
            Prefetches = [new Prefetch { Query = requests[0].Prefetches[0].Query, Using = requests[0].Prefetches[0].Using },
                new Prefetch { Query = new NearestQuery(new DenseInput(new float[Size + 1])) }],
            Query = new ConvexQuery([]),
        };
        await Task.WhenAll(Enumerable.Range(0, 4).Select(seed => Task.Run(async () =>
        {
            var own = new Random(seed);
            for (var round = 0; round < 300; round++)
            {
                var number = own.Next(requests.Count);
                if (own.Next(4) == 0)
                    await CancelledAsync(fixture, requests[number]);
                if (own.Next(8) == 0)
                    await Assert.ThrowsAsync<GranaryException>(() => fixture.Collection.QueryAsync(bad).AsTask());
                Assert.Equal(expected[number], Bits(await fixture.Collection.QueryAsync(requests[number])));
            }
        })));
    }

    private static async Task CancelledAsync(Fixture fixture, QueryRequest request)
    {
        using var source = new CancellationTokenSource();
        var cancelling = Task.Run(source.Cancel);
        try
        {
            await fixture.Collection.QueryAsync(request, source.Token);
        }
        catch (OperationCanceledException)
        {
            // It came in time.
        }

        await cancelling;
    }

    private static List<(PointId Id, int Score)> Bits(IReadOnlyList<ScoredPoint> hits) =>
        [.. hits.Select(static h => (h.Id, BitConverter.SingleToInt32Bits(h.Score)))];

    private static QueryRequest Request(Random random, int size)
    {
        var prefetches = new List<Prefetch>();
        foreach (var kind in random.Next(8) switch
        {
            0 => "td",
            1 => "dtf",
            2 => "dt s",
            3 => "fd",
            4 => "st",
            5 => "ttd",
            _ => "dt",
        })
        {
            Query? query = kind switch
            {
                'd' => new NearestQuery(new DenseInput(Vector(random, size))),
                'f' => new NearestQuery(new DenseInput(Vector(random, 4))),
                't' => new NearestQuery(new TextInput(Text(random, random.Next(1, 7)) + (random.Next(4) == 0 ? " unheard" : ""))
                {
                    Options = random.Next(6) == 0 ? """{"operator":"and"}""" : null,
                }),
                's' => new NearestQuery(new SparseInput([1, (uint)random.Next(5, 10)], [1, 2])),
                _ => null,
            };
            if (query is null)
                continue;
            prefetches.Add(new Prefetch
            {
                Query = query,
                Using = kind switch { 'd' => null, 'f' => "few", 't' => "text", _ => "terms" },
                Params = new SearchParams { Exact = true },
                Limit = random.Next(5) switch { 0 => 1, 1 => 400, _ => random.Next(2, 60) },
                Filter = random.Next(4) == 0 ? Batches.Has("group", random.Next(7)) : null,
                ScoreThreshold = random.Next(5) == 0 ? (float)random.NextDouble() * 2 : null,
            });
        }

        return new QueryRequest
        {
            Prefetches = [.. prefetches],
            Query = new ConvexQuery(random.Next(3) == 0 ? [.. prefetches.Select(_ => (float)(random.NextDouble() * 2) - 0.3f)] : [])
            {
                Feedback = random.Next(6) switch { 0 => 0, 1 => 1, 2 => 5, 3 => 16, _ => 2 },
            },
            Limit = random.Next(4) == 0 ? 500 : random.Next(1, 30),
            Offset = random.Next(4) == 0 ? random.Next(9) : 0,
            ScoreThreshold = random.Next(6) == 0 ? 0.4f : null,
        };
    }

    private static async Task<PlainLeg> LegAsync(
        Fixture fixture, Prefetch prefetch, ConvexQuery convex, int number, Distance distance,
        Dictionary<string, Dictionary<PointId, float[]>> vectors)
    {
        var found = await AskAsync(fixture, prefetch);
        var every = await AskAsync(fixture, prefetch with { Limit = All });
        var lexical = prefetch.Using is "text" or "terms";
        var weight = !convex.Weights.IsEmpty ? convex.Weights[number] : lexical ? 1f : 0.55f;
        if (prefetch.Using == "few")
            distance = Distance.Euclid;
        var leg = new PlainLeg(
            found, every.ToDictionary(h => h.Id, h => h.Score), weight, lexical, lexical || distance is Distance.Cosine or Distance.Dot);
        if (lexical)
            return leg;
        var query = ((DenseInput)((NearestQuery)prefetch.Query!).Input).Values.ToArray();
        return leg with
        {
            Dense = (distance, query, vectors[prefetch.Using ?? ""]),
            Ask = async moved => (await AskAsync(fixture, prefetch with
            {
                Query = new NearestQuery(new DenseInput(moved)),
                Filter = null,
                ScoreThreshold = null,
                Limit = All,
            })).ToDictionary(h => h.Id, h => h.Score),
        };
    }

    private static async Task<List<(PointId Id, float Score)>> AskAsync(Fixture fixture, Prefetch prefetch)
    {
        var hits = await fixture.Collection.QueryAsync(new QueryRequest
        {
            Query = prefetch.Query,
            Using = prefetch.Using,
            Params = prefetch.Params,
            Filter = prefetch.Filter,
            ScoreThreshold = prefetch.ScoreThreshold,
            Limit = prefetch.Limit,
        });
        return [.. hits.Select(h => (h.Id, h.Score))];
    }

    private static async Task<Dictionary<string, Dictionary<PointId, float[]>>> VectorsAsync(Fixture fixture)
    {
        var vectors = new Dictionary<string, Dictionary<PointId, float[]>> { [""] = [], ["few"] = [] };
        foreach (var point in await fixture.AllAsync())
        {
            foreach (var vector in point.Vectors!.Value)
            {
                if (vectors.TryGetValue(vector.Name, out var byId))
                    byId[point.Id] = vector.Values.ToArray();
            }
        }

        return vectors;
    }

    /// <summary>Points of which some have no vector or no text, some are equal, some were changed, and some deleted.</summary>
    private static async Task<Fixture> FillAsync(int partitions, Distance distance, int size, Random random)
    {
        var fixture = await Fixture.CreateAsync(new CollectionConfig
        {
            Schema = new IndexSchema
            {
                Dense = [new DenseVectorSchema("", size, distance), new DenseVectorSchema("few", 4, Distance.Euclid)],
                Sparse = [new SparseVectorSchema("terms", true)],
                Text = [new TextFieldSchema("text", "text")],
            },
            Partitions = partitions,
        });
        for (var batches = 0; batches < 4; batches++)
        {
            var batch = new WriteBatch();
            for (var i = 0; i < 150; i++)
                Put(batch, random, size);
            await fixture.Collection.WriteAsync(batch, Batches.Wait);
        }

        var changes = new WriteBatch();
        for (ulong id = 0; id < 300; id += 7)
            changes.Delete(id).SetPayload(id + 1, """{"group":1}""");
        await fixture.Collection.WriteAsync(changes, Batches.Wait);
        Assert.True(await fixture.Collection.WaitAsync());
        return fixture;
    }

    private static void Put(WriteBatch batch, Random random, int size)
    {
        var operations = batch.Operations;
        operations.Begin(OperationKind.Upsert, new PointId((ulong)random.Next(400)));
        var text = random.Next(8) == 0 ? "" : Text(random, random.Next(1, 12));
        operations.Payload(Encoding.UTF8.GetBytes($$"""{"group":{{random.Next(6)}},"text":"{{text}}"}"""));
        if (random.Next(8) != 0)
            operations.Dense("", Vector(random, size));
        if (random.Next(3) != 0)
            operations.Dense("few", Vector(random, 4));
        if (random.Next(3) != 0)
            operations.Sparse("terms", [1, 3, (uint)random.Next(5, 10)], [(float)random.NextDouble(), 1, 2]);
        operations.End();
    }

    private static float[] Vector(Random random, int size)
    {
        // Few values, so that there are equal scores.
        var coarse = random.Next(3) == 0;
        return [.. Enumerable.Range(0, size).Select(_ => coarse ? random.Next(-1, 2) : (float)((random.NextDouble() * 2) - 1))];
    }

    private static string Text(Random random, int words) =>
        string.Join(' ', Enumerable.Range(0, words).Select(_ => Words[(int)(Words.Length * random.NextDouble() * random.NextDouble())]));
}
