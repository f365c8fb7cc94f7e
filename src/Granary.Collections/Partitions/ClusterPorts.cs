using Granary.Collections.Searching;
using Granary.Index;

namespace Granary.Collections.Partitions;

/// <summary>
/// The writing side of a partition as other processes reach it. Every call may fail with a <see cref="GranaryException"/> that came from
/// there, or with <see cref="ErrorKind.Unavailable"/> when the other process could not be reached or did not answer.
/// </summary>
public interface ILeaderPort
{
    /// <summary>Admits and appends a batch; answers with the number of its last operation.</summary>
    /// <param name="batch">Named by the caller: a batch that is sent again under the same name is appended once.</param>
    /// <param name="retry">Whether the batch may have got in before.</param>
    /// <param name="operations">What an <c>OperationWriter</c> wrote.</param>
    /// <param name="count">How many operations.</param>
    /// <param name="admission">How long to wait for room; null: room or not (the engine's own operations).</param>
    /// <param name="cancellation">Ends the wait for room.</param>
    ValueTask<long> WriteAsync(
        Guid batch, bool retry, ReadOnlyMemory<byte> operations, int count, TimeSpan? admission, CancellationToken cancellation);

    /// <summary>Makes room for a part of a batch; it is given back by itself when it is not used in time.</summary>
    ValueTask<Reservation> ReserveAsync(int count, TimeSpan admission, CancellationToken cancellation);

    /// <summary>Gives room back.</summary>
    ValueTask ReleaseAsync(Reservation reservation, CancellationToken cancellation);

    /// <summary>Appends what room was made for. A reservation that ran out is made again, room or not.</summary>
    ValueTask<long> WriteReservedAsync(
        Guid batch, bool retry, Reservation reservation, ReadOnlyMemory<byte> operations, CancellationToken cancellation);

    /// <summary>The writer's state: what is logged, and how much of the queue is used.</summary>
    ValueTask<LeaderState> StateAsync(CancellationToken cancellation);

    /// <summary>Lets the log go before an operation: the checkpoints that are kept have it.</summary>
    ValueTask TruncateAsync(long beforeOperation, CancellationToken cancellation);

    /// <summary>Told by a replica how far it is. May be lost.</summary>
    ValueTask ReportAsync(ReplicaProgress progress, CancellationToken cancellation);
}

/// <summary>The writer's state.</summary>
/// <param name="Logged">The newest operation acknowledged.</param>
/// <param name="LogBytes">Bytes of the log; 0 where unknown.</param>
/// <param name="Depth">Admitted operations that are not linked everywhere.</param>
/// <param name="Fault">Why nothing can be appended, or null.</param>
public sealed record LeaderState(long Logged, long LogBytes, long Depth, string? Fault)
{
    /// <summary>How long its group commits took.</summary>
    public System.Collections.Immutable.ImmutableArray<PhaseTiming> Timings { get; init; } = [];
}

/// <summary>How far a replica is.</summary>
/// <param name="Instance">The replica's engine; another one after every opening.</param>
/// <param name="Replica">The replica's number.</param>
/// <param name="Applied">Visible up to here.</param>
/// <param name="Linked">In the graph up to here.</param>
public readonly record struct ReplicaProgress(Guid Instance, int Replica, long Applied, long Linked);

/// <summary>What waiting at one replica came to.</summary>
/// <param name="Instance">The replica's engine.</param>
/// <param name="Result">What it came to.</param>
public readonly record struct ReplicaWait(Guid Instance, WaitResult Result);

/// <summary>
/// One replica of a partition as other processes reach it; what it throws is as for <see cref="ILeaderPort"/>. Searches are the bytes of
/// <c>Granary.Collections.Wire</c>.
/// </summary>
public interface IReplicaPort
{
    /// <summary>Whether it runs in this process, as far as is known.</summary>
    bool IsLocal { get; }

    /// <summary>
    /// The replica's reading side without the wire, where it is open in this process, serves, and has what the read must see already; null:
    /// it is to be asked.
    /// </summary>
    /// <param name="read">What is to be seen.</param>
    IPartitionSearch? Near(ReadOptions read) => null;

    /// <summary>Answers a request of the partition's reading side.</summary>
    /// <exception cref="GranaryException">The request is wrong, the replica holds no lease (<see cref="ErrorKind.Unavailable"/>), or it
    /// could not be reached.</exception>
    ValueTask<ReadOnlyMemory<byte>> AskAsync(ReplicaCall call, ReadOnlyMemory<byte> request, CancellationToken cancellation);

    /// <summary>Waits until operations have come so far there.</summary>
    ValueTask<ReplicaWait> WaitAsync(WaitTarget target, long first, long last, TimeSpan? limit, CancellationToken cancellation);
}

/// <summary>What a replica is asked for.</summary>
public enum ReplicaCall : byte
{
    /// <summary><c>IPartitionSearch.SearchAsync</c>.</summary>
    Search,

    /// <summary><c>IPartitionSearch.StatisticsAsync</c>.</summary>
    Statistics,

    /// <summary><c>IPartitionSearch.FetchAsync</c>.</summary>
    Fetch,

    /// <summary><c>IPartitionSearch.CountAsync</c>.</summary>
    Count,

    /// <summary><c>IPartitionSearch.FacetAsync</c>.</summary>
    Facet,

    /// <summary><see cref="IPartition.ReportAsync"/>; needs no lease.</summary>
    Report,

    /// <summary><see cref="IPartition.SchemaAsync"/>; needs no lease.</summary>
    Schema,

    /// <summary><see cref="IPartition.RebuildAsync"/>; needs no lease.</summary>
    Rebuild,

    /// <summary><see cref="IPartition.CheckpointAsync"/>; needs no lease.</summary>
    Checkpoint,
}
