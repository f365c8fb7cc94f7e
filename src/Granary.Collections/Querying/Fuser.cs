using System.Collections.Immutable;
using Granary.Index;
using Granary.Index.Search;

namespace Granary.Collections.Querying;

/// <summary>Makes one ranking of several.</summary>
internal static class Fuser
{
    public static Ranking Fuse(Query fusion, IReadOnlyList<Ranking> legs)
    {
        var scores = new Dictionary<PointId, float>();
        for (var i = 0; i < legs.Count; i++)
        {
            switch (fusion)
            {
                case RrfQuery rrf:
                    Rrf(legs[i], rrf.K, Weight(rrf.Weights, i), scores);
                    break;
                case DbsfQuery:
                    Dbsf(legs[i], scores);
                    break;
                case WeightedSumQuery sum:
                    Weighted(legs[i], Weight(sum.Weights, i), scores);
                    break;
            }
        }

        var hits = scores.Select(s => new LegHit(s.Key, s.Value)).ToList();
        hits.Sort(Ranking.Comparer(RankingOrder.HigherScore));
        return new Ranking(hits, RankingOrder.HigherScore);
    }

    private static float Weight(ImmutableArray<float> weights, int i) => weights.IsDefaultOrEmpty ? 1 : weights[i];

    private static void Add(Dictionary<PointId, float> scores, PointId id, float score) => scores[id] = scores.GetValueOrDefault(id) + score;

    private static void Rrf(Ranking leg, int k, float weight, Dictionary<PointId, float> scores)
    {
        for (var rank = 0; rank < leg.Hits.Count; rank++)
            Add(scores, leg.Hits[rank].Id, weight <= 0 ? 0 : 1 / (((rank + 1) / weight) + k - 1));
    }

    private static void Dbsf(Ranking leg, Dictionary<PointId, float> scores)
    {
        var sign = leg.HigherIsBetter ? 1f : -1f;
        var mean = leg.Hits.Count == 0 ? 0 : leg.Hits.Average(h => sign * h.Score);
        var variance = leg.Hits.Count < 2 ? 0 : leg.Hits.Sum(h => ((sign * h.Score) - mean) * ((sign * h.Score) - mean)) / (leg.Hits.Count - 1);
        var deviation = MathF.Sqrt((float)variance);
        foreach (var hit in leg.Hits)
            Add(scores, hit.Id, deviation == 0 ? 0.5f : ((sign * hit.Score) - (mean - (3 * deviation))) / (6 * deviation));
    }

    private static void Weighted(Ranking leg, float weight, Dictionary<PointId, float> scores)
    {
        if (leg.Hits.Count == 0)
            return;
        var (low, high) = (leg.Hits.Min(h => h.Score), leg.Hits.Max(h => h.Score));
        foreach (var hit in leg.Hits)
        {
            var score = high == low ? 1 : (hit.Score - low) / (high - low);
            Add(scores, hit.Id, weight * (leg.HigherIsBetter || high == low ? score : 1 - score));
        }
    }
}
