using Granary.Index.Fusion;
using Granary.Index.Search;

namespace Granary.Collections.Querying;

/// <summary>Makes one ranking of several.</summary>
internal static class Fuser
{
    public static Ranking Fuse(Query fusion, IReadOnlyList<Ranking> legs, int limit)
    {
        var lists = legs.Select(l => l.Hits).ToList();
        var hits = fusion switch
        {
            RrfQuery rrf => RankFusion.Rrf(lists, rrf.K, rrf.Weights.IsDefaultOrEmpty ? null : rrf.Weights, limit),
            DbsfQuery => RankFusion.Dbsf([.. legs.Select(Rising)], limit: limit),
            WeightedSumQuery sum => RankFusion.WeightedSum(
                lists, sum.Weights.IsDefaultOrEmpty ? null : sum.Weights, [.. legs.Select(l => !l.HigherIsBetter)], limit),
            _ => throw new InvalidOperationException($"{fusion.GetType().Name} fuses nothing."),
        };
        return new Ranking(hits, RankingOrder.HigherScore);
    }

    /// <summary>Distances turned so that larger is better, which is what spread is measured on.</summary>
    private static IReadOnlyList<LegHit> Rising(Ranking leg) =>
        leg.HigherIsBetter ? leg.Hits : [.. leg.Hits.Select(h => h with { Score = -h.Score })];
}
