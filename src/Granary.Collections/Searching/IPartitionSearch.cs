using System.Collections.Immutable;
using Granary.Index;
using Granary.Index.Filters;
using Granary.Index.Payload;
using Granary.Index.Search;

namespace Granary.Collections.Searching;

/// <summary>What is wanted of points besides their ids.</summary>
/// <param name="Payload">Which part of the payload.</param>
/// <param name="Vectors">Which vectors.</param>
public sealed record PointSelection(PayloadSelector Payload, VectorSelector Vectors)
{
    /// <summary>Only id and version.</summary>
    public static PointSelection Bare { get; } = new(PayloadSelector.None, VectorSelector.None);

    /// <summary>A selection; the bare one is not made anew.</summary>
    public static PointSelection Of(PayloadSelector payload, VectorSelector vectors) =>
        payload == PayloadSelector.None && vectors == VectorSelector.None ? Bare : new(payload, vectors);

    /// <summary>Whether only id and version are wanted.</summary>
    public bool IsBare => !Payload.Enabled && !Vectors.All && Vectors.Names is null or { Count: 0 };

    /// <summary>The payload paths to include, parsed; empty for all.</summary>
    public IReadOnlyList<JsonPath> Include { get; } = [.. Payload.Include.Select(JsonPath.Parse)];

    /// <summary>The payload paths to exclude, parsed.</summary>
    public IReadOnlyList<JsonPath> Exclude { get; } = [.. Payload.Exclude.Select(JsonPath.Parse)];
}

/// <summary>All that a query asks of one partition in one go.</summary>
/// <param name="Legs">The legs.</param>
/// <param name="Read">What the answer must see.</param>
public sealed record PartitionRequest(IReadOnlyList<Leg> Legs, ReadOptions Read)
{
    /// <summary>When set, the points of the first leg's hits come along, from the same view of the partition.</summary>
    public PointSelection? Fetch { get; init; }

    /// <summary>When set, the points to come along are these, in this order, in place of the first leg's hits.</summary>
    public IReadOnlyList<PointId>? Points { get; init; }

    /// <summary>When set, the best hits of every leg are scored by all legs, from the same view of the partition.</summary>
    public CrossScoring? Cross { get; init; }
}

/// <summary>
/// The legs are going to be combined: what that takes beyond their hits comes along with them, so that nobody need ask for it. It is a
/// guess, since the partition does not know the hits of the others: what turns out to lack is asked for.
/// </summary>
/// <param name="Hits">How many of each leg's best hits all legs score.</param>
/// <param name="Weights">The weight of each leg.</param>
/// <param name="Vectors">How many of the partition's best points by the combination bring their vectors; 0 for none.</param>
public sealed record CrossScoring(ImmutableArray<int> Hits, ImmutableArray<float> Weights, int Vectors);

/// <summary>What <see cref="CrossScoring"/> asked for.</summary>
/// <param name="Ids">The points that every leg scored.</param>
/// <param name="Scores">For each leg the points' scores, in their order; NaN where a leg would not have the point.</param>
/// <param name="Best">The best points, with the vectors that legs over dense fields search.</param>
public sealed record CrossScores(
    IReadOnlyList<PointId> Ids, IReadOnlyList<float[]> Scores, IReadOnlyList<PointRecord> Best);

/// <summary>What a partition answers.</summary>
/// <param name="Legs">One result a leg, in the order asked.</param>
/// <param name="Points">The points of the first leg's hits, in their order, or those that were named, where asked for.</param>
public sealed record PartitionAnswer(IReadOnlyList<LegResult> Legs, IReadOnlyList<PointRecord>? Points)
{
    /// <summary>The legs' scores of each other's hits, where asked for and nothing was outdated.</summary>
    public CrossScores? Cross { get; init; }

    /// <summary>
    /// When a leg took statistics for known that are others by now (<see cref="LegResult.Outdated"/>): the partition's own for every leg
    /// over text, in their order.
    /// </summary>
    public StatisticsAnswer? Statistics { get; init; }
}

/// <summary>Statistics wanted for collection-wide BM25 and inverse document frequencies.</summary>
/// <param name="Texts">Text fields with the query's text.</param>
/// <param name="Sparse">Sparse fields with the query's dimensions.</param>
public sealed record StatisticsRequest(
    ImmutableArray<(string Field, string Text)> Texts, ImmutableArray<(string Vector, ImmutableArray<uint> Indices)> Sparse);

/// <summary>A partition's statistics, in the order asked.</summary>
/// <param name="Texts">Of the text fields.</param>
/// <param name="Sparse">Of the sparse fields.</param>
public sealed record StatisticsAnswer(ImmutableArray<TextStatistics> Texts, ImmutableArray<SparseStatistics> Sparse);

/// <summary>
/// The reading side of a partition, wherever it is. One call carries everything a round of a query needs of it.
/// </summary>
public interface IPartitionSearch
{
    /// <summary>The partition's number.</summary>
    int Number { get; }

    /// <summary>Live points, roughly: what planning goes by.</summary>
    long EstimatedPoints { get; }

    /// <summary>Whether it works on the caller's thread, so that those which do not are better asked before it.</summary>
    bool IsNear => true;

    /// <summary>Runs legs.</summary>
    /// <exception cref="GranaryException">A leg is wrong, the time limit passed, or the partition is unavailable.</exception>
    ValueTask<PartitionAnswer> SearchAsync(PartitionRequest request, CancellationToken cancellation);

    /// <summary>Statistics for collection-wide scores.</summary>
    ValueTask<StatisticsAnswer> StatisticsAsync(StatisticsRequest request, ReadOptions read, CancellationToken cancellation);

    /// <summary>Points by id, in the order asked; unknown ones are left out.</summary>
    ValueTask<IReadOnlyList<PointRecord>> FetchAsync(
        IReadOnlyList<PointId> ids, PointSelection selection, ReadOptions read, CancellationToken cancellation);

    /// <summary>How many points match.</summary>
    ValueTask<long> CountAsync(Filter? filter, bool exact, ReadOptions read, CancellationToken cancellation);

    /// <summary>The most frequent values of an indexed field.</summary>
    ValueTask<IReadOnlyList<FacetHit>> FacetAsync(
        string key, Filter? filter, int limit, bool exact, ReadOptions read, CancellationToken cancellation);
}
