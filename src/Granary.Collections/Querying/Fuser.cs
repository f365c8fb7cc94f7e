using Granary.Index.Fusion;
using Granary.Index.Search;

namespace Granary.Collections.Querying;

/// <summary>Makes one ranking of several.</summary>
internal static class Fuser
{
    public static Ranking Fuse(Query fusion, IReadOnlyList<Ranking> legs, int limit)
    {
        var hits = new List<LegHit>();
        Fuse(fusion, [.. legs.Select(l => l.Hits)], [.. legs.Select(l => l.HigherIsBetter)], limit, hits);
        return new Ranking(hits, RankingOrder.HigherScore);
    }

    /// <summary>The same into a list.</summary>
    /// <param name="fusion">How.</param>
    /// <param name="lists">Each best first.</param>
    /// <param name="higherIsBetter">For each list whether larger scores are better.</param>
    /// <param name="limit">Hits at most.</param>
    /// <param name="into">Receives the ranking.</param>
    public static void Fuse(
        Query fusion, List<IReadOnlyList<LegHit>> lists, ReadOnlySpan<bool> higherIsBetter, int limit, List<LegHit> into)
    {
        switch (fusion)
        {
            case RrfQuery rrf:
                RankFusion.Rrf(lists, rrf.K, rrf.Weights.AsSpan(), limit, into);
                break;
            case DbsfQuery:
                RankFusion.Dbsf(Rising(lists, higherIsBetter), default, limit, into);
                break;
            case WeightedSumQuery sum:
                RankFusion.WeightedSum(lists, sum.Weights.AsSpan(), higherIsBetter, limit, into);
                break;
            default:
                throw new InvalidOperationException($"{fusion.GetType().Name} fuses nothing.");
        }
    }

    /// <summary>Distances turned so that larger is better, which is what spread is measured on.</summary>
    private static List<IReadOnlyList<LegHit>> Rising(List<IReadOnlyList<LegHit>> lists, ReadOnlySpan<bool> higherIsBetter)
    {
        if (!higherIsBetter[..lists.Count].Contains(false))
            return lists;
        var rising = new List<IReadOnlyList<LegHit>>(lists);
        for (var i = 0; i < rising.Count; i++)
        {
            if (!higherIsBetter[i])
                rising[i] = [.. rising[i].Select(h => h with { Score = -h.Score })];
        }

        return rising;
    }
}
