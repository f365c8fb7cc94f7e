using Granary.Collections;
using Granary.Index;

namespace Granary.Benchmarks;

/// <summary>Recall against a ground truth of row numbers; ids of points are rows. Counted by distance, since vectors repeat.</summary>
internal static class Recall
{
    /// <summary>The share of the best <paramref name="k"/> that was found; the truth is padded with -1 where fewer match.</summary>
    public static double Of(VectorSet set, Distance distance,
        ReadOnlySpan<float> query, int[] truth, int k, IReadOnlyList<ScoredPoint> hits)
    {
        var wanted = truth.Take(k).Count(row => row >= 0);
        if (wanted == 0)
            return hits.Count == 0 ? 1 : 0;
        return (double)Hits(set, distance, query, truth, wanted, hits.Select(hit => (int)hit.Id.Number)) / wanted;
    }

    /// <summary>How many of the first <paramref name="wanted"/> rows are as near as the truth's last of so many.</summary>
    public static int Hits(VectorSet set, Distance distance, ReadOnlySpan<float> query, int[] truth, int wanted, IEnumerable<int> rows)
    {
        var worst = Farness(distance, query, set[truth[wanted - 1]]) + 1e-6;
        var found = 0;
        foreach (var row in rows.Take(wanted))
            found += Farness(distance, query, set[row]) <= worst ? 1 : 0;
        return found;
    }

    private static double Farness(Distance distance, ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double dot = 0, left = 0, right = 0, squares = 0;
        for (var i = 0; i < a.Length; i++)
        {
            dot += (double)a[i] * b[i];
            left += (double)a[i] * a[i];
            right += (double)b[i] * b[i];
            squares += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
        }

        return distance switch
        {
            Distance.Euclid => squares,
            Distance.Cosine => left == 0 || right == 0 ? 0 : -dot / Math.Sqrt(left * right),
            _ => -dot,
        };
    }
}
