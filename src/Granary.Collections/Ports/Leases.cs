namespace Granary.Collections.Ports;

/// <summary>One replica's engine, asking for its lease.</summary>
/// <param name="Partition">The partition.</param>
/// <param name="Instance">The engine; another one after every opening.</param>
/// <param name="Replica">The replica's number.</param>
public readonly record struct LeaseRequest(PartitionKey Partition, Guid Instance, int Replica);

/// <summary>An engine that may serve reads.</summary>
/// <param name="Instance">The engine.</param>
/// <param name="Replica">The replica's number.</param>
/// <param name="Remaining">How long the lease still runs, by the store's clock.</param>
public readonly record struct LeaseHolder(Guid Instance, int Replica, TimeSpan Remaining);

/// <summary>
/// Leases to serve reads, by the store's own clock. Whoever reads the holders after an append either sees a holder, and waits for it, or
/// that holder's renewal came later and was told of the append by the log's head it returned.
/// </summary>
public interface ILeaseStore
{
    /// <summary>
    /// Renews leases, all in one step; answers, in the same order, with each partition's next operation as it was at that moment (0: the
    /// partition is unknown and no lease was given).
    /// </summary>
    ValueTask<IReadOnlyList<long>> RenewAsync(IReadOnlyList<LeaseRequest> requests, TimeSpan duration, CancellationToken cancellation);

    /// <summary>Who holds a lease of a partition now.</summary>
    ValueTask<IReadOnlyList<LeaseHolder>> HoldersAsync(PartitionKey partition, CancellationToken cancellation);

    /// <summary>Gives leases back.</summary>
    ValueTask ReleaseAsync(IReadOnlyList<LeaseRequest> requests, CancellationToken cancellation);
}
