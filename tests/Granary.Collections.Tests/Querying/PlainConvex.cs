using Granary.Index;

namespace Granary.Collections.Tests.Querying;

/// <summary>A leg of a plain combination.</summary>
/// <param name="Found">What it found, best first.</param>
/// <param name="Scores">Its score of every point that it would have, however many it found.</param>
/// <param name="Weight">Its weight.</param>
/// <param name="Lexical">Whether its scores count terms.</param>
/// <param name="HigherIsBetter">Whether larger scores are better.</param>
internal sealed record PlainLeg(
    List<(PointId Id, float Score)> Found, Dictionary<PointId, float> Scores, float Weight, bool Lexical, bool HigherIsBetter)
{
    /// <summary>Of a dense leg: its distance, its query, and every point's vector.</summary>
    public (Distance Distance, float[] Query, Dictionary<PointId, float[]> Vectors)? Dense { get; init; }

    /// <summary>Of a dense leg: every point's score by another query.</summary>
    public Func<float[], Task<Dictionary<PointId, float>>>? Ask { get; init; }
}

/// <summary>The fusion of docs/quality.md, "The default: convex", written down as it stands there, with sorting and dictionaries.</summary>
internal static class PlainConvex
{
    public static async Task<List<(PointId Id, float Score)>> RankAsync(List<PlainLeg> legs, int feedback)
    {
        var ids = legs.SelectMany(l => l.Found).Select(h => h.Id).Distinct().ToList();
        var several = legs.Count(l => l.Found.Count > 0) > 1;
        var scores = legs.ConvertAll(leg => several
            ? leg.Found.Count > 0 ? leg.Scores.Where(s => ids.Contains(s.Key)).ToDictionary() : []
            : leg.Found.ToDictionary(h => h.Id, h => h.Score));
        var sums = Sums(legs, ids, scores);
        if (!several)
            return ids.ConvertAll(id => (id, sums[id]));
        if (feedback > 0)
        {
            var best = Ranked(sums).Take(feedback).Select(s => s.Id).ToList();
            for (var i = 0; i < legs.Count; i++)
            {
                if (legs[i].Dense is not { } dense || legs[i].Found.Count == 0)
                    continue;
                var vectors = best.Where(dense.Vectors.ContainsKey).Select(id => dense.Vectors[id]).ToList();
                if (vectors.Count == 0)
                    continue;
                var by = await legs[i].Ask!(Moved(dense.Distance, dense.Query, vectors));
                scores[i] = scores[i].ToDictionary(s => s.Key, s => by[s.Key]);
            }

            sums = Sums(legs, ids, scores);
        }

        return Ranked(sums);
    }

    private static List<(PointId Id, float Score)> Ranked(Dictionary<PointId, float> sums) =>
        [.. sums.Select(s => (Id: s.Key, Score: s.Value)).OrderByDescending(s => s.Score).ThenBy(s => s.Id)];

    private static Dictionary<PointId, float> Sums(List<PlainLeg> legs, List<PointId> ids, List<Dictionary<PointId, float>> scores)
    {
        var sums = ids.ToDictionary(id => id, _ => 0f);
        var weights = 0d;
        foreach (var leg in legs)
            weights += leg.Found.Count > 0 ? Math.Max(leg.Weight, 0f) : 0f;
        for (var i = 0; i < legs.Count; i++)
        {
            var leg = legs[i];
            if (leg.Found.Count == 0 || leg.Weight <= 0f)
                continue;
            var sign = leg.HigherIsBetter ? 1f : -1f;
            var sorted = scores[i].Values.Where(float.IsFinite).Select(s => sign * s).Order().ToList();
            double best = 0, spread = 0;
            if (sorted.Count > 0)
            {
                best = sorted[^1];
                double zero = leg.Lexical ? 0 : sorted[^Math.Min(leg.Found.Count, sorted.Count)];
                spread = leg.Lexical ? best : Math.Max(best - zero, 0.01 * Math.Max(Math.Abs(best), Math.Abs(zero)));
            }

            foreach (var (id, score) in scores[i])
                sums[id] += (float)(leg.Weight / weights * Normal(sign * score, best, spread, leg.Lexical));
        }

        return sums;
    }

    private static double Normal(double score, double best, double spread, bool lexical)
    {
        var least = lexical ? 0.0 : -1.0;
        var normal = score >= best ? 1 : spread > 0 ? Math.Max(1 - ((best - score) / spread), least) : least;
        return lexical ? normal * normal : normal;
    }

    private static float[] Moved(Distance distance, float[] query, List<float[]> vectors)
    {
        var moved = new float[query.Length];
        Add(query, 0.5f);
        foreach (var vector in vectors)
            Add(vector, 0.5f / vectors.Count);
        return moved;

        void Add(float[] vector, float share)
        {
            double factor = share;
            if (distance is Distance.Cosine or Distance.Dot)
            {
                var squares = 0.0;
                foreach (var value in vector)
                    squares += (double)value * value;
                if (squares == 0)
                    return;
                factor /= Math.Sqrt(squares);
            }

            for (var i = 0; i < moved.Length; i++)
                moved[i] += (float)(vector[i] * factor);
        }
    }
}
