namespace Granary.Collections.Partitions;

/// <summary>How a <see cref="RemotePartition"/> goes about its calls.</summary>
public sealed record RemotePartitionOptions
{
    /// <summary>
    /// Whether reads that do not say (<see cref="ReadOptions.Strong"/> null) see everything acknowledged before they came.
    /// </summary>
    public bool StrongReads { get; init; }

    /// <summary>
    /// For how long calls to a writer that does not answer are made again: it may be moving to another process. For writes, beyond the
    /// time they may wait for room.
    /// </summary>
    public TimeSpan MovePatience { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// For how long a read is made again after no replica could answer it, within the read's own limit: a replica may be moving, or
    /// catching up after its silo stood still. Zero: not at all.
    /// </summary>
    public TimeSpan ReadPatience { get; init; }

    /// <summary>A second replica is asked not before this time.</summary>
    public TimeSpan LeastHedge { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <summary>A second replica is asked after this time, however slow the first one usually is.</summary>
    public TimeSpan MostHedge { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a state may be waited for.</summary>
    public TimeSpan ReportLimit { get; init; } = TimeSpan.FromSeconds(2);
}
