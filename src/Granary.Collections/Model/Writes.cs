using Granary.Index.Operations;

namespace Granary.Collections;

/// <summary>How an update is to be answered.</summary>
public sealed record WriteOptions
{
    /// <summary>Whether the answer waits until every search sees the operations (embedding included).</summary>
    public bool Wait { get; init; }

    /// <summary>How long it waits; past it the status is <see cref="UpdateStatus.WaitTimeout"/>. Null for no limit of its own.</summary>
    public TimeSpan? Timeout { get; init; }
}

/// <summary>What became of an update.</summary>
public enum UpdateStatus : byte
{
    /// <summary>It is durable.</summary>
    Acknowledged,

    /// <summary>It is durable, and every search sees it.</summary>
    Completed,

    /// <summary>It is durable; waiting for its visibility took too long.</summary>
    WaitTimeout,
}

/// <summary>The answer to an update.</summary>
/// <param name="OperationId">The number of the last operation (over several partitions, the largest of them); null when there was nothing
/// to do.</param>
/// <param name="Status">What became of it.</param>
public readonly record struct UpdateResult(long? OperationId, UpdateStatus Status);

/// <summary>
/// Operations to be accepted whole or refused whole. The writer holds them encoded: dense values are copied once, from the
/// request into the buffer that is logged.
/// </summary>
public sealed class WriteBatch
{
    /// <summary>The operations in the order given.</summary>
    public OperationWriter Operations { get; } = new();

    /// <summary>Time spent parsing the batch, for the per-phase timings.</summary>
    public TimeSpan ParseTime { get; set; }
}
