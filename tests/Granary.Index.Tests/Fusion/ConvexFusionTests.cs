using Granary.Index.Fusion;
using Granary.Index.Search;

namespace Granary.Index.Tests.Fusion;

public sealed class ConvexFusionTests
{
    [Fact]
    public void ScoresAreNormalisedWeightedAndSummed()
    {
        var fusion = new ConvexFusion();
        fusion.Add(LegScale.Lexical, 1f, true, List((1, 8f), (2, 4f)));
        fusion.Add(LegScale.Similarity, 0.6f, true, List((2, 0.9f), (3, 0.5f)));
        fusion.Scores(1)[0] = 0.1f;
        fusion.Scores(0)[2] = 2f;
        fusion.Combine();
        var fused = Rank(fusion);
        Assert.Equal([2UL, 1UL, 3UL], fused.Select(h => h.Id.Number));
        // 1: (1 + 0.6 * (0.1 - 0.5) / 0.4) / 1.6; 2: (0.25 + 0.6) / 1.6; 3: 0.0625 / 1.6.
        Assert.Equal(0.4f / 1.6f, Score(fused, 1), 1e-6f);
        Assert.Equal(0.85f / 1.6f, Score(fused, 2), 1e-6f);
        Assert.Equal(0.0625f / 1.6f, Score(fused, 3), 1e-6f);
    }

    [Fact]
    public void TheBestOfEveryLegScoresOne()
    {
        var fusion = new ConvexFusion();
        fusion.Add(LegScale.Lexical, 1f, true, List((5, 12f), (6, 3f)));
        fusion.Add(LegScale.Similarity, 0.6f, false, List((5, 0.25f), (7, 3f)));
        fusion.Combine();
        Assert.Equal((5UL, 1f), (Rank(fusion)[0].Id.Number, Rank(fusion)[0].Score));
    }

    [Fact]
    public void ALegAloneKeepsItsOrderWhateverTheOthersWeights()
    {
        foreach (var scale in Enum.GetValues<LegScale>())
        {
            var fusion = new ConvexFusion();
            // Scores so near each other that their squares are the same number.
            var hits = List((9, 1.0000001f), (3, 1f), (8, 0.99999994f), (1, -4f));
            fusion.Add(LegScale.Lexical, 3f, true, []);
            fusion.Add(scale, 0.5f, true, hits);
            fusion.Combine();
            Assert.Equal([9UL, 3UL, 8UL, 1UL], Rank(fusion).Select(h => h.Id.Number));
            Assert.Equal(1f, Rank(fusion)[0].Score);
        }
    }

    [Fact]
    public void NothingFoundGivesNothing()
    {
        var fusion = new ConvexFusion();
        fusion.Add(LegScale.Lexical, 1f, true, []);
        fusion.Add(LegScale.Similarity, 1f, true, []);
        fusion.Combine();
        Assert.Empty(Rank(fusion));
    }

    [Fact]
    public void EqualScoresAreOrderedById()
    {
        var fusion = new ConvexFusion();
        fusion.Add(LegScale.Lexical, 1f, true, List((8, 2f), (2, 2f), (5, 2f)));
        fusion.Add(LegScale.Similarity, 1f, true, List((5, 1f), (2, 1f), (8, 1f)));
        fusion.Combine();
        Assert.Equal([2UL, 5UL, 8UL], Rank(fusion).Select(h => h.Id.Number));
        Assert.Equal([2UL], Rank(fusion, 1).Select(h => h.Id.Number));
    }

    [Fact]
    public void AHitThatLostItsScoreCountsAsTheLegsLast()
    {
        var fusion = new ConvexFusion();
        fusion.Add(LegScale.Similarity, 0.6f, true, List((1, 0.9f), (2, 0.5f)));
        fusion.Add(LegScale.Lexical, 1f, true, List((1, 8f), (2, 4f)));
        fusion.Scores(0)[1] = float.NaN;
        fusion.Combine();
        Assert.Equal((1UL, 1f), (Rank(fusion)[0].Id.Number, Rank(fusion)[0].Score));
        Assert.Equal(0.25f / 1.6f, Score(Rank(fusion), 2), 1e-6f);
        fusion.Scores(0).Fill(float.NaN);
        fusion.Combine();
        Assert.Equal([1UL, 2UL], Rank(fusion).Select(h => h.Id.Number));
        Assert.Equal(1f / 1.6f, Rank(fusion)[0].Score, 1e-6f);
    }

    [Theory]
    [InlineData(float.PositiveInfinity, 3f, 2f)]
    [InlineData(3f, 2f, float.NegativeInfinity)]
    [InlineData(float.PositiveInfinity, float.PositiveInfinity, float.NegativeInfinity)]
    [InlineData(3e38f, 0f, -3e38f)]
    [InlineData(float.Epsilon, 0f, -float.Epsilon)]
    [InlineData(0f, 0f, -1f)]
    public void ScoresBeyondEveryBoundAreFusedInTheirOrder(float first, float second, float third)
    {
        foreach (var (scale, sign) in new[] { (LegScale.Similarity, 1f), (LegScale.Similarity, -1f), (LegScale.Lexical, 1f) })
        {
            var fusion = new ConvexFusion();
            fusion.Add(scale, float.MaxValue, sign > 0, List((1, sign * first), (2, sign * second), (3, sign * third)));
            fusion.Add(LegScale.Similarity, float.MaxValue, true, List((1, 0.3f), (2, 0.2f), (3, 0.1f)));
            fusion.Combine();
            Assert.Equal([1UL, 2UL, 3UL], Rank(fusion).Select(h => h.Id.Number));
            Assert.Equal(1f, Rank(fusion)[0].Score);
            Assert.All(Rank(fusion), hit => Assert.InRange(hit.Score, -1f, 1f));
        }
    }

    [Theory]
    [InlineData(1f)]
    [InlineData(-1f)]
    public void NearlyEqualHitsAreRankedAsEqualOnes(float sign)
    {
        var rankings = new List<ulong[]>();
        foreach (var best in new[] { 0.9f, float.BitIncrement(0.9f), 0.9f + (sign * 1e-6f) })
        {
            var fusion = new ConvexFusion();
            fusion.Add(LegScale.Similarity, 0.6f, sign > 0, List((1, best), (2, 0.9f)));
            fusion.Add(LegScale.Lexical, 1f, true, List((3, 7f)));
            fusion.Scores(0)[2] = 0.9f - (sign * 0.05f);
            fusion.Combine();
            rankings.Add([.. Rank(fusion).Select(h => h.Id.Number)]);
            Assert.Equal(0.6f / 1.6f, Score(Rank(fusion), 1), 1e-3f);
            Assert.Equal(0.6f / 1.6f, Score(Rank(fusion), 2), 1e-3f);
            Assert.Equal(0.4f / 1.6f, Score(Rank(fusion), 3), 1e-3f);
        }

        Assert.Equal(rankings[0], rankings[2]);
    }

    [Fact]
    public void APointRisesWithItsScoreInAnyLeg()
    {
        var random = new Random(3);
        for (var round = 0; round < 300; round++)
        {
            var text = Scores(random, 20, 10f);
            var dense = Scores(random, 20, 1f);
            var before = Fuse(text, dense);
            var raised = random.Next(1, 20);
            var leg = round % 2 == 0 ? text : dense;
            // Below the best, which sets the scale; the worst sets the zero of the dense leg.
            if (leg[raised] == leg.Min())
                continue;
            leg[raised] += (leg.Max() - leg[raised]) * random.NextSingle();
            var after = Fuse(text, dense);
            Assert.True(Place(after, raised) <= Place(before, raised));
            Assert.True(Score(after, (ulong)raised) >= Score(before, (ulong)raised) - 1e-6f);
        }
    }

    [Fact]
    public void TheOrderOfLegsAndAddedHitsChangesNothing()
    {
        var random = new Random(8);
        var text = Hits(Scores(random, 30, 10f), 20);
        var dense = Hits(Scores(random, 30, 1f), 20);
        var one = new ConvexFusion();
        one.Add(LegScale.Lexical, 1f, true, text);
        one.Add(LegScale.Similarity, 0.6f, true, dense);
        one.Combine();
        var other = new ConvexFusion();
        other.Add(LegScale.Similarity, 0.6f, true, dense);
        other.Clear();
        other.Add(LegScale.Similarity, 0.6f, true, dense);
        other.Add(LegScale.Lexical, 1f, true, text);
        other.Combine();
        Assert.Equal(Rank(one), Rank(other));
    }

    [Fact]
    public void TheBestPlacesAreTheRankingsFirst()
    {
        var random = new Random(4);
        var fusion = new ConvexFusion();
        fusion.Add(LegScale.Similarity, 1f, true, Hits(Scores(random, 40, 1f), 40));
        fusion.Add(LegScale.Similarity, 1f, false, Hits(Scores(random, 40, 1f), 40));
        fusion.Combine();
        Span<int> best = stackalloc int[5];
        Assert.Equal(5, fusion.Best(best));
        var expected = Rank(fusion);
        for (var i = 0; i < best.Length; i++)
            Assert.Equal(expected[i].Id, fusion.Ids[best[i]]);
    }

    [Fact]
    public void MemoryIsKeptForTheNextButNotThatOfVeryMany()
    {
        var few = Hits(Scores(new Random(6), 1000, 1f), 1000);
        var many = Hits(Scores(new Random(6), 100_000, 1f), 100_000);
        var ranking = new List<LegHit>(many.Count);
        var fusion = new ConvexFusion();
        Use(few);
        Assert.InRange(Use(few), 0, 2_000);
        Use(many);
        Assert.InRange(Use(many), 1_000_000, long.MaxValue);

        long Use(List<LegHit> hits)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            fusion.Add(LegScale.Lexical, 1f, true, hits);
            fusion.Add(LegScale.Similarity, 1f, true, hits);
            fusion.Combine();
            fusion.Rank(int.MaxValue, ranking);
            Assert.Equal(hits.Count, ranking.Count);
            ranking.Clear();
            fusion.Clear();
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    [Theory]
    [InlineData(Distance.Cosine, 0.75f, 0.25f)]
    [InlineData(Distance.Dot, 0.75f, 0.25f)]
    [InlineData(Distance.Euclid, 2f, 0.5f)]
    [InlineData(Distance.Manhattan, 2f, 0.5f)]
    public void FeedbackIsHalfTheQueryAndHalfTheMeanOfThePoints(Distance distance, float first, float second)
    {
        Span<float> moved = stackalloc float[2];
        Feedback.Begin(distance, [3f, 0f], moved);
        Feedback.Add(distance, [0f, 2f], 2, moved);
        Feedback.Add(distance, [2f, 0f], 2, moved);
        Assert.Equal([first, second], moved.ToArray());
    }

    [Fact]
    public void AVectorWithoutLengthMovesNothing()
    {
        Span<float> moved = stackalloc float[2];
        Feedback.Begin(Distance.Cosine, [0f, 0f], moved);
        Feedback.Add(Distance.Cosine, [0f, 0f], 1, moved);
        Assert.Equal([0f, 0f], moved.ToArray());
    }

    private static List<LegHit> Fuse(float[] text, float[] dense)
    {
        var fusion = new ConvexFusion();
        fusion.Add(LegScale.Lexical, 1f, true, Hits(text, 12));
        fusion.Add(LegScale.Similarity, 0.6f, true, Hits(dense, text.Length));
        var scores = fusion.Scores(0);
        for (var i = 0; i < scores.Length; i++)
            scores[i] = text[(int)fusion.Ids[i].Number];
        fusion.Combine();
        return Rank(fusion);
    }

    private static float[] Scores(Random random, int count, float scale) =>
        [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() * scale)];

    private static List<LegHit> Hits(float[] scores, int count) =>
        [.. scores.Select((score, id) => new LegHit(new PointId((ulong)id), score)).OrderByDescending(h => h.Score).Take(count)];

    private static int Place(List<LegHit> hits, int id) => hits.FindIndex(h => h.Id.Number == (ulong)id);

    private static float Score(List<LegHit> hits, ulong id) => hits.Single(h => h.Id.Number == id).Score;

    private static List<LegHit> Rank(ConvexFusion fusion, int limit = int.MaxValue)
    {
        var hits = new List<LegHit>();
        fusion.Rank(limit, hits);
        return hits;
    }

    private static List<LegHit> List(params (ulong Id, float Score)[] hits) =>
        [.. hits.Select(h => new LegHit(new PointId(h.Id), h.Score))];
}
