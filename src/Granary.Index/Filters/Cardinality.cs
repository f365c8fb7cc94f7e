namespace Granary.Index.Filters;

/// <summary>How many points a filter selects.</summary>
/// <param name="Min">Never fewer.</param>
/// <param name="Expected">Probably.</param>
/// <param name="Max">Never more.</param>
public readonly record struct Cardinality(long Min, long Expected, long Max)
{
    /// <summary>A count that is known.</summary>
    public static Cardinality Exactly(long count) => new(count, count, count);

    /// <summary>Nothing is known but the number of points: half of them, as Qdrant assumes.</summary>
    public static Cardinality Unknown(long total) => new(0, total / 2, total);
}
