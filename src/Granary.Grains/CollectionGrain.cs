using System.Diagnostics.CodeAnalysis;
using Granary.Collections.Partitions;
using Granary.Collections.Wire;
using Granary.Grains.Hosting;
using Granary.Grains.Interfaces;
using Granary.Grains.Placement;
using Granary.Index;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;

namespace Granary.Grains;

/// <summary>
/// Holds the writing side of a partition. Being the only activation is a convenience: what keeps two from forking the log is the log's
/// epoch.
/// </summary>
[PlannedPlacement, Reentrant, CollectionAgeLimit(AlwaysActive = true)]
[SuppressMessage("Design", "CA1001", Justification = "The feed ends with the activation, in OnDeactivateAsync.")]
internal sealed class CollectionGrain(SiloEngine engine, ClusterView cluster, ILogger<CollectionGrain> logger) : Grain, ICollectionGrain
{
    private PartitionLeader? _leader;
    private StreamFeed? _feed;
    private string? _failure;

    /// <inheritdoc/>
    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        try
        {
            await OpenAsync(cancellationToken);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // Thrown from here it would reach callers on other silos without its kind: each call tells it instead.
            _failure = e.Message;
            await CloseFeedAsync();
        }
    }

    private async Task OpenAsync(CancellationToken cancellationToken)
    {
        var (partition, _) = GrainKeys.Parse(this.GetPrimaryKeyString());
        var document = await engine.FindAsync(partition.Incarnation, cancellationToken);
        if (document is null)
            return;
        _feed = new StreamFeed(this.GetStreamProvider(GrainKeys.StreamProvider), partition, document.Config.Replicas, engine.Time, logger);
        _leader = await engine.OpenLeaderAsync(partition, document, _feed, cancellationToken);
    }

    private async Task CloseFeedAsync()
    {
        if (_feed is not null)
            await _feed.DisposeAsync();
        _feed = null;
    }

    /// <inheritdoc/>
    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        if (_leader is not null)
            await engine.CloseAsync(_leader);
        _leader = null;
        await CloseFeedAsync();
    }

    /// <inheritdoc/>
    public Task<Reply<long>> WriteAsync(
        Guid batch, bool retry, Bytes operations, int count, TimeSpan? admission, CancellationToken cancellation) =>
        Reply.OfAsync(() => Leader.WriteAsync(batch, retry, operations.Memory, count, admission, cancellation));

    /// <inheritdoc/>
    public Task<Reply<long>> ReserveAsync(int count, TimeSpan admission, CancellationToken cancellation) =>
        Reply.OfAsync(async () => (await Leader.ReserveAsync(count, admission, cancellation)).Id);

    /// <inheritdoc/>
    public Task<Reply<bool>> ReleaseAsync(long reservation, int count) => Reply.OfAsync(async () =>
    {
        await Leader.ReleaseAsync(new Reservation(reservation, count), default);
        return true;
    });

    /// <inheritdoc/>
    public Task<Reply<long>> WriteReservedAsync(Guid batch, bool retry, long reservation, int count, Bytes operations) =>
        Reply.OfAsync(() => Leader.WriteReservedAsync(batch, retry, new Reservation(reservation, count), operations.Memory, default));

    /// <inheritdoc/>
    public Task<Reply<LeaderStateReply>> StateAsync() => Reply.OfAsync(async () =>
    {
        var state = await Leader.StateAsync(default);
        return new LeaderStateReply(state.Logged, state.LogBytes, state.Depth, state.Fault, StatusWire.Encode(state.Timings));
    });

    /// <inheritdoc/>
    public Task<Reply<bool>> TruncateAsync(long beforeOperation, CancellationToken cancellation) => Reply.OfAsync(async () =>
    {
        await Leader.TruncateAsync(beforeOperation, cancellation);
        return true;
    });

    /// <inheritdoc/>
    public Task ReportAsync(Guid instance, int replica, long applied, long linked) =>
        _leader?.ReportAsync(new ReplicaProgress(instance, replica, applied, linked), default).AsTask() ?? Task.CompletedTask;

    /// <inheritdoc/>
    public async Task MoveAwayAsync()
    {
        var (partition, _) = GrainKeys.Parse(this.GetPrimaryKeyString());
        if (cluster.PlaceOf(partition, 0) is { } place && !place.Equals(cluster.Here))
            MigrateOnIdle();
        else if (cluster.IsLeaving || await engine.FindAsync(partition.Incarnation, default) is null)
            DeactivateOnIdle();
    }

    private PartitionLeader Leader
    {
        get
        {
            if (_leader is not null)
                return _leader;
            // The collection was unknown, or its log could not be opened, when the grain was activated: the next call looks again.
            DeactivateOnIdle();
            throw new GranaryException(
                ErrorKind.Unavailable,
                $"The writer of partition {this.GetPrimaryKeyString()} is not open: {_failure ?? "it belongs to no collection"}");
        }
    }
}
