using Granary.Collections.Partitions;
using Granary.Collections.Ports;
using Granary.Collections.Wire;
using Granary.Grains.Hosting;
using Granary.Grains.Interfaces;
using Granary.Grains.Placement;
using Granary.Index;
using Orleans.Concurrency;
using Orleans.Streams;
using Orleans.Streams.Core;

namespace Granary.Grains;

/// <summary>
/// The handle of a replica that the silo's engine keeps. Nothing is applied, linked or searched on its turn, it never throws into its
/// stream, and it opens in no time however large the index is: the engine opens it in the background.
/// </summary>
[ImplicitStreamSubscription(GrainKeys.StreamNamespace)]
[PlannedPlacement, Reentrant, CollectionAgeLimit(AlwaysActive = true)]
internal sealed class IndexerGrain(SiloEngine engine, ClusterView cluster)
    : Grain, IIndexerGrain, IStreamSubscriptionObserver, IAsyncObserver<LogGrew>
{
    private PartitionReplica? _replica;
    private string? _failure;

    /// <inheritdoc/>
    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        var (partition, replica) = GrainKeys.Parse(this.GetPrimaryKeyString());
        // A call that was on its way to where the grain was brings it back there: it goes on to where it belongs, with the call.
        if (cluster.SendsAway(partition, replica))
        {
            MigrateOnIdle();
            return;
        }

        try
        {
            _replica = await engine.OpenReplicaAsync(this.GetPrimaryKeyString(), cancellationToken);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // Thrown from here it would reach callers on other silos without its kind: each call tells it instead.
            _failure = e.Message;
        }
    }

    /// <inheritdoc/>
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        if (_replica is not null)
            engine.LetGo(this.GetPrimaryKeyString());
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task<Reply<Bytes>> AskAsync(ReplicaCall call, Bytes request, CancellationToken cancellation) =>
        // The replica answers off the turn: a search takes as long as it takes.
        Reply.OfAsync(async () => new Bytes(await Replica.AskAsync(call, request.Memory, cancellation)));

    /// <inheritdoc/>
    public Task<Reply<ReplicaWaitReply>> WaitAsync(
        WaitTarget target, long first, long last, TimeSpan? limit, CancellationToken cancellation) => Reply.OfAsync(async () =>
    {
        var waited = await Replica.WaitAsync(target, first, last, limit, cancellation);
        return new ReplicaWaitReply(
            waited.Instance, waited.Result.Reached, waited.Result.Failure is { } failure ? StatusWire.Encode([failure]) : default);
    });

    /// <inheritdoc/>
    public async Task<Reply<bool>> OrderAsync(ReplicaCall call, CancellationToken cancellation) => await Reply.OfAsync(async () =>
    {
        CallWire.DecodeDone(await Replica.AskAsync(call, default, cancellation));
        return true;
    });

    /// <inheritdoc/>
    public Task<ReplicaPlace> PingAsync()
    {
        // Whoever asks wants it open: the next one finds it made anew.
        if (_replica is null)
            DeactivateOnIdle();
        return Task.FromResult(new ReplicaPlace(cluster.Here.ToParsableString(), _replica?.Serves ?? false));
    }

    /// <inheritdoc/>
    public Task MoveAwayAsync()
    {
        var (partition, replica) = GrainKeys.Parse(this.GetPrimaryKeyString());
        // Not just away: whoever has this silo's address in mind would have the grain made here again.
        if (IsElsewhere(partition, replica))
            MigrateOnIdle();
        else if (cluster.PlaceOf(partition, replica) is null)
            DeactivateOnIdle();
        return Task.CompletedTask;
    }

    private bool IsElsewhere(PartitionKey partition, int replica) =>
        cluster.PlaceOf(partition, replica) is { } place && !place.Equals(cluster.Here);

    /// <inheritdoc/>
    public async Task OnSubscribed(IStreamSubscriptionHandleFactory handleFactory) =>
        await handleFactory.Create<LogGrew>().ResumeAsync(this);

    /// <inheritdoc/>
    public Task OnNextAsync(LogGrew item, StreamSequenceToken? token = null)
    {
        if (item.Rung == default)
            _replica?.Bell(item.Last);
        else
            _replica?.Bell(item.Last, item.Rung);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task OnErrorAsync(Exception ex) => Task.CompletedTask;

    private PartitionReplica Replica
    {
        get
        {
            if (_replica is not null)
                return _replica;
            // The collection was unknown, or could not be looked for, when the grain was activated: the next call looks again.
            DeactivateOnIdle();
            throw new GranaryException(
                ErrorKind.Unavailable, $"Replica {this.GetPrimaryKeyString()} is not open: {_failure ?? "it belongs to no collection"}");
        }
    }
}
