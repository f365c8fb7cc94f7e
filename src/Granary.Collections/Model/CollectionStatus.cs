using System.Collections.Immutable;

namespace Granary.Collections;

/// <summary>Qdrant's traffic light.</summary>
public enum CollectionColor : byte
{
    /// <summary>All is linked.</summary>
    Green,

    /// <summary>Linking is under way.</summary>
    Yellow,

    /// <summary>Linking waits (after a restart, or paused).</summary>
    Grey,

    /// <summary>A partition failed.</summary>
    Red,
}

/// <summary>Times of a phase since the start, microseconds.</summary>
public readonly record struct PhaseTiming(
    string Phase, long Count, double TotalMicroseconds, double P50Microseconds, double P95Microseconds, double P99Microseconds);

/// <summary>An operation that could not be applied.</summary>
public sealed record FailedOperation(int Partition, long Operation, string? Point, string Reason, DateTimeOffset At);

/// <summary>The state of one partition.</summary>
public sealed record PartitionStatus
{
    /// <summary>Its number.</summary>
    public int Number { get; init; }

    /// <summary>The newest operation logged.</summary>
    public long Logged { get; init; }

    /// <summary>The newest applied.</summary>
    public long Applied { get; init; }

    /// <summary>Every operation up to this one is linked.</summary>
    public long Linked { get; init; }

    /// <summary>The operation of the newest checkpoint.</summary>
    public long Checkpointed { get; init; }

    /// <summary>Logged and not linked.</summary>
    public long Depth => Logged - Linked;

    /// <summary>The bound of the depth.</summary>
    public int Capacity { get; init; }

    /// <summary>Age of the oldest operation that is not linked, milliseconds.</summary>
    public double LagMilliseconds { get; init; }

    /// <summary>Live points.</summary>
    public long Points { get; init; }

    /// <summary>Live vectors.</summary>
    public long Vectors { get; init; }

    /// <summary>Of these, linked.</summary>
    public long IndexedVectors { get; init; }

    /// <summary>Bytes of the log.</summary>
    public long LogBytes { get; init; }

    /// <summary>Unmanaged bytes of the index.</summary>
    public long IndexBytes { get; init; }

    /// <summary>Operations that failed to apply.</summary>
    public long Failed { get; init; }

    /// <summary>Why the partition stopped, if it did.</summary>
    public string? Fault { get; init; }

    /// <summary>What recovery had to say when the partition was opened.</summary>
    public string? RecoveryNote { get; init; }
}

/// <summary>The state of a collection.</summary>
public sealed record CollectionInfo(string Name, CollectionConfig Config)
{
    /// <summary>The traffic light.</summary>
    public CollectionColor Color { get; init; }

    /// <summary>Null when the optimizer is well, else its error.</summary>
    public string? OptimizerError { get; init; }

    /// <summary>Partitions.</summary>
    public ImmutableArray<PartitionStatus> Partitions { get; init; } = [];

    /// <summary>How many points each payload index covers.</summary>
    public ImmutableDictionary<string, long> PayloadIndexPoints { get; init; } = ImmutableDictionary<string, long>.Empty;

    /// <summary>Per-phase timings: parse, append, apply, link, embed, checkpoint.</summary>
    public ImmutableArray<PhaseTiming> Timings { get; init; } = [];

    /// <summary>The newest failed operations.</summary>
    public ImmutableArray<FailedOperation> Failures { get; init; } = [];

    /// <summary>Texts waiting for their vector.</summary>
    public long EmbeddingQueue { get; init; }

    /// <summary>Texts that could not be embedded.</summary>
    public long EmbeddingFailures { get; init; }

    /// <summary>Live points over all partitions.</summary>
    public long Points => Partitions.Sum(p => p.Points);
}
