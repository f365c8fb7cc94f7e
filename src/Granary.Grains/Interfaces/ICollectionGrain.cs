using Orleans.Concurrency;

namespace Granary.Grains.Interfaces;

/// <summary>
/// The writing side of one partition, key <c>incarnation/partition</c>: appends to the log, rings the replicas' streams, answers.
/// </summary>
[Alias("granary.ICollectionGrain")]
public interface ICollectionGrain : IGrainWithStringKey
{
    /// <summary>Admits and appends a batch (<c>ILeaderPort.WriteAsync</c>); <paramref name="admission"/> null: room or not.</summary>
    [AlwaysInterleave, Alias("Write")]
    Task<Reply<long>> WriteAsync(Guid batch, bool retry, Bytes operations, int count, TimeSpan? admission, CancellationToken cancellation);

    /// <summary>Makes room; answers with the reservation's name.</summary>
    [AlwaysInterleave, Alias("Reserve")]
    Task<Reply<long>> ReserveAsync(int count, TimeSpan admission, CancellationToken cancellation);

    /// <summary>Gives room back.</summary>
    [AlwaysInterleave, Alias("Release")]
    Task<Reply<bool>> ReleaseAsync(long reservation, int count);

    /// <summary>Appends what room was made for.</summary>
    [AlwaysInterleave, Alias("WriteReserved")]
    Task<Reply<long>> WriteReservedAsync(Guid batch, bool retry, long reservation, int count, Bytes operations);

    /// <summary>The writer's state.</summary>
    [AlwaysInterleave, Alias("State")]
    Task<Reply<LeaderStateReply>> StateAsync();

    /// <summary>Lets the log go before an operation.</summary>
    [AlwaysInterleave, Alias("Truncate")]
    Task<Reply<bool>> TruncateAsync(long beforeOperation, CancellationToken cancellation);

    /// <summary>Told by a replica how far it is.</summary>
    [AlwaysInterleave, OneWay, Alias("Report")]
    Task ReportAsync(Guid instance, int replica, long applied, long linked);

    /// <summary>Lets the partition go, so that its next call finds it where the placement has it.</summary>
    [AlwaysInterleave, Alias("MoveAway")]
    Task MoveAwayAsync();
}

/// <summary>The writer's state on the wire.</summary>
/// <param name="Logged">The newest operation acknowledged.</param>
/// <param name="LogBytes">Bytes of the log.</param>
/// <param name="Depth">Admitted and not linked everywhere.</param>
/// <param name="Fault">Why nothing can be appended, or null.</param>
/// <param name="Timings">How long its group commits took: a message of timings.</param>
[GenerateSerializer, Immutable, Alias("granary.leader-state")]
public sealed record LeaderStateReply(
    [property: Id(0)] long Logged, [property: Id(1)] long LogBytes, [property: Id(2)] long Depth, [property: Id(3)] string? Fault,
    [property: Id(4)] ReadOnlyMemory<byte> Timings);
