using Granary.Index.Fusion;
using Granary.Index.Search;

namespace Granary.Index.Tests.Partition;

/// <summary>
/// Ranking by slots gives what ranking by ids gives, to the bit, whether legs were scored ahead or not, old readers included.
/// </summary>
public sealed class ConvexRankingTests
{
    private const int All = 1000;
    private readonly ConvexRanking _ranking = new();
    private readonly List<RankedLeg> _legs = [new(), new(), new(), new()];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void RankingBySlotsIsRankingByIds(int seed)
    {
        var traffic = new Traffic(seed, new Model());
        using var index = new PartitionIndex(Model.Schema);
        var old = new Queue<IndexReader>();
        var ranked = 0;
        for (var step = 0; step < 600; step++)
        {
            traffic.Step(index);
            if (step % 2 == 0)
            {
                using var reader = index.OpenReader();
                ranked += Compare(reader, traffic);
            }

            if (step % 13 == 0)
                old.Enqueue(index.OpenReader());
            if (old.Count > 3)
            {
                using var reader = old.Dequeue();
                ranked += Compare(reader, traffic);
            }

            if (step % 11 == 0)
                index.Link(100, 1, CancellationToken.None);
            if (step % 5 == 0)
                index.Reclaim();
        }

        while (old.TryDequeue(out var reader))
            reader.Dispose();
        Assert.True(ranked > 300, $"{ranked} hits in all");
    }

    [Fact]
    public void OnlyLegsThatAFieldRanksAreTaken()
    {
        using var index = new PartitionIndex(Model.Schema);
        using var reader = index.OpenReader();
        Assert.Throws<ArgumentException>(() => new RankedLeg().Open(reader, new ScanLeg()));
    }

    private int Compare(IndexReader reader, Traffic traffic)
    {
        var random = traffic.Random;
        var legs = new List<Leg>();
        for (var count = random.Next(1, 5); count > 0; count--)
            legs.Add(RandomLeg(traffic));
        var weights = legs.ConvertAll(leg => random.Next(3) == 0 ? random.NextSingle() - 0.2f : ConvexFusion.WeightOf(ScaleOf(leg)));
        var (feedback, limit) = (random.Next(4), random.Next(1, 70));
        var expected = ById(reader, legs, weights, feedback, limit);
        for (var beside = 0; beside < 2; beside++)
        {
            var actual = BySlot(reader, legs, weights, feedback, limit, beside == 1);
            Assert.Equal(
                expected.Select(h => (h.Id, BitConverter.SingleToInt32Bits(h.Score))),
                actual.Select(h => (reader.IdOf(h), BitConverter.SingleToInt32Bits(h.Score))));
            foreach (var hit in actual)
            {
                Assert.True(reader.TryGet(reader.IdOf(hit), VectorSelector.None, out var point));
                Assert.Equal(point!.Operation, reader.VersionOf(hit));
            }
        }

        return expected.Count;
    }

    private List<SlotHit> BySlot(IndexReader reader, List<Leg> legs, List<float> weights, int feedback, int limit, bool beside)
    {
        var used = _legs[..legs.Count];
        for (var i = 0; i < used.Count; i++)
            used[i].Open(reader, legs[i]);
        for (var i = 0; i < used.Count; i++)
        {
            used[i].Search(default);
            if (beside)
                used[i].ScoreAhead(used);
        }

        for (var i = 0; i < used.Count; i++)
            _ranking.Add(used[i], ScaleOf(legs[i]), weights[i]);
        var hits = new List<SlotHit>();
        _ranking.Rank(reader, feedback, limit, hits, default);
        _ranking.Clear();
        used.ForEach(leg => leg.Close());
        return hits;
    }

    private static List<LegHit> ById(IndexReader reader, List<Leg> legs, List<float> weights, int feedback, int limit)
    {
        var fusion = new ConvexFusion();
        var counts = new List<int>();
        for (var i = 0; i < legs.Count; i++)
        {
            var result = reader.Search(legs[i]);
            counts.Add(result.Hits.Count);
            fusion.Add(ScaleOf(legs[i]), weights[i], result.HigherIsBetter, [.. result.Hits]);
        }

        for (var i = 0; i < legs.Count && fusion.Found > 1; i++)
        {
            if (counts[i] > 0)
                reader.Complete(legs[i], fusion.Ids, fusion.Scores(i));
        }

        fusion.Combine();
        if (fusion.Found > 1 && feedback > 0)
        {
            Span<int> places = stackalloc int[feedback];
            var best = new List<PointId>();
            foreach (var place in places[..fusion.Best(places)])
                best.Add(fusion.Ids[place]);
            for (var i = 0; i < legs.Count; i++)
            {
                if (counts[i] > 0 && legs[i] is DenseLeg { Vector: not "multi" } dense)
                    Move(reader, dense, best, fusion.Ids, fusion.Scores(i));
            }

            fusion.Combine();
        }

        var hits = new List<LegHit>();
        fusion.Rank(limit, hits);
        return hits;
    }

    private static void Move(IndexReader reader, DenseLeg leg, List<PointId> best, ReadOnlySpan<PointId> ids, Span<float> scores)
    {
        var distance = Model.Schema.FindDense(leg.Vector)!.Distance;
        var vectors = new List<float[]>();
        foreach (var id in best)
        {
            Assert.True(reader.TryGet(id, new VectorSelector(false, [leg.Vector]), out var point));
            if (!point!.Vectors.IsEmpty)
                vectors.Add(point.Vectors[0].Values);
        }

        if (vectors.Count == 0)
            return;
        var moved = new float[leg.Query.Length];
        Feedback.Begin(distance, leg.Query.Span, moved);
        foreach (var vector in vectors)
            Feedback.Add(distance, vector, vectors.Count, moved);
        var by = reader.Search(new DenseLeg(leg.Vector, moved) { Exact = true, Limit = All }).Hits.ToDictionary(h => h.Id, h => h.Score);
        for (var i = 0; i < scores.Length; i++)
            scores[i] = float.IsNaN(scores[i]) ? float.NaN : by[ids[i]];
    }

    private static LegScale ScaleOf(Leg leg) => leg is DenseLeg ? LegScale.Similarity : LegScale.Lexical;

    private static Leg RandomLeg(Traffic traffic)
    {
        var random = traffic.Random;
        Leg leg = random.Next(8) switch
        {
            0 => new SparseLeg("sparse", [0, 1000, 3000], [1f, 2f, 1f]),
            1 => new DenseLeg("multi", traffic.Floats(4)) { Rows = 2 },
            2 or 3 => new DenseLeg("euclid", traffic.Floats(3)),
            4 or 5 => new DenseLeg("dot", traffic.Floats(4)),
            _ => new TextLeg("body", traffic.Text()) { EveryTerm = random.Next(5) == 0 },
        };
        return leg with
        {
            Limit = random.Next(3) == 0 ? All : random.Next(1, 20),
            Filter = random.Next(3) == 0 ? traffic.RandomFilter() : null,
            ScoreThreshold = random.Next(5) == 0 ? random.Next(0, 4) : null,
        };
    }
}
