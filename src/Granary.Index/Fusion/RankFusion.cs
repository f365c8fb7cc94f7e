using Granary.Index.Search;

namespace Granary.Index.Fusion;

/// <summary>
/// Makes one ranking of several. Pure and deterministic: equal scores are ordered by id, and sums follow the order of the lists.
/// </summary>
public static class RankFusion
{
    /// <summary>Qdrant's default k of reciprocal rank fusion.</summary>
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
        var hits = new List<LegHit>();
        Rrf(lists, k, Given(lists, weights), limit, hits);
        return hits;
    }

    /// <summary>The same into an empty list, without further memory; no weights for 1 each.</summary>
    public static void Rrf(
        IReadOnlyList<IReadOnlyList<LegHit>> lists, int k, ReadOnlySpan<float> weights, int limit, List<LegHit> into)
    {
        CheckWeights(lists, weights);
        var sums = ScoreSums.Rent();
        for (var list = 0; list < lists.Count; list++)
        {
            var weight = weights.IsEmpty ? 1f : weights[list];
            var hits = lists[list];
            for (var position = 0; position < hits.Count; position++)
                sums.Add(hits[position], PositionScore(position, k, weight));
        }

        sums.Rank(limit, into);
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
        var hits = new List<LegHit>();
        Dbsf(lists, Given(lists, weights), limit, hits);
        return hits;
    }

    /// <summary>The same into an empty list, without further memory; no weights for 1 each.</summary>
    public static void Dbsf(IReadOnlyList<IReadOnlyList<LegHit>> lists, ReadOnlySpan<float> weights, int limit, List<LegHit> into)
    {
        CheckWeights(lists, weights);
        var sums = ScoreSums.Rent();
        for (var list = 0; list < lists.Count; list++)
        {
            var (min, max) = Spread(lists[list]);
            sums.AddNormalised(lists[list], min, max, weights.IsEmpty ? 1f : weights[list]);
        }

        sums.Rank(limit, into);
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
        var hits = new List<LegHit>();
        bool[] higherIsBetter = [.. lists.Select((_, list) => lowerIsBetter?[list] != true)];
        WeightedSum(lists, Given(lists, weights), higherIsBetter, limit, hits);
        return hits;
    }

    /// <summary>The same into an empty list, without further memory; no weights for 1 each.</summary>
    public static void WeightedSum(
        IReadOnlyList<IReadOnlyList<LegHit>> lists, ReadOnlySpan<float> weights, ReadOnlySpan<bool> higherIsBetter, int limit,
        List<LegHit> into)
    {
        CheckWeights(lists, weights);
        var sums = ScoreSums.Rent();
        for (var list = 0; list < lists.Count; list++)
        {
            float min = float.PositiveInfinity, max = float.NegativeInfinity;
            var hits = lists[list];
            for (var i = 0; i < hits.Count; i++)
                (min, max) = (MathF.Min(min, hits[i].Score), MathF.Max(max, hits[i].Score));
            if (!higherIsBetter[list])
                (min, max) = (max, min);
            sums.AddNormalised(hits, min, max, weights.IsEmpty ? 1f : weights[list]);
        }

        sums.Rank(limit, into);
    }

    /// <summary>What a position adds to a reciprocal rank fusion score.</summary>
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

    // Weights that were given must be as many as the lists, even where there are none of either.
    private static float[] Given(IReadOnlyList<IReadOnlyList<LegHit>> lists, IReadOnlyList<float>? weights) =>
        weights is null ? [] : weights.Count == lists.Count ? [.. weights] : throw WrongWeights(lists.Count, weights.Count);

    private static void CheckWeights(IReadOnlyList<IReadOnlyList<LegHit>> lists, ReadOnlySpan<float> weights)
    {
        if (!weights.IsEmpty && weights.Length != lists.Count)
            throw WrongWeights(lists.Count, weights.Length);
    }

    private static GranaryException WrongWeights(int lists, int weights) =>
        GranaryException.BadInput($"Number of weights in RRF should match number of pre-fetches: got {weights}, expected {lists}");
}
