using Granary.Index.Filters;
using Granary.Index.Search;

namespace Granary.Index;

/// <summary>Which vectors are wanted with a point.</summary>
/// <param name="All">All of them.</param>
/// <param name="Names">Or these.</param>
public sealed record VectorSelector(bool All, IReadOnlyList<string>? Names = null)
{
    /// <summary>None.</summary>
    public static VectorSelector None { get; } = new(false);
}

/// <summary>A value of a facet and how many points hold it.</summary>
public readonly record struct FacetHit(MatchValue Value, long Count);

/// <summary>A consistent view of a partition as of one operation. Thread-safe; dispose it soon.</summary>
public sealed class IndexReader : IDisposable
{
    /// <summary>The newest operation this reader sees.</summary>
    public long Operation => throw new NotImplementedException();

    /// <summary>Runs a leg.</summary>
    /// <exception cref="GranaryException">The leg names an unknown field or has the wrong dimensions.</exception>
    public LegResult Search(Leg leg, CancellationToken cancellation = default) => throw new NotImplementedException();

    /// <summary>Statistics of a text field for the terms of a query.</summary>
    public TextStatistics TextStatistics(string field, string text) => throw new NotImplementedException();

    /// <summary>Statistics of a sparse field for a query's dimensions.</summary>
    public SparseStatistics SparseStatistics(string vector, ReadOnlySpan<uint> indices) => throw new NotImplementedException();

    /// <summary>How many points match: exactly, or an estimate from the payload indexes.</summary>
    public long Count(Filter? filter, bool exact, CancellationToken cancellation = default) => throw new NotImplementedException();

    /// <summary>The most frequent values of a keyword, integer, bool or uuid index among the points that match.</summary>
    public IReadOnlyList<FacetHit> Facet(string key, Filter? filter, int limit, bool exact, CancellationToken cancellation = default) =>
        throw new NotImplementedException();

    /// <summary>Whether the point is there, and its data. The payload's bytes must not be kept beyond the reader's life unless copied.</summary>
    public bool TryGet(PointId id, VectorSelector vectors, out PointData? point) => throw new NotImplementedException();

    /// <summary>Whether the point is there.</summary>
    public bool Contains(PointId id) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void Dispose() => throw new NotImplementedException();
}
