using Granary.Index.Vectors;

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

    /// <summary>The same with two points at once, to the bit; their lengths are summed beside each other.</summary>
    internal static void Move(
        Distance distance, ReadOnlySpan<float> query, ReadOnlySpan<float> first, ReadOnlySpan<float> second, Span<float> moved)
    {
        var (ofQuery, ofFirst, ofSecond) = (1.0, 1.0, 1.0);
        if (ComparesDirections(distance))
            (ofQuery, ofFirst, ofSecond) = VectorMath.Squares(query, first, second);
        moved.Clear();
        Add(query, QueryShare, ofQuery, moved);
        Add(first, (1f - QueryShare) / 2, ofFirst, moved);
        Add(second, (1f - QueryShare) / 2, ofSecond, moved);
    }

    private static void Add(Distance distance, ReadOnlySpan<float> vector, float share, Span<float> moved) =>
        Add(vector, share, ComparesDirections(distance) ? VectorMath.Squares(vector) : 1.0, moved);

    private static void Add(ReadOnlySpan<float> vector, float share, double squares, Span<float> moved)
    {
        if (squares != 0)
            VectorMath.AddScaled(vector, share / Math.Sqrt(squares), moved);
    }

    private static bool ComparesDirections(Distance distance) => distance is Distance.Cosine or Distance.Dot;
}
