using System.Collections.Immutable;
using Granary.Collections.Searching;
using Granary.Index;

namespace Granary.Collections.Partitions;

/// <summary>How far operations must have come.</summary>
public enum WaitTarget : byte
{
    /// <summary>Visible to every search from now on, wherever it is served.</summary>
    Applied,

    /// <summary>Visible, with the vectors computed from their texts.</summary>
    Embedded,

    /// <summary>In the graph.</summary>
    Linked,
}

/// <summary>What waiting came to.</summary>
/// <param name="Reached">False: the time limit passed.</param>
/// <param name="Failure">The first of the operations that could not be applied, if one could not.</param>
public readonly record struct WaitResult(bool Reached, FailedOperation? Failure);

/// <summary>Room in a partition's queue that was given to a batch.</summary>
/// <param name="Id">Names it where the queue is in another process; 0 where it need not be named.</param>
/// <param name="Count">For how many operations.</param>
public readonly record struct Reservation(long Id, int Count);

/// <summary>The state of a partition, for its collection's.</summary>
/// <param name="Status">Its figures.</param>
public sealed record PartitionReport(PartitionStatus Status)
{
    /// <summary>How many points each payload index covers.</summary>
    public ImmutableDictionary<string, long> PayloadIndexPoints { get; init; } = ImmutableDictionary<string, long>.Empty;

    /// <summary>Its newest failed operations.</summary>
    public ImmutableArray<FailedOperation> Failures { get; init; } = [];

    /// <summary>Whether the log's rest is still being applied after an opening.</summary>
    public bool Recovering { get; init; }

    /// <summary>Why the last checkpoint could not be taken; null when it could.</summary>
    public string? CheckpointError { get; init; }

    /// <summary>Texts waiting for their vector.</summary>
    public long EmbeddingQueue { get; init; }

    /// <summary>Texts that could not be embedded.</summary>
    public long EmbeddingFailures { get; init; }

    /// <summary>Times of its phases, where it does not share its collection's.</summary>
    public ImmutableArray<PhaseTiming> Timings { get; init; } = [];
}

/// <summary>A partition as its collection sees it, wherever its writer and its replicas run.</summary>
public interface IPartition
{
    /// <summary>Its number.</summary>
    int Number { get; }

    /// <summary>Its reading side.</summary>
    IPartitionSearch Search { get; }

    /// <summary>
    /// Appends a batch that lies wholly in this partition, once the queue has room for it; answers with its last operation's number, once
    /// it is durable.
    /// </summary>
    /// <exception cref="GranaryException">There was no room within the limit, the storage refused, or the partition is
    /// unavailable.</exception>
    ValueTask<long> WriteAsync(ReadOnlyMemory<byte> operations, int count, TimeSpan admission, CancellationToken cancellation);

    /// <summary>Makes room in the queue for a part of a batch that lies in several partitions.</summary>
    /// <exception cref="GranaryException">There was no room within the limit, or the partition is unavailable.</exception>
    ValueTask<Reservation> ReserveAsync(int count, TimeSpan admission, CancellationToken cancellation);

    /// <summary>Gives room back that will not be used. Never throws.</summary>
    ValueTask ReleaseAsync(Reservation reservation);

    /// <summary>Appends what room was made for; gives the room back when it fails.</summary>
    ValueTask<long> WriteReservedAsync(Reservation reservation, ReadOnlyMemory<byte> operations);

    /// <summary>Appends operations of the engine's own (schema changes), room or not.</summary>
    ValueTask<long> LogAsync(ReadOnlyMemory<byte> operations, int count, CancellationToken cancellation);

    /// <summary>The newest operation acknowledged.</summary>
    ValueTask<long> LoggedAsync(CancellationToken cancellation);

    /// <summary>Waits until operations have come so far; <paramref name="first"/> 0: everything up to <paramref name="last"/>.</summary>
    ValueTask<WaitResult> WaitAsync(WaitTarget target, long first, long last, TimeSpan? limit, CancellationToken cancellation);

    /// <summary>The schema as it is once everything logged is applied.</summary>
    ValueTask<IndexSchema> SchemaAsync(CancellationToken cancellation);

    /// <summary>Its state.</summary>
    ValueTask<PartitionReport> ReportAsync(CancellationToken cancellation);

    /// <summary>Builds the index anew while the old one serves.</summary>
    ValueTask RebuildAsync(CancellationToken cancellation);

    /// <summary>Takes a checkpoint that has everything acknowledged before the call.</summary>
    ValueTask CheckpointAsync(CancellationToken cancellation);
}

/// <summary>The partitions of one collection, opened.</summary>
public interface IPartitionSet : IAsyncDisposable
{
    /// <summary>In the order of their numbers.</summary>
    ImmutableArray<IPartition> Partitions { get; }

    /// <summary>Uses other settings from now on.</summary>
    void Use(CollectionConfig config);

    /// <summary>Drains every partition's queue and takes checkpoints, where that is the caller's business.</summary>
    ValueTask DrainAsync(CancellationToken cancellation);
}

/// <summary>Opens collections' partitions: what makes one host another.</summary>
public interface IPartitionHost
{
    /// <summary>Whether this process alone changes the catalog and drops what no collection owns.</summary>
    bool OwnsStorage { get; }

    /// <summary>Opens them.</summary>
    /// <param name="name">The collection's name.</param>
    /// <param name="document">What the catalog holds of it.</param>
    /// <param name="timings">Where what happens in this process is timed.</param>
    /// <param name="cancellation">Ends the opening.</param>
    /// <exception cref="GranaryException">A partition cannot be opened; the message names it.</exception>
    ValueTask<IPartitionSet> OpenAsync(
        string name, Catalog.CollectionDocument document, Diagnostics.PhaseTimings timings, CancellationToken cancellation);
}
