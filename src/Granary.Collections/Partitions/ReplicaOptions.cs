using Granary.Collections.Embedding;
using Granary.Collections.Ports;
using Granary.Index;

namespace Granary.Collections.Partitions;

/// <summary>What a <see cref="PartitionReplica"/> works with.</summary>
public sealed record ReplicaOptions
{
    /// <summary>The storage.</summary>
    public required IStorage Storage { get; init; }

    /// <summary>The partition.</summary>
    public required PartitionKey Key { get; init; }

    /// <summary>The replica's number to begin with; <see cref="PartitionReplica.Assign"/> gives it another.</summary>
    public required int Replica { get; init; }

    /// <summary>The schema the collection was created with: where the log starts.</summary>
    public required IndexSchema InitialSchema { get; init; }

    /// <summary>The collection's settings.</summary>
    public required CollectionConfig Config { get; init; }

    /// <summary>The partition's writing side.</summary>
    public required ILeaderPort Leader { get; init; }

    /// <summary>Keeps the leases of this process.</summary>
    public required ReplicaLeases Leases { get; init; }

    /// <summary>
    /// Whether it takes checkpoints and lets the log go behind them, while its number is 0: of a partition's replicas one does.
    /// </summary>
    public bool TakesCheckpoints { get; init; }

    /// <summary>What computes vectors from texts while its number is 0; null: another replica does. Not owned.</summary>
    public TextEmbedder? Embedder { get; init; }

    /// <summary>
    /// Whether it begins without a lease, warm but not serving, until <see cref="PartitionReplica.Serve"/>: it is to take another's place.
    /// </summary>
    public bool StandsBy { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>What a replica is doing.</summary>
public enum ReplicaState : byte
{
    /// <summary>It loads its checkpoint.</summary>
    Opening,

    /// <summary>It has an index; whether it may serve, its lease says.</summary>
    Open,

    /// <summary>It stopped, or could not be opened, and tries again after a while.</summary>
    Faulted,

    /// <summary>It is over.</summary>
    Closed,
}

/// <summary>The state of a replica.</summary>
/// <param name="Key">The partition.</param>
/// <param name="Replica">The replica's number.</param>
/// <param name="State">What it is doing.</param>
/// <param name="Instance">The engine; empty when there is none.</param>
/// <param name="Applied">Visible up to here.</param>
/// <param name="Linked">In the graph up to here.</param>
/// <param name="Recovering">Whether what was logged before it was opened is still being applied.</param>
/// <param name="Reason">Why it does not serve reads; null when it does.</param>
public sealed record ReplicaReport(
    PartitionKey Key, int Replica, ReplicaState State, Guid Instance, long Applied, long Linked, bool Recovering, string? Reason);
