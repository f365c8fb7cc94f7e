using System.Collections.Immutable;
using Granary.Index.Filters;
using Granary.Index.Text;

namespace Granary.Index.Search;

/// <summary>One ranked retrieval over a partition.</summary>
public abstract record Leg
{
    /// <summary>Only points that match; null for all.</summary>
    public Filter? Filter { get; init; }

    /// <summary>How many hits are wanted.</summary>
    public int Limit { get; init; } = 10;

    /// <summary>Hits worse than this are left out: below it where higher is nearer, above it where lower is nearer.</summary>
    public float? ScoreThreshold { get; init; }

    /// <summary>When set, only these points are scored, exactly (the rescoring of a prefetch).</summary>
    public IReadOnlyList<PointId>? Candidates { get; init; }

    /// <summary>Whether a hit of that score is not left out by <see cref="ScoreThreshold"/>.</summary>
    internal bool Admits(float score, bool higherIsBetter) =>
        ScoreThreshold is not { } threshold || (higherIsBetter ? score >= threshold : score <= threshold);
}

/// <summary>k nearest neighbours of a dense vector (or, over a multi-vector, MaxSim of a matrix).</summary>
/// <param name="Vector">The field.</param>
/// <param name="Query">The query's values, row after row, as the caller gave them (cosine queries are normalised by the index).</param>
public sealed record DenseLeg(string Vector, ReadOnlyMemory<float> Query) : Leg
{
    /// <summary>Rows of the query; more than one only over multi-vectors.</summary>
    public int Rows { get; init; } = 1;

    /// <summary>Candidates kept while walking; null for the field's own.</summary>
    public int? Ef { get; init; }

    /// <summary>Whether every point is compared.</summary>
    public bool Exact { get; init; }

    /// <summary>Whether operations that are applied but not linked yet are left out (Qdrant's <c>indexed_only</c>).</summary>
    public bool IndexedOnly { get; init; }
}

/// <summary>Highest dot products with a sparse vector.</summary>
/// <param name="Vector">The field.</param>
/// <param name="Indices">Dimensions, ascending.</param>
/// <param name="Values">Weights; multiplied by the inverse document frequency when the field says so.</param>
public sealed record SparseLeg(string Vector, ImmutableArray<uint> Indices, ImmutableArray<float> Values) : Leg
{
    /// <summary>Statistics over all partitions; null for this partition's own.</summary>
    public SparseStatistics? Statistics { get; init; }
}

/// <summary>BM25 (Robertson and Zaragoza, 2009) over a text field.</summary>
/// <param name="Field">The text field.</param>
/// <param name="Text">The query text, analysed with the field's analyser.</param>
public sealed record TextLeg(string Field, string Text) : Leg
{
    /// <summary>Whether a hit must hold every term of the query.</summary>
    public bool EveryTerm { get; init; }

    /// <summary>Statistics over all partitions; null for this partition's own.</summary>
    public TextStatistics? Statistics { get; init; }

    /// <summary>
    /// The same as they were last heard of, with this partition's part in them: where that part is another by now, nothing is searched and
    /// the result says so (<see cref="LegResult.Outdated"/>). Not together with <see cref="Leg.Candidates"/>.
    /// </summary>
    public KnownCounts? Known { get; init; }

    /// <summary>
    /// Shared with the same leg of other partitions where statistics are given: hits below it may lack in the result
    /// (<see cref="LegResult.Floor"/>). Not used with <see cref="Leg.Candidates"/>.
    /// </summary>
    public ScoreFloor? Floor { get; init; }
}

/// <summary>Points in id order, without scores (0).</summary>
public sealed record ScanLeg : Leg
{
    /// <summary>Starts at this id, inclusive.</summary>
    public PointId? From { get; init; }
}

/// <summary>Points in the order of an indexed payload value.</summary>
/// <param name="Key">The payload path; it must have an index with an order: integer (with range), float or datetime. A
/// uuid index has none, as in Qdrant.</param>
/// <param name="Descending">Largest first.</param>
public sealed record OrderLeg(string Key, bool Descending) : Leg
{
    /// <summary>Starts at this value, inclusive.</summary>
    public OrderValue? StartFrom { get; init; }
}

/// <summary>A random choice of points.</summary>
/// <param name="Seed">Makes the choice repeatable.</param>
public sealed record SampleLeg(ulong Seed) : Leg;

/// <summary>How several examples make one score.</summary>
public enum ExampleStrategy : byte
{
    /// <summary>
    /// Recommendation: the best positive if it is nearer than the best negative, else the negated best negative (Qdrant's
    /// <c>best_score</c>).
    /// </summary>
    BestScore,

    /// <summary>Recommendation: the sum of positives less the sum of negatives.</summary>
    SumScores,

    /// <summary>Discovery: target similarity within the zones the context pairs make.</summary>
    Discover,

    /// <summary>Context search: the sum over pairs of min(positive - negative, 0).</summary>
    Context,
}

/// <summary>Scores by several example vectors.</summary>
/// <param name="Vector">The field: dense, multi-vector or sparse.</param>
/// <param name="Strategy">How the examples combine.</param>
public sealed record ExampleLeg(string Vector, ExampleStrategy Strategy) : Leg
{
    /// <summary>The target of a discovery.</summary>
    public ExampleVector? Target { get; init; }

    /// <summary>Positive examples; for discovery and context, the positive of each pair.</summary>
    public ImmutableArray<ExampleVector> Positive { get; init; } = [];

    /// <summary>Negative examples; for discovery and context, the negative of each pair.</summary>
    public ImmutableArray<ExampleVector> Negative { get; init; } = [];

    /// <summary>
    /// Over a sparse field, statistics over all partitions for every dimension of the examples; null for this partition's own.
    /// </summary>
    public SparseStatistics? Statistics { get; init; }
}

/// <summary>
/// An example of any kind of vector: a dense row or matrix (<paramref name="Values"/> with <paramref name="Rows"/>), or sparse
/// (<paramref name="Indices"/> and <paramref name="Values"/>).
/// </summary>
public sealed record ExampleVector(ReadOnlyMemory<float> Values, int Rows = 1, ReadOnlyMemory<uint> Indices = default);

/// <summary>A value points are ordered by.</summary>
/// <param name="Number">The number, or microseconds since 1970 of a datetime, as a double for comparing.</param>
/// <param name="Integer">The exact integer where <paramref name="IsInteger"/>.</param>
/// <param name="IsInteger">Whether the value is an integer (integers and datetimes are).</param>
public readonly record struct OrderValue(double Number, long Integer, bool IsInteger) : IComparable<OrderValue>
{
    /// <inheritdoc/>
    public int CompareTo(OrderValue other) =>
        IsInteger && other.IsInteger ? Integer.CompareTo(other.Integer) : Number.CompareTo(other.Number);
}

/// <summary>One hit of a leg.</summary>
/// <param name="Id">The point.</param>
/// <param name="Score">Its score: similarity, distance (for Euclid and Manhattan), BM25 or dot product.</param>
public readonly record struct LegHit(PointId Id, float Score)
{
    /// <summary>The value it was ordered by, for <see cref="OrderLeg"/>.</summary>
    public OrderValue? Order { get; init; }
}

/// <summary>What a leg found, best first; ties by id.</summary>
/// <param name="Hits">The hits.</param>
/// <param name="HigherIsBetter">Whether larger scores come first.</param>
public sealed record LegResult(IReadOnlyList<LegHit> Hits, bool HigherIsBetter)
{
    /// <summary>Nothing was searched: the statistics that the leg took for known (<see cref="TextLeg.Known"/>) are others by now.</summary>
    public bool Outdated { get; init; }

    /// <summary>
    /// Hits below this score may lack: as many as are wanted of all partitions had been found, here and in others
    /// (<see cref="TextLeg.Floor"/>). Null: none lacks.
    /// </summary>
    public float? Floor { get; init; }
}

/// <summary>Exact BM25 statistics for the terms of one query as they stand in it: a term that is repeated counts again.</summary>
/// <param name="Documents">Points that have text in the field.</param>
/// <param name="TotalLength">Sum of their lengths in terms.</param>
/// <param name="Frequencies">For each analysed term of the query's text, in its order, how many of them hold it.</param>
public sealed record TermCounts(long Documents, long TotalLength, ImmutableArray<long> Frequencies);

/// <summary>The terms of a query, and statistics over all partitions that are taken for known.</summary>
/// <param name="Terms">The query's text as the field's analyser has it: each partition is spared doing the same again.</param>
/// <param name="All">Over all partitions.</param>
/// <param name="Own">The part of the partition that is asked.</param>
public sealed record KnownCounts(ImmutableArray<string> Terms, TermCounts All, TermCounts Own);

/// <summary>Exact BM25 statistics of a text field for a query's terms, additive over partitions.</summary>
/// <param name="Documents">Points that have text in the field.</param>
/// <param name="TotalLength">Sum of their lengths in terms.</param>
/// <param name="Frequencies">How many of them hold each analysed term.</param>
public sealed record TextStatistics(long Documents, long TotalLength, ImmutableDictionary<string, long> Frequencies)
{
    /// <summary>The sum of two partitions' statistics.</summary>
    public TextStatistics Add(TextStatistics other)
    {
        var sum = Frequencies.ToBuilder();
        foreach (var (term, count) in other.Frequencies)
            sum[term] = sum.GetValueOrDefault(term) + count;
        return new TextStatistics(Documents + other.Documents, TotalLength + other.TotalLength, sum.ToImmutable());
    }
}

/// <summary>Exact statistics of a sparse field for a query's dimensions, additive over partitions.</summary>
/// <param name="Documents">Points that have the vector.</param>
/// <param name="Frequencies">How many of them have each dimension.</param>
public sealed record SparseStatistics(long Documents, ImmutableDictionary<uint, long> Frequencies)
{
    /// <summary>The sum of two partitions' statistics.</summary>
    public SparseStatistics Add(SparseStatistics other)
    {
        var sum = Frequencies.ToBuilder();
        foreach (var (dimension, count) in other.Frequencies)
            sum[dimension] = sum.GetValueOrDefault(dimension) + count;
        return new SparseStatistics(Documents + other.Documents, sum.ToImmutable());
    }
}
