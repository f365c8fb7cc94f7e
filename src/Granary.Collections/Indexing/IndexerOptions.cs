using Granary.Collections.Diagnostics;
using Granary.Collections.Ports;
using Granary.Collections.Writing;
using Granary.Index;

namespace Granary.Collections.Indexing;

/// <summary>What a <see cref="PartitionIndexer"/> works with.</summary>
public sealed record IndexerOptions
{
    /// <summary>The partition.</summary>
    public required PartitionKey Key { get; init; }

    /// <summary>
    /// Its log, for reading; the indexer does not own it. A replica beside the writer has an <see cref="ILogReader"/>.
    /// </summary>
    public required ILogReader Log { get; init; }

    /// <summary>
    /// Told the operation before which the log is no longer needed by the checkpoints kept. Unless set, a log that was opened for writing
    /// is truncated, and one that was not is left alone.
    /// </summary>
    public Func<long, CancellationToken, ValueTask>? Truncate { get; init; }

    /// <summary>Whether it takes checkpoints when they are due; of several replicas one does.</summary>
    public bool TakesCheckpoints { get; init; } = true;

    /// <summary>Asked before each checkpoint of its own accord where it takes them; null: always.</summary>
    public Func<bool>? MayCheckpoint { get; init; }

    /// <summary>Its checkpoints; the indexer owns them.</summary>
    public required ICheckpointStore Checkpoints { get; init; }

    /// <summary>What tells that the log grew.</summary>
    public required IFeedListener Feed { get; init; }

    /// <summary>The newest records in memory, when the writer is in this process.</summary>
    public LogTail? Tail { get; init; }

    /// <summary>The schema the collection was created with: where the log starts.</summary>
    public required IndexSchema InitialSchema { get; init; }

    /// <summary>How the collection ingests.</summary>
    public required IngestionSettings Ingestion { get; init; }

    /// <summary>Where phases are timed.</summary>
    public PhaseTimings Timings { get; init; } = new();

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>The log is looked at when no ring came for so long: a lost ring costs time, never an operation.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Told, before it is visible, of every applied operation and point whose text is to be embedded; not of those in the log at opening:
    /// their embedding may follow in the log, and who embeds looks for points without a vector once the log is applied.
    /// </summary>
    public Action<long, PointId>? AwaitsEmbedding { get; init; }

    /// <summary>Told that everything up to an operation is linked.</summary>
    public Action<long>? OnLinked { get; init; }

    /// <summary>Told that the partition stopped.</summary>
    public Action<GranaryException>? OnFault { get; init; }
}
