namespace Granary.Index.Fusion;

/// <summary>
/// Moves a query vector towards points that are taken for relevant (Rocchio, 1971, with blind feedback; on learned vectors Li et al.,
/// "Pseudo Relevance Feedback with Deep Language Models and Dense Retrievers", 2021): half of the query and half of the points' mean,
/// each of unit length where directions are compared (cosine, dot product), as they are where distances are.
/// </summary>
public static class Feedback
{
    /// <summary>How many of the best points are taken for relevant.</summary>
    public const int Points = 2;

    /// <summary>The most that may be asked for.</summary>
    public const int MaxPoints = 16;

    /// <summary>The share of the query.</summary>
    public const float QueryShare = 0.5f;

    /// <summary>Starts: writes the query's share.</summary>
    public static void Begin(Distance distance, ReadOnlySpan<float> query, Span<float> moved)
    {
        moved.Clear();
        Add(distance, query, QueryShare, moved);
    }

    /// <summary>Adds a point's share.</summary>
    /// <param name="distance">How the vectors are compared.</param>
    /// <param name="vector">The point's vector.</param>
    /// <param name="points">How many points are added in all.</param>
    /// <param name="moved">The vector that <see cref="Begin"/> began.</param>
    public static void Add(Distance distance, ReadOnlySpan<float> vector, int points, Span<float> moved) =>
        Add(distance, vector, (1f - QueryShare) / points, moved);

    private static void Add(Distance distance, ReadOnlySpan<float> vector, float share, Span<float> moved)
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
