using System.Collections.Immutable;
using Granary.Index;
using Granary.Index.Filters;
using Granary.Index.Fusion;
using Granary.Index.Search;

namespace Granary.Collections;

/// <summary>A vector in a query: literal, of a stored point, or to be computed from text.</summary>
public abstract record VectorInput;

/// <summary>A dense vector.</summary>
public sealed record DenseInput(ReadOnlyMemory<float> Values) : VectorInput;

/// <summary>A matrix of dense vectors.</summary>
public sealed record MultiInput(ReadOnlyMemory<float> Values, int Rows) : VectorInput;

/// <summary>A sparse vector; indices distinct, in any order.</summary>
public sealed record SparseInput(ImmutableArray<uint> Indices, ImmutableArray<float> Values) : VectorInput;

/// <summary>The vector of a stored point (which is then left out of the results).</summary>
public sealed record PointInput(PointId Id) : VectorInput;

/// <summary>
/// Text. Over a text field it is ranked by BM25; over a dense vector it is embedded; over a sparse vector, with the model
/// <c>qdrant/bm25</c>, it becomes Qdrant's BM25 query vector.
/// </summary>
public sealed record TextInput(string Text, string? Model = null) : VectorInput
{
    /// <summary>The model's options as UTF-8 JSON text, or null.</summary>
    public string? Options { get; init; }
}

/// <summary>What ranks the points of a query.</summary>
public abstract record Query;

/// <summary>Nearest to a vector (or best by BM25).</summary>
/// <param name="Input">The vector or text.</param>
public sealed record NearestQuery(VectorInput Input) : Query
{
    /// <summary>Maximal marginal relevance (Carbonell and Goldstein, 1998), when set.</summary>
    public MmrSettings? Mmr { get; init; }
}

/// <summary>Diversity of results.</summary>
/// <param name="Diversity">0 (relevance only) to 1 (diversity only); null for 0.5.</param>
/// <param name="CandidatesLimit">How many candidates are reranked; null for the limit.</param>
public sealed record MmrSettings(float? Diversity, int? CandidatesLimit);

/// <summary>How a recommendation scores.</summary>
public enum RecommendStrategy : byte
{
    /// <summary>The mean of positives, moved away from the mean of negatives.</summary>
    AverageVector,

    /// <summary>See <see cref="ExampleStrategy.BestScore"/>.</summary>
    BestScore,

    /// <summary>See <see cref="ExampleStrategy.SumScores"/>.</summary>
    SumScores,
}

/// <summary>Like the positive examples and unlike the negative ones.</summary>
public sealed record RecommendQuery(ImmutableArray<VectorInput> Positive, ImmutableArray<VectorInput> Negative, RecommendStrategy Strategy)
    : Query;

/// <summary>A pair of examples that draws a border.</summary>
public sealed record ContextPair(VectorInput Positive, VectorInput Negative);

/// <summary>Near a target inside the zones that context pairs make.</summary>
public sealed record DiscoverQuery(VectorInput Target, ImmutableArray<ContextPair> Context) : Query;

/// <summary>On the positive side of context pairs.</summary>
public sealed record ContextQuery(ImmutableArray<ContextPair> Context) : Query;

/// <summary>By a payload value.</summary>
public sealed record OrderByQuery(string Key, bool Descending, OrderValue? StartFrom) : Query;

/// <summary>Reciprocal rank fusion (Cormack et al., 2009): sum of 1 / ((rank + 1) / weight + k - 1), ranks from 0.</summary>
/// <param name="K">Qdrant's default is 2, the paper's 60.</param>
/// <param name="Weights">One per prefetch; empty for all 1.</param>
public sealed record RrfQuery(int K, ImmutableArray<float> Weights) : Query;

/// <summary>Distribution-based score fusion: scores normalised by mean and three standard deviations, then summed.</summary>
public sealed record DbsfQuery : Query;

/// <summary>Weighted sum of scores, each leg's normalised to 0..1 by its minimum and maximum.</summary>
/// <param name="Weights">One per prefetch (for two, alpha and 1 - alpha).</param>
public sealed record WeightedSumQuery(ImmutableArray<float> Weights) : Query;

/// <summary>
/// Convex combination of normalised scores over candidates that every prefetch has scored (<see cref="ConvexFusion"/>), then once more
/// with the dense query vectors moved towards the best points (<see cref="Index.Fusion.Feedback"/>). The default of hybrid queries.
/// </summary>
/// <param name="Weights">One per prefetch; empty for 1 where terms are counted (BM25, sparse) and 0.55 where vectors are compared.</param>
public sealed record ConvexQuery(ImmutableArray<float> Weights) : Query
{
    /// <summary>How many of the best points the dense query vectors are moved towards; 0 for none, 16 at most.</summary>
    public int Feedback { get; init; } = Index.Fusion.Feedback.Points;
}

/// <summary>A random choice.</summary>
public sealed record SampleQuery : Query;

/// <summary>Rescoring by a formula over prefetch scores and payload values.</summary>
/// <param name="Expression">The expression.</param>
/// <param name="Defaults">Values of variables that a point lacks, as UTF-8 JSON text.</param>
public sealed record FormulaQuery(FormulaExpression Expression, ImmutableDictionary<string, string> Defaults) : Query;

/// <summary>
/// A node of a formula. <c>Kind</c> is Qdrant's key (<c>sum</c>, <c>mult</c>, <c>neg</c>, <c>div</c>, <c>exp_decay</c>, ...), see
/// docs/qdrant-compatibility.md.
/// </summary>
/// <param name="Kind">The operator, or <c>constant</c>, <c>variable</c>, <c>condition</c>, <c>datetime</c>, <c>datetime_key</c>,
/// <c>geo_distance</c>.</param>
public sealed record FormulaExpression(string Kind)
{
    /// <summary>Operands.</summary>
    public ImmutableArray<FormulaExpression> Operands { get; init; } = [];

    /// <summary>Of a constant.</summary>
    public double Constant { get; init; }

    /// <summary>Of a variable: <c>$score</c>, <c>$score[0]</c> or a payload path; of a datetime: its text.</summary>
    public string? Variable { get; init; }

    /// <summary>Of a condition: 1 where it holds, 0 where not.</summary>
    public Filter? Condition { get; init; }

    /// <summary>Of a geo distance: from where.</summary>
    public GeoPoint Origin { get; init; }

    /// <summary>Numeric parameters by Qdrant's names: <c>scale</c>, <c>midpoint</c>, <c>by_zero_default</c>.</summary>
    public ImmutableDictionary<string, double> Parameters { get; init; } = ImmutableDictionary<string, double>.Empty;

    /// <summary>The target of a decay; null for 0.</summary>
    public FormulaExpression? Target { get; init; }
}

/// <summary>How a search is carried out.</summary>
public sealed record SearchParams
{
    /// <summary>Candidates kept while walking the graph.</summary>
    public int? HnswEf { get; init; }

    /// <summary>Whether every point is compared.</summary>
    public bool Exact { get; init; }

    /// <summary>Whether operations not linked yet are left out.</summary>
    public bool IndexedOnly { get; init; }
}

/// <summary>Where a vector of another collection is looked up.</summary>
public sealed record LookupLocation(string Collection, string? Vector);

/// <summary>A source of candidates for the query around it; may have prefetches of its own.</summary>
public sealed record Prefetch
{
    /// <summary>Inner prefetches.</summary>
    public ImmutableArray<Prefetch> Prefetches { get; init; } = [];

    /// <summary>What ranks; null: by id.</summary>
    public Query? Query { get; init; }

    /// <summary>The vector or text field; null for the default vector.</summary>
    public string? Using { get; init; }

    /// <summary>Which points.</summary>
    public Filter? Filter { get; init; }

    /// <summary>How.</summary>
    public SearchParams Params { get; init; } = new();

    /// <summary>Cuts worse scores off.</summary>
    public float? ScoreThreshold { get; init; }

    /// <summary>How many.</summary>
    public int Limit { get; init; } = 10;

    /// <summary>Where point inputs are looked up.</summary>
    public LookupLocation? LookupFrom { get; init; }
}

/// <summary>Which part of the payload is wanted.</summary>
/// <param name="Enabled">Whether any.</param>
/// <param name="Include">Only these paths; empty for all.</param>
/// <param name="Exclude">All but these paths.</param>
public sealed record PayloadSelector(bool Enabled, ImmutableArray<string> Include, ImmutableArray<string> Exclude)
{
    /// <summary>None.</summary>
    public static PayloadSelector None { get; } = new(false, [], []);

    /// <summary>All.</summary>
    public static PayloadSelector All { get; } = new(true, [], []);
}

/// <summary>What a read must see.</summary>
public sealed record ReadOptions
{
    /// <summary>At least this operation on every partition.</summary>
    public long? MinOperation { get; init; }

    /// <summary>
    /// True: everything acknowledged before the read came. False: whatever is applied where it is answered, which has everything whose
    /// write was answered with <see cref="WriteOptions.Wait"/>. Null: as the host has it (standalone true, in a cluster false).
    /// </summary>
    public bool? Strong { get; init; }

    /// <summary>The time limit.</summary>
    public TimeSpan? Timeout { get; init; }
}

/// <summary>A query: an optional tree of prefetches, and what ranks their candidates (or all points).</summary>
public sealed record QueryRequest
{
    /// <summary>Sources of candidates.</summary>
    public ImmutableArray<Prefetch> Prefetches { get; init; } = [];

    /// <summary>What ranks; null: by id.</summary>
    public Query? Query { get; init; }

    /// <summary>The vector or text field; null for the default vector.</summary>
    public string? Using { get; init; }

    /// <summary>Which points.</summary>
    public Filter? Filter { get; init; }

    /// <summary>How.</summary>
    public SearchParams Params { get; init; } = new();

    /// <summary>Cuts worse scores off.</summary>
    public float? ScoreThreshold { get; init; }

    /// <summary>How many hits.</summary>
    public int Limit { get; init; } = 10;

    /// <summary>How many hits are skipped first.</summary>
    public int Offset { get; init; }

    /// <summary>Payload wanted.</summary>
    public PayloadSelector WithPayload { get; init; } = PayloadSelector.None;

    /// <summary>Vectors wanted.</summary>
    public VectorSelector WithVectors { get; init; } = VectorSelector.None;

    /// <summary>Where point inputs are looked up.</summary>
    public LookupLocation? LookupFrom { get; init; }

    /// <summary>What the read must see.</summary>
    public ReadOptions Read { get; init; } = new();

    /// <summary>Whether each hit carries its rank and score in every top-level prefetch (<see cref="ScoredPoint.Legs"/>).</summary>
    public bool Explain { get; init; }
}

/// <summary>One hit.</summary>
/// <param name="Id">The point.</param>
/// <param name="Score">Its score.</param>
/// <param name="Version">The newest operation of the point.</param>
public sealed record ScoredPoint(PointId Id, float Score, long Version)
{
    /// <summary>The payload (UTF-8 JSON object, filtered by the selector), when wanted.</summary>
    public ReadOnlyMemory<byte>? Payload { get; init; }

    /// <summary>The vectors wanted; null when none were.</summary>
    public ImmutableArray<NamedVector>? Vectors { get; init; }

    /// <summary>The value it was ordered by.</summary>
    public OrderValue? Order { get; init; }

    /// <summary>For <see cref="QueryRequest.Explain"/>: rank (from 0; null when absent) and score in each prefetch.</summary>
    public ImmutableArray<LegRank> Legs { get; init; } = [];
}

/// <summary>Where a hit stood in one leg.</summary>
public readonly record struct LegRank(int? Rank, float Score);

/// <summary>The best hits of each group of points that share a payload value.</summary>
public sealed record GroupRequest(QueryRequest Query, string GroupBy, int GroupSize, int Limit)
{
    /// <summary>A collection whose points, by the group's value as id, are shown with each group.</summary>
    public GroupLookup? Lookup { get; init; }
}

/// <summary>Where groups look their records up.</summary>
public sealed record GroupLookup(string Collection, PayloadSelector WithPayload, VectorSelector WithVectors);

/// <summary>One group.</summary>
/// <param name="Value">The value they share: string, integer or (as an unsigned integer) a number.</param>
/// <param name="Hits">Its best hits.</param>
/// <param name="Lookup">The record looked up, if asked for and found.</param>
public sealed record PointGroup(MatchValue Value, ImmutableArray<ScoredPoint> Hits, PointRecord? Lookup);

/// <summary>A stored point as a caller sees it.</summary>
public sealed record PointRecord(PointId Id, long Version)
{
    /// <summary>The payload, when wanted.</summary>
    public ReadOnlyMemory<byte>? Payload { get; init; }

    /// <summary>The vectors wanted; null when none were.</summary>
    public ImmutableArray<NamedVector>? Vectors { get; init; }

    /// <summary>The value it was ordered by.</summary>
    public OrderValue? Order { get; init; }
}

/// <summary>Pages through points by id, or by a payload value.</summary>
public sealed record ScrollRequest
{
    /// <summary>Which points.</summary>
    public Filter? Filter { get; init; }

    /// <summary>Starts at this id, inclusive.</summary>
    public PointId? Offset { get; init; }

    /// <summary>Page size.</summary>
    public int Limit { get; init; } = 10;

    /// <summary>Order by a payload value instead of the id.</summary>
    public OrderByQuery? OrderBy { get; init; }

    /// <summary>Payload wanted.</summary>
    public PayloadSelector WithPayload { get; init; } = PayloadSelector.All;

    /// <summary>Vectors wanted.</summary>
    public VectorSelector WithVectors { get; init; } = VectorSelector.None;

    /// <summary>What the read must see.</summary>
    public ReadOptions Read { get; init; } = new();
}

/// <summary>A page of points; <paramref name="Next"/> is where the next one starts.</summary>
public sealed record ScrollPage(ImmutableArray<PointRecord> Points, PointId? Next);
