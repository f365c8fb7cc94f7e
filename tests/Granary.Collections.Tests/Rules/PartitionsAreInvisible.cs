using Granary.Collections.Partitions;
using Granary.Collections.Tests.Cluster;
using Granary.Collections.Tests.Support;
using Granary.Index;
using Granary.Storage.Memory;

namespace Granary.Collections.Tests.Rules;

public sealed class PartitionsAreInvisible
{
    private static readonly string[] Words =
        ["red", "green", "blue", "black", "white", "grey", "old", "new", "box", "crate", "sack", "barn"];

    [Fact]
    public async Task ResultsScoresAndOrderAreThoseOfOnePartition()
    {
        await using var one = await FillAsync(1);
        await using var two = await FillAsync(2);
        await using var eight = await FillAsync(8);
        foreach (var query in Queries())
        {
            var expected = await one.Collection.QueryAsync(query);
            Assert.NotEmpty(expected);
            foreach (var many in new[] { two, eight })
            {
                // The second time the statistics of the texts are known.
                for (var time = 0; time < 2; time++)
                {
                    var actual = await many.Collection.QueryAsync(query);
                    Assert.Equal(expected.Select(h => (h.Id, h.Score)), actual.Select(h => (h.Id, h.Score)));
                    Assert.Equal(expected.SelectMany(h => h.Legs), actual.SelectMany(h => h.Legs));
                }
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(8)]
    public async Task ResultsOfPartitionsInOtherProcessesAreThoseOfOneHere(int partitions)
    {
        await using var here = await FillAsync(1);
        var storage = new MemoryStorage();
        await using var there = await FillAsync(partitions, storage, new TestCluster(storage, new TestPartitionOptions()));
        foreach (var query in Queries())
        {
            var expected = await here.Collection.QueryAsync(query);
            for (var time = 0; time < 2; time++)
            {
                var actual = await there.Collection.QueryAsync(query);
                Assert.Equal(expected.Select(h => (h.Id, h.Score)), actual.Select(h => (h.Id, h.Score)));
                Assert.Equal(expected.SelectMany(h => h.Legs), actual.SelectMany(h => h.Legs));
            }
        }

        foreach (var fixture in new[] { here, there })
            await fixture.Collection.CreatePayloadIndexAsync(new PayloadIndexSchema("group", PayloadIndexType.Integer), Batches.Wait);
        Assert.Equal(
            await here.Collection.FacetAsync("group", null, 3, true), await there.Collection.FacetAsync("group", null, 3, true));
        Assert.Equal(
            await here.Collection.CountAsync(Batches.Has("group", 3)), await there.Collection.CountAsync(Batches.Has("group", 3)));
    }

    [Fact]
    public async Task PagesCountsAndFacetsAreThoseOfOnePartition()
    {
        await using var one = await FillAsync(1);
        await using var eight = await FillAsync(8);
        foreach (var fixture in new[] { one, eight })
            await fixture.Collection.CreatePayloadIndexAsync(new PayloadIndexSchema("group", PayloadIndexType.Integer), Batches.Wait);
        PointId? next = null;
        do
        {
            var request = new ScrollRequest { Offset = next, Limit = 7 };
            var expected = await one.Collection.ScrollAsync(request);
            var actual = await eight.Collection.ScrollAsync(request);
            Assert.Equal(expected.Points.Select(p => p.Id), actual.Points.Select(p => p.Id));
            Assert.Equal(expected.Next, actual.Next);
            next = expected.Next;
        }
        while (next is not null);
        var ordered = new ScrollRequest { OrderBy = new OrderByQuery("group", true, null), Limit = 40 };
        Assert.Equal((await one.Collection.ScrollAsync(ordered)).Points.Select(p => p.Id),
            (await eight.Collection.ScrollAsync(ordered)).Points.Select(p => p.Id));
        var filter = Batches.Has("group", 3);
        Assert.Equal(await one.Collection.CountAsync(filter), await eight.Collection.CountAsync(filter));
        Assert.Equal(await one.Collection.FacetAsync("group", null, 3, true), await eight.Collection.FacetAsync("group", null, 3, true));
        var groups = new GroupRequest(Queries().First(), "group", 2, 4);
        Assert.Equal(
            (await one.Collection.QueryGroupsAsync(groups)).Select(g => (g.Value, string.Join(",", g.Hits.Select(h => h.Id)))),
            (await eight.Collection.QueryGroupsAsync(groups)).Select(g => (g.Value, string.Join(",", g.Hits.Select(h => h.Id)))));
    }

    private static IEnumerable<QueryRequest> Queries()
    {
        var random = new Random(5);
        var exact = new SearchParams { Exact = true };
        var dense = new NearestQuery(new DenseInput(Batches.Vector(random)));
        var text = new NearestQuery(new TextInput("old red crate"));
        var every = new NearestQuery(new TextInput("red crate") { Options = """{"operator":"and"}""" });
        var sparse = new NearestQuery(new SparseInput([1, 3, 7], [1, 2, 0.5f]));
        yield return new QueryRequest { Query = dense, Params = exact, Limit = 20 };
        yield return new QueryRequest { Query = text, Using = "text", Limit = 20 };
        yield return new QueryRequest { Query = every, Using = "text", Limit = 20 };
        Prefetch[] some = [new Prefetch { Query = dense, Params = exact, Limit = 60 }];
        yield return new QueryRequest { Prefetches = [.. some], Query = every, Using = "text" };
        yield return new QueryRequest { Query = sparse, Using = "terms", Limit = 20 };
        yield return new QueryRequest { Query = dense, Params = exact, Filter = Batches.Has("group", 2), Limit = 9, Offset = 3 };
        Prefetch[] both =
        [
            new Prefetch { Query = dense, Params = exact, Limit = 30 },
            new Prefetch { Query = text, Using = "text", Limit = 30 },
        ];
        foreach (var fusion in new Query[] { new RrfQuery(60, []), new RrfQuery(2, [3, 1]), new DbsfQuery(),
            new WeightedSumQuery([0.3f, 0.7f]), new ConvexQuery([]), new ConvexQuery([1, 2]) { Feedback = 0 },
            new ConvexQuery([]) { Feedback = 5 } })
        {
            // What is explained is answered by another path where there is one partition, and must be the same.
            yield return new QueryRequest { Prefetches = [.. both], Query = fusion, Limit = 15, Explain = true };
            yield return new QueryRequest { Prefetches = [.. both], Query = fusion, Limit = 15 };
            yield return new QueryRequest { Prefetches = [.. both], Query = fusion, Limit = 7, Offset = 4, ScoreThreshold = 0.015f };
        }

        foreach (var fusion in new Query[] { new ConvexQuery([]), new ConvexQuery([]) { Feedback = 0 }, new RrfQuery(60, []) })
        {
            Prefetch[] all = [both[0], new Prefetch { Query = every, Using = "text", Limit = 30 }];
            yield return new QueryRequest { Prefetches = [.. all], Query = fusion, Limit = 40, Explain = true };
            yield return new QueryRequest { Prefetches = [.. all], Query = fusion, Limit = 40 };
        }

        yield return new QueryRequest
        {
            Prefetches =
            [
                both[0] with { Filter = Batches.Has("group", 2), Limit = 8 },
                both[1] with { ScoreThreshold = 0.5f, Limit = 8 },
                new Prefetch { Query = sparse, Using = "terms", Limit = 12 },
            ],
            Query = new ConvexQuery([]),
            Limit = 20,
        };
        yield return new QueryRequest
        {
            Prefetches =
            [
                new Prefetch { Prefetches = [.. both], Query = new ConvexQuery([]), Limit = 12 },
                new Prefetch { Prefetches = [both[1]], Query = dense, Params = exact, Limit = 12 },
                both[1],
            ],
            Query = new ConvexQuery([]),
            Limit = 10,
        };
        yield return new QueryRequest
        {
            Prefetches =
            [
                new Prefetch { Prefetches = [.. both], Query = new RrfQuery(2, []), Limit = 12 },
                new Prefetch { Query = sparse, Using = "terms", Limit = 12 },
            ],
            Query = new RrfQuery(2, []),
            Limit = 10,
        };
        yield return new QueryRequest { Prefetches = [both[1]], Query = dense, Params = exact, Limit = 10 };
        yield return new QueryRequest { Prefetches = [both[0]], Query = text, Using = "text", Limit = 10 };
        yield return new QueryRequest
        {
            Prefetches = [.. both],
            Query = new FormulaQuery(
                new FormulaExpression("sum")
                {
                    Operands =
                    [
                        new FormulaExpression("variable") { Variable = "$score[1]" },
                        new FormulaExpression("variable") { Variable = "group" },
                        new FormulaExpression("condition") { Condition = Batches.Has("group", 1) },
                    ],
                },
                System.Collections.Immutable.ImmutableDictionary<string, string>.Empty),
            Limit = 10,
        };
        yield return new QueryRequest { Query = dense with { Mmr = new MmrSettings(0.5f, 30) }, Params = exact, Limit = 10 };
        yield return new QueryRequest
        {
            Query = new RecommendQuery([new PointInput(new PointId(3))], [new PointInput(new PointId(4))], RecommendStrategy.AverageVector),
            Params = exact,
        };
        yield return new QueryRequest
        {
            Query = new RecommendQuery([new PointInput(new PointId(3))], [new PointInput(new PointId(4))], RecommendStrategy.BestScore),
            Params = exact,
        };
        foreach (var strategy in new[] { RecommendStrategy.BestScore, RecommendStrategy.SumScores })
        {
            var recommend = new RecommendQuery(
                [new SparseInput([1, 6], [1, 2]), new PointInput(new PointId(3))], [new SparseInput([8], [1])], strategy);
            yield return new QueryRequest { Query = recommend, Using = "terms", Limit = 20 };
        }

        var discover = new DiscoverQuery(
            new SparseInput([3, 7], [1, 1]), [new ContextPair(new SparseInput([1, 5], [1, 1]), new SparseInput([9], [2]))]);
        yield return new QueryRequest { Query = discover, Using = "terms", Limit = 20 };
        yield return new QueryRequest { Limit = 25 };
    }

    private static async Task<Fixture> FillAsync(int partitions, MemoryStorage? storage = null, IPartitionHost? host = null)
    {
        var fixture = await Fixture.CreateAsync(Fixture.Plain with { Partitions = partitions }, storage: storage, host: host);
        var random = new Random(9);
        var batch = new WriteBatch();
        for (ulong id = 0; id < 300; id++)
        {
            var text = string.Join(' ', Enumerable.Range(0, random.Next(2, 9)).Select(_ => Words[random.Next(Words.Length)]));
            batch.Operations.Begin(Granary.Index.Operations.OperationKind.Upsert, new PointId(id));
            batch.Operations.Payload(System.Text.Encoding.UTF8.GetBytes($$"""{"group":{{id % 6}},"text":"{{text}}"}"""));
            batch.Operations.Dense("", Batches.Vector(random));
            batch.Operations.Sparse("terms", [1, 3, (uint)random.Next(5, 10)], [(float)random.NextDouble(), 1, 2]);
            batch.Operations.End();
        }

        await fixture.Collection.WriteAsync(batch, Batches.Wait);
        // Statistics must follow deletes.
        await fixture.Collection.WriteAsync(new WriteBatch().DeleteWhere(Batches.Has("group", 5)), Batches.Wait);
        Assert.True(await fixture.Collection.WaitAsync());
        return fixture;
    }
}
