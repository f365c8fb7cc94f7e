using Granary.Collections.Querying;
using Granary.Index;
using Granary.Index.Search;

namespace Granary.Collections.Tests.Querying;

public sealed class MmrTests
{
    [Theory]
    [InlineData(1_000_000, null, 16_384)]
    [InlineData(1_000_000, 500_000, 16_384)]
    [InlineData(10, 200, 200)]
    [InlineData(10, null, 10)]
    public void CandidatesAreLimited(int limit, int? candidates, int expected)
    {
        var schema = new IndexSchema { Dense = [new DenseVectorSchema("", 2, Distance.Dot)] };
        var planner = new QueryPlanner("c", schema, new ResolvedInputs(), 0);
        var plan = planner.Plan(
            new QueryRequest
            {
                Query = new NearestQuery(new DenseInput(new float[] { 1, 0 })) { Mmr = new MmrSettings(null, candidates) },
                Limit = limit,
            }, []);
        Assert.Equal(expected, Assert.IsType<LegNode>(Assert.IsType<MmrNode>(plan).Children[0]).Leg.Limit);
    }

    [Fact]
    public void ChoosingStopsWhenItIsCancelled()
    {
        var hits = Enumerable.Range(0, 10).Select(i => new LegHit(new PointId((ulong)i), 1)).ToList();
        var points = hits.Select(h => new PointRecord(h.Id, 1) { Vectors = [new NamedVector("", [1, 0])] }).ToList();
        var node = new MmrNode("", new ExampleVector(new float[] { 1, 0 }), 0.5f, 5);
        Assert.Throws<OperationCanceledException>(
            () => Mmr.Pick(new Ranking(hits, RankingOrder.HigherScore), points, node, Distance.Dot, new CancellationToken(true)));
    }
}
