using Granary.Index.Fusion;
using Granary.Index.Search;

namespace Granary.Index.Tests.Fusion;

public sealed class RankFusionTests
{
    [Fact]
    public void RrfGivesHalfToTheFirstOfOneList()
    {
        var fused = RankFusion.Rrf([List((1, 0.9f), (2, 0.1f))]);
        Assert.Equal([(1UL, 0.5f), (2UL, 1f / 3)], Read(fused));
    }

    [Fact]
    public void RrfAddsWhatEveryListGivesAndBreaksTiesById()
    {
        var fused = RankFusion.Rrf([List((7, 9f), (3, 8f)), List((3, 5f), (7, 4f)), List((1, 1f))]);
        Assert.Equal([(3UL, 0.5f + (1f / 3)), (7UL, 0.5f + (1f / 3)), (1UL, 0.5f)], Read(fused));
    }

    [Theory]
    [InlineData(0, 2, 1f, 0.5f)]
    [InlineData(2, 2, 3f, 0.5f)]
    [InlineData(0, 60, 1f, 1f / 60)]
    [InlineData(4, 2, 0f, 0f)]
    [InlineData(4, 2, -1f, 0f)]
    public void APositionCountsAsQdrantSays(int position, int k, float weight, float expected) =>
        Assert.Equal(expected, RankFusion.PositionScore(position, k, weight));

    [Fact]
    public void WeightsMustBeAsManyAsLists()
    {
        var error = Assert.Throws<GranaryException>(() => RankFusion.Rrf([List((1, 1f))], weights: [1f, 2f]));
        Assert.Equal("Number of weights in RRF should match number of pre-fetches: got 2, expected 1", error.Message);
    }

    [Fact]
    public void DbsfMapsThreeDeviationsToZeroAndOne()
    {
        var fused = RankFusion.Dbsf([List((1, 3f), (2, 2f), (3, 1f))]);
        Assert.Equal([(1UL, 4f / 6), (2UL, 0.5f), (3UL, 2f / 6)], Read(fused));
    }

    [Fact]
    public void DbsfGivesHalfToASingleHitAndToHitsAllAlike()
    {
        var fused = RankFusion.Dbsf([List((9, 100f)), List((1, 2f), (2, 2f))]);
        Assert.Equal([(1UL, 0.5f), (2UL, 0.5f), (9UL, 0.5f)], Read(fused));
    }

    [Fact]
    public void WeightedSumMapsWorstAndBestToZeroAndOneWhicheverWayIsBetter()
    {
        var fused = RankFusion.WeightedSum([List((1, 10f), (2, 6f), (3, 2f)), List((3, 1f), (1, 3f))], [1f, 2f], [false, true]);
        Assert.Equal([(3UL, 2f), (1UL, 1f), (2UL, 0.5f)], Read(fused));
    }

    [Fact]
    public void OnlyTheBestAreKept() => Assert.Equal([(1UL, 0.5f)], Read(RankFusion.Rrf([List((1, 9f), (2, 8f))], limit: 1)));

    private static LegHit[] List(params (ulong Id, float Score)[] hits) => [.. hits.Select(h => new LegHit(new PointId(h.Id), h.Score))];

    private static (ulong Id, float Score)[] Read(List<LegHit> hits) => [.. hits.Select(h => (h.Id.Number, h.Score))];
}
