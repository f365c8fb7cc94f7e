using System.Numerics;
using System.Runtime.InteropServices;
using Granary.Index;
using Granary.Index.Search;

namespace Granary.Collections.Querying;

/// <summary>
/// Maximal marginal relevance (Carbonell and Goldstein, 1998), as Qdrant computes it: lambda * relevance - (1 - lambda) * the
/// largest similarity to what is chosen already. Hits keep their scores; their order changes.
/// </summary>
internal static class Mmr
{
    public static Ranking Pick(
        Ranking candidates, IReadOnlyList<PointRecord> points, MmrNode node, Distance distance, CancellationToken cancellation)
    {
        var scores = candidates.Hits.DistinctBy(h => h.Id).ToDictionary(h => h.Id);
        var hits = new List<LegHit>();
        var vectors = new List<ExampleVector>();
        foreach (var point in points)
        {
            if (point.Vectors?.FirstOrDefault(v => v.Name == node.Vector) is not { } vector)
                continue;
            hits.Add(scores[point.Id]);
            vectors.Add(VectorResolver.Of(vector));
        }

        if (hits.Count < 2)
            return new Ranking([.. hits.Take(node.Limit)], RankingOrder.None);
        var query = distance == Distance.Cosine ? Normalised(node.Query) : node.Query;
        var relevance = vectors.Select(v => Similarity(query, v, distance)).ToArray();
        var nearest = new float[hits.Count];
        Array.Fill(nearest, float.NegativeInfinity);
        var left = Enumerable.Range(0, hits.Count).ToList();
        var picked = new List<LegHit>();
        while (picked.Count < node.Limit && left.Count > 0)
        {
            cancellation.ThrowIfCancellationRequested();
            int best = left[0];
            var bestScore = float.NegativeInfinity;
            foreach (var i in left)
            {
                var score = picked.Count == 0 ? relevance[i] : (node.Lambda * relevance[i]) - ((1 - node.Lambda) * nearest[i]);
                if (score > bestScore)
                    (best, bestScore) = (i, score);
            }

            left.Remove(best);
            picked.Add(hits[best]);
            foreach (var i in left)
                nearest[i] = Math.Max(nearest[i], Similarity(vectors[i], vectors[best], distance));
        }

        return new Ranking(picked, RankingOrder.None);
    }

    private static ExampleVector Normalised(ExampleVector vector)
    {
        var values = vector.Values.ToArray();
        var size = values.Length / Math.Max(1, vector.Rows);
        for (var start = 0; start < values.Length; start += size)
        {
            var row = values.AsSpan(start, size);
            var length = MathF.Sqrt(Dot(row, row));
            if (length > 0)
            {
                for (var i = 0; i < row.Length; i++)
                    row[i] /= length;
            }
        }

        return vector with { Values = values };
    }

    /// <summary>Higher is more alike: the dot product, or the negated squared or absolute distance; MaxSim over rows.</summary>
    private static float Similarity(ExampleVector a, ExampleVector b, Distance distance)
    {
        if (a.Rows == 0)
            return SparseDot(a, b);
        if (a.Rows == 1 && b.Rows == 1)
            return Similarity(a.Values.Span, b.Values.Span, distance);
        var size = a.Values.Length / a.Rows;
        var sum = 0f;
        for (var i = 0; i < a.Rows; i++)
        {
            var best = float.NegativeInfinity;
            for (var j = 0; j < b.Rows; j++)
                best = Math.Max(best, Similarity(a.Values.Span.Slice(i * size, size), b.Values.Span.Slice(j * size, size), distance));
            sum += best;
        }

        return sum;
    }

    private static float Similarity(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Distance distance)
    {
        if (distance is Distance.Cosine or Distance.Dot)
            return Dot(a, b);
        var sum = 0f;
        for (var i = 0; i < a.Length; i++)
            sum += distance == Distance.Euclid ? (a[i] - b[i]) * (a[i] - b[i]) : Math.Abs(a[i] - b[i]);
        return -sum;
    }

    private static float Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var va = MemoryMarshal.Cast<float, Vector<float>>(a);
        var vb = MemoryMarshal.Cast<float, Vector<float>>(b);
        var lanes = Vector<float>.Zero;
        for (var i = 0; i < va.Length; i++)
            lanes += va[i] * vb[i];
        var sum = Vector.Sum(lanes);
        for (var i = va.Length * Vector<float>.Count; i < a.Length; i++)
            sum += a[i] * b[i];
        return sum;
    }

    private static float SparseDot(ExampleVector a, ExampleVector b)
    {
        float sum = 0;
        int i = 0, j = 0;
        var ai = a.Indices.Span;
        var bi = b.Indices.Span;
        while (i < ai.Length && j < bi.Length)
        {
            if (ai[i] == bi[j])
                sum += a.Values.Span[i++] * b.Values.Span[j++];
            else if (ai[i] < bi[j])
                i++;
            else
                j++;
        }

        return sum;
    }
}
