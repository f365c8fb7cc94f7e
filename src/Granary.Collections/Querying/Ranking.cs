using Granary.Index.Search;

namespace Granary.Collections.Querying;

/// <summary>A ranked list of points, best first, ties by id: what a leg gives after merging, and what every node of a plan gives.</summary>
/// <param name="Hits">The hits.</param>
/// <param name="Order">How they are ordered.</param>
public sealed record Ranking(IReadOnlyList<LegHit> Hits, RankingOrder Order)
{
    /// <summary>No hits.</summary>
    public static Ranking Empty { get; } = new([], RankingOrder.HigherScore);

    /// <summary>Whether a larger score is better.</summary>
    public bool HigherIsBetter => Order != RankingOrder.LowerScore;

    /// <summary>The best <paramref name="limit"/> of several partitions' hits.</summary>
    public static Ranking Merge(IReadOnlyList<Ranking> parts, int limit)
    {
        if (parts.Count == 1 && parts[0].Hits.Count <= limit)
            return parts[0];
        var order = parts[0].Order;
        var all = new List<LegHit>(parts.Sum(p => p.Hits.Count));
        foreach (var part in parts)
            all.AddRange(part.Hits);
        if (parts.Count > 1)
            all.Sort(Comparer(order));
        if (all.Count > limit)
            all.RemoveRange(limit, all.Count - limit);
        return new Ranking(all, order);
    }

    /// <summary>Compares hits, the better first.</summary>
    public static Comparison<LegHit> Comparer(RankingOrder order) => order switch
    {
        RankingOrder.HigherScore => static (a, b) => Then(b.Score.CompareTo(a.Score), a, b),
        RankingOrder.LowerScore => static (a, b) => Then(a.Score.CompareTo(b.Score), a, b),
        RankingOrder.Ascending => static (a, b) => Then(a.Order.GetValueOrDefault().CompareTo(b.Order.GetValueOrDefault()), a, b),
        RankingOrder.Descending => static (a, b) => Then(b.Order.GetValueOrDefault().CompareTo(a.Order.GetValueOrDefault()), a, b),
        _ => static (a, b) => a.Id.CompareTo(b.Id),
    };

    /// <summary>Hits at least as good as a threshold, if there is one.</summary>
    public Ranking Cut(float? threshold, int limit)
    {
        IEnumerable<LegHit> hits = Hits;
        if (threshold is { } bound)
            hits = HigherIsBetter ? hits.Where(h => h.Score >= bound) : hits.Where(h => h.Score <= bound);
        else if (Hits.Count <= limit)
            return this;
        return this with { Hits = [.. hits.Take(limit)] };
    }

    private static int Then(int first, LegHit a, LegHit b) => first != 0 ? first : a.Id.CompareTo(b.Id);
}

/// <summary>How a ranking is ordered.</summary>
public enum RankingOrder : byte
{
    /// <summary>Larger scores first.</summary>
    HigherScore,

    /// <summary>Smaller scores (distances) first.</summary>
    LowerScore,

    /// <summary>By payload value, smallest first.</summary>
    Ascending,

    /// <summary>By payload value, largest first.</summary>
    Descending,

    /// <summary>By id.</summary>
    Id,

    /// <summary>In no order that can be merged by: as it came.</summary>
    None,
}
