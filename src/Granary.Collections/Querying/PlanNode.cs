using System.Collections.Immutable;
using Granary.Index.Search;

namespace Granary.Collections.Querying;

/// <summary>
/// A node of a query's plan: gives a ranking out of the partitions (a leaf) or out of its children. Points have become vectors
/// and texts have become embeddings or terms by now.
/// </summary>
/// <param name="Limit">Hits it gives at most.</param>
/// <param name="Threshold">Worse scores are cut off.</param>
public abstract record PlanNode(int Limit, float? Threshold)
{
    /// <summary>Where its candidates come from; empty for a leaf.</summary>
    public ImmutableArray<PlanNode> Children { get; init; } = [];
}

/// <summary>A leg, run on every partition.</summary>
/// <param name="Leg">The leg, its limit and threshold included.</param>
public sealed record LegNode(Leg Leg) : PlanNode(Leg.Limit, Leg.ScoreThreshold);

/// <summary>Nothing to search with: an empty embedding, say.</summary>
public sealed record EmptyNode() : PlanNode(0, null);

/// <summary>A leg that scores the children's hits only.</summary>
/// <param name="Template">The leg; its candidates are filled in.</param>
public sealed record RescoreNode(Leg Template) : PlanNode(Template.Limit, Template.ScoreThreshold);

/// <summary>Fuses the children's rankings.</summary>
/// <param name="Fusion">An <see cref="RrfQuery"/>, <see cref="DbsfQuery"/>, <see cref="WeightedSumQuery"/> or
/// <see cref="ConvexQuery"/>.</param>
/// <param name="Limit">Hits at most.</param>
/// <param name="Threshold">Worse scores are cut off.</param>
public sealed record FusionNode(Query Fusion, int Limit, float? Threshold) : PlanNode(Limit, Threshold);

/// <summary>Scores the children's hits by a formula.</summary>
/// <param name="Formula">The formula.</param>
/// <param name="Limit">Hits at most.</param>
/// <param name="Threshold">Worse scores are cut off.</param>
public sealed record FormulaNode(Formula Formula, int Limit, float? Threshold) : PlanNode(Limit, Threshold);

/// <summary>Picks diverse hits out of the single child's (maximal marginal relevance).</summary>
/// <param name="Vector">The vector field.</param>
/// <param name="Query">The query vector.</param>
/// <param name="Lambda">1 for relevance only, 0 for diversity only.</param>
/// <param name="Limit">Hits at most.</param>
public sealed record MmrNode(string Vector, ExampleVector Query, float Lambda, int Limit) : PlanNode(Limit, null);

/// <summary>A random choice of the children's hits.</summary>
/// <param name="Seed">Makes it repeatable.</param>
/// <param name="Limit">Hits at most.</param>
public sealed record SampleNode(ulong Seed, int Limit) : PlanNode(Limit, null);
