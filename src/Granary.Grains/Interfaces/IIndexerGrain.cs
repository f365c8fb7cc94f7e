using Granary.Collections.Partitions;
using Orleans.Concurrency;

namespace Granary.Grains.Interfaces;

/// <summary>
/// One replica of a partition, key <c>incarnation/partition/replica</c>: a handle to the engine's replica on its silo. It keeps no state of
/// its own; its stream's events are doorbells.
/// </summary>
[Alias("granary.IIndexerGrain")]
public interface IIndexerGrain : IGrainWithStringKey
{
    /// <summary>Answers a request of the reading side, off the grain's turn.</summary>
    [AlwaysInterleave, Alias("Ask")]
    Task<Reply<Bytes>> AskAsync(ReplicaCall call, Bytes request, CancellationToken cancellation);

    /// <summary>Has the replica do what may take long: rebuild its index, take a checkpoint.</summary>
    [AlwaysInterleave, ResponseTimeout("06:00:00"), Alias("Order")]
    Task<Reply<bool>> OrderAsync(ReplicaCall call, CancellationToken cancellation);

    /// <summary>Waits until operations have come so far here.</summary>
    [AlwaysInterleave, Alias("Wait")]
    Task<Reply<ReplicaWaitReply>> WaitAsync(
        WaitTarget target, long first, long last, TimeSpan? limit, CancellationToken cancellation);

    /// <summary>Activates the grain where it belongs; answers with that silo, and whether the replica is open.</summary>
    [AlwaysInterleave, Alias("Ping")]
    Task<ReplicaPlace> PingAsync();

    /// <summary>Lets the replica go, so that its next call finds it where the placement has it.</summary>
    [AlwaysInterleave, Alias("MoveAway")]
    Task MoveAwayAsync();
}

/// <summary>Where a replica is.</summary>
/// <param name="Silo">The silo, parsable.</param>
/// <param name="Open">Whether it is open.</param>
[GenerateSerializer, Immutable, Alias("granary.replica-place")]
public sealed record ReplicaPlace([property: Id(0)] string Silo, [property: Id(1)] bool Open);

/// <summary>What waiting at a replica came to, on the wire.</summary>
/// <param name="Instance">The replica's engine.</param>
/// <param name="Reached">False: the time limit passed.</param>
/// <param name="Failure">The bytes of the failed operation; empty for none.</param>
[GenerateSerializer, Immutable, Alias("granary.replica-wait")]
public readonly record struct ReplicaWaitReply(
    [property: Id(0)] Guid Instance, [property: Id(1)] bool Reached, [property: Id(2)] ReadOnlyMemory<byte> Failure);

/// <summary>The doorbell on a replica's stream: operations up to <paramref name="Last"/> are in the log.</summary>
/// <param name="First">The first operation it was rung for.</param>
/// <param name="Last">The newest.</param>
/// <param name="Rung">When it was rung first, by the clock of the process that did.</param>
[GenerateSerializer, Immutable, Alias("granary.log-grew")]
public readonly record struct LogGrew(
    [property: Id(0)] long First, [property: Id(1)] long Last, [property: Id(2)] DateTimeOffset Rung);
