using System.Collections.Immutable;
using Granary.Collections;
using Granary.Index;

namespace Granary.Client;

/// <summary>One hit of a query.</summary>
/// <param name="Id">The point.</param>
/// <param name="Score">Its score: similarity, distance, BM25 or fused score, as the query ranks.</param>
public sealed record Hit(PointId Id, float Score)
{
    /// <summary>The payload, when wanted.</summary>
    public Payload? Payload { get; init; }

    /// <summary>The vectors, when wanted.</summary>
    public ImmutableArray<NamedVector> Vectors { get; init; } = [];

    /// <summary>The newest operation of the point.</summary>
    public long Version { get; init; }

    /// <summary>When explained: rank (from 0; null when absent) and score in each prefetch.</summary>
    public ImmutableArray<LegRank> Legs { get; init; } = [];
}
