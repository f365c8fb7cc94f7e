using Granary.Index.Search;

namespace Granary.Index.Fusion;

/// <summary>
/// Makes one ranking of several. Pure and deterministic: equal scores are ordered by id, and sums follow the order of the lists.
/// </summary>
public static class RankFusion
{
    /// <summary>Qdrant's default k of <see cref="Rrf"/>.</summary>
    public const int DefaultRrfK = 2;

    /// <summary>
    /// Reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009), weighted as Qdrant does: a point at position p (from 0) of a list of
    /// weight w adds 1 / ((p + 1) / w + k - 1), or 0 when w is not positive.
    /// </summary>
    /// <param name="lists">Each best first.</param>
    /// <param name="k">How little the very first positions count.</param>
    /// <param name="weights">One a list; null for 1 each.</param>
    /// <param name="limit">How many are wanted.</param>
    /// <exception cref="GranaryException">There are not as many weights as lists.</exception>
    public static List<LegHit> Rrf(
        IReadOnlyList<IReadOnlyList<LegHit>> lists, int k = DefaultRrfK, IReadOnlyList<float>? weights = null, int limit = int.MaxValue)
    {
        CheckWeights(lists, weights);
        var sums = new ScoreSums(lists);
        for (var list = 0; list < lists.Count; list++)
        {
            var weight = weights?[list] ?? 1f;
            var hits = lists[list];
            for (var position = 0; position < hits.Count; position++)
                sums.Add(hits[position], PositionScore(position, k, weight));
        }

        return sums.Ranking(limit);
    }

    /// <summary>
    /// Distribution-based score fusion (as in Qdrant): each list's scores are mapped so that the mean less and plus three sample
    /// standard deviations become 0 and 1, and summed. A single hit, or hits all alike, count 0.5.
    /// </summary>
    /// <param name="lists">Each best first; larger is better.</param>
    /// <param name="weights">One a list; null for 1 each.</param>
    /// <param name="limit">How many are wanted.</param>
    public static List<LegHit> Dbsf(
        IReadOnlyList<IReadOnlyList<LegHit>> lists, IReadOnlyList<float>? weights = null, int limit = int.MaxValue)
    {
        CheckWeights(lists, weights);
        var sums = new ScoreSums(lists);
        for (var list = 0; list < lists.Count; list++)
        {
            var (min, max) = Spread(lists[list]);
            sums.AddNormalised(lists[list], min, max, weights?[list] ?? 1f);
        }

        return sums.Ranking(limit);
    }

    /// <summary>The weighted sum of scores mapped so that each list's worst and best become 0 and 1; hits all alike count 0.5.</summary>
    /// <param name="lists">Each best first.</param>
    /// <param name="weights">One a list; null for 1 each.</param>
    /// <param name="lowerIsBetter">For each list whether smaller is better (distances); null for no list.</param>
    /// <param name="limit">How many are wanted.</param>
    public static List<LegHit> WeightedSum(
        IReadOnlyList<IReadOnlyList<LegHit>> lists,
        IReadOnlyList<float>? weights = null,
        IReadOnlyList<bool>? lowerIsBetter = null,
        int limit = int.MaxValue)
    {
        CheckWeights(lists, weights);
        var sums = new ScoreSums(lists);
        for (var list = 0; list < lists.Count; list++)
        {
            float min = float.PositiveInfinity, max = float.NegativeInfinity;
            foreach (var hit in lists[list])
                (min, max) = (MathF.Min(min, hit.Score), MathF.Max(max, hit.Score));
            if (lowerIsBetter?[list] == true)
                (min, max) = (max, min);
            sums.AddNormalised(lists[list], min, max, weights?[list] ?? 1f);
        }

        return sums.Ranking(limit);
    }

    /// <summary>What a position adds to a <see cref="Rrf"/> score.</summary>
    public static float PositionScore(int position, int k, float weight) =>
        weight <= 0f ? 0f : 1f / (((position + 1) / weight) + k - 1f);

    // Welford's one-pass mean and variance, in float32 as Qdrant computes them.
    private static (float Min, float Max) Spread(IReadOnlyList<LegHit> hits)
    {
        if (hits.Count < 2)
            return (0f, 0f);
        float mean = 0f, aggregate = 0f;
        for (var i = 0; i < hits.Count; i++)
        {
            var before = hits[i].Score - mean;
            mean += before / (i + 1);
            aggregate += before * (hits[i].Score - mean);
        }

        var deviation = MathF.Sqrt(aggregate / (hits.Count - 1f));
        return (mean - (3f * deviation), mean + (3f * deviation));
    }

    private static void CheckWeights(IReadOnlyList<IReadOnlyList<LegHit>> lists, IReadOnlyList<float>? weights)
    {
        if (weights is not null && weights.Count != lists.Count)
        {
            throw GranaryException.BadInput(
                $"Number of weights in RRF should match number of pre-fetches: got {weights.Count}, expected {lists.Count}");
        }
    }
}
