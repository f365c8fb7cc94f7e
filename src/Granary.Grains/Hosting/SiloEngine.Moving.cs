using Granary.Collections.Diagnostics;
using Granary.Collections.Partitions;
using Granary.Collections.Ports;
using Granary.Grains.Interfaces;
using Granary.Index;
using Microsoft.Extensions.Logging;

namespace Granary.Grains.Hosting;

/// <summary>Keeps here what should be here, and hands over what should be elsewhere.</summary>
internal sealed partial class SiloEngine
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan WarmLimit = TimeSpan.FromSeconds(30);
    private readonly SemaphoreSlim _moving = new(1, 1);

    /// <summary>
    /// Hands every partition over before this silo leaves: no replica is let go before another is warm, as long as there is a silo to take
    /// it.
    /// </summary>
    public async Task LeaveAsync(CancellationToken cancellation)
    {
        _cluster.Leave(_cluster.Here);
        await Task.WhenAll(_cluster.Silos.Select(async silo =>
        {
            try
            {
                await SiloAt(silo).LeavingAsync(_cluster.Here.ToParsableString()).WaitAsync(TimeSpan.FromSeconds(5), cancellation)
                    .ConfigureAwait(false);
            }
            catch (Exception e) when (e is OrleansException or TimeoutException)
            {
                LogUnmoved(_logger, silo.ToString(), e);
            }
        })).ConfigureAwait(false);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(200), _options.Time);
        while (_cluster.Silos.Length > 0 && !(_replicas.IsEmpty && _leaders.IsEmpty))
        {
            try
            {
                await MoveAsync(cancellation).ConfigureAwait(false);
            }
            catch (Exception e) when (e is not OutOfMemoryException && !cancellation.IsCancellationRequested)
            {
                // What went wrong for one partition, or with the storage for a moment, must not keep the rest from being handed over.
                LogUnmoved(_logger, _cluster.Here.ToString(), e);
            }

            if (_replicas.IsEmpty && _leaders.IsEmpty)
                return;
            await timer.WaitForNextTickAsync(cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Looks at every change of the plan, and from time to time.</summary>
    private async Task KeepAsync()
    {
        try
        {
            while (!_stopping.IsCancellationRequested)
            {
                var changed = _cluster.Changed;
                try
                {
                    await ActivateAsync().ConfigureAwait(false);
                    await MoveAsync(_stopping.Token).ConfigureAwait(false);
                }
                catch (Exception e) when (e is not (OutOfMemoryException or OperationCanceledException))
                {
                    LogUnmoved(_logger, _cluster.Here.ToString(), e);
                }

                await Task.WhenAny(changed, Task.Delay(LookEvery, _options.Time, _stopping.Token)).ConfigureAwait(false);
                _stopping.Token.ThrowIfCancellationRequested();
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
        }
    }

    /// <summary>Activates the grains of the replicas that belong here and do not serve here yet.</summary>
    private Task ActivateAsync() => Task.WhenAll(_cluster.PlannedHere().Select(async planned =>
    {
        try
        {
            await ActivateAsync(planned).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OrleansException or TimeoutException or GranaryException)
        {
            LogUnmoved(_logger, GrainKeys.Of(planned.Partition, planned.Replica), e);
        }
    }));

    private async Task ActivateAsync(ReplicaKey planned)
    {
        var key = GrainKeys.Of(planned.Partition, planned.Replica);
        // A partition's writer opens its log, which is what its replicas read; it is beside the first of them.
        if (planned.Replica == 0 && !_leaders.ContainsKey(planned.Partition))
            await _grains.GetGrain<ICollectionGrain>(GrainKeys.Of(planned.Partition)).StateAsync().WaitAsync(CallLimit)
                .ConfigureAwait(false);
        if (HasGrain(planned.Partition, planned.Replica))
            return;
        // Answered from where it is: the silo that has it still hands it over when this one is warm.
        await _grains.GetGrain<IIndexerGrain>(key).PingAsync().WaitAsync(CallLimit).ConfigureAwait(false);
    }

    private async Task MoveAsync(CancellationToken cancellation)
    {
        await _moving.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            foreach (var (partition, replica) in _replicas)
            {
                if (_cluster.NumberHere(partition) is { } number && number != replica.Replica)
                    replica.Assign(number);
            }

            await Task.WhenAll(GrainsHere().Select(g => MoveAsync(g.Partition, g.Replica, cancellation))).ConfigureAwait(false);
            await CloseStraysAsync(cancellation).ConfigureAwait(false);
            await Task.WhenAll(_leaders.Keys.Select(p => MoveLeaderAsync(p, cancellation))).ConfigureAwait(false);
        }
        finally
        {
            _moving.Release();
        }
    }

    /// <summary>Lets a partition's writer go that belongs elsewhere, or to no collection any more.</summary>
    private async Task MoveLeaderAsync(PartitionKey partition, CancellationToken cancellation)
    {
        var place = _cluster.PlaceOf(partition, 0);
        if (_cluster.Here.Equals(place)
            || (place is null && await FindAsync(partition.Incarnation, cancellation).ConfigureAwait(false) is not null))
            return;
        try
        {
            await _grains.GetGrain<ICollectionGrain>(GrainKeys.Of(partition)).MoveAwayAsync().WaitAsync(CallLimit, cancellation)
                .ConfigureAwait(false);
        }
        catch (Exception e) when (e is OrleansException or TimeoutException or GranaryException)
        {
            LogUnmoved(_logger, GrainKeys.Of(partition), e);
        }
    }

    /// <summary>Lets a grain go that belongs elsewhere, once what takes its place is warm.</summary>
    private async Task MoveAsync(PartitionKey partition, int number, CancellationToken cancellation)
    {
        var place = _cluster.PlaceOf(partition, number);
        if (_cluster.Here.Equals(place))
            return;
        var known = await FindAsync(partition.Incarnation, cancellation).ConfigureAwait(false);
        // The only silo there is keeps what it has until its end.
        if (known is not null && place is null && _cluster.Silos.IsEmpty)
            return;
        var key = GrainKeys.Of(partition, number);
        try
        {
            // A number without a place gives way to the one that has this silo, which must be there first.
            if (known is not null && place is null && _cluster.NumberHere(partition) is { } here && !HasGrain(partition, here))
                return;
            if (known is not null && place is not null
                && !await SiloAt(place).PrepareAsync(key).WaitAsync(WarmLimit, cancellation).ConfigureAwait(false))
                return;
            await _grains.GetGrain<IIndexerGrain>(key).MoveAwayAsync().WaitAsync(CallLimit, cancellation).ConfigureAwait(false);
            Telemetry.Cluster.Moves.Add();
        }
        catch (Exception e) when (e is OrleansException or TimeoutException or GranaryException)
        {
            LogUnmoved(_logger, key, e);
        }
    }

    /// <summary>Closes replicas that no grain stands before and that have no place here, or no collection.</summary>
    private async Task CloseStraysAsync(CancellationToken cancellation)
    {
        foreach (var partition in _replicas.Keys)
        {
            if (_cluster.NumberHere(partition) is not null
                && await FindAsync(partition.Incarnation, cancellation).ConfigureAwait(false) is not null)
                continue;
            PartitionReplica? stray = null;
            lock (_lock)
            {
                if (!_grainsHere.ContainsKey(partition))
                    _replicas.TryRemove(partition, out stray);
            }

            if (stray is not null)
                _ = CloseAsync(partition, stray);
        }
    }

    private ISiloGrain SiloAt(SiloAddress silo) => _grains.GetGrain<ISiloGrain>(silo.ToParsableString());

    [LoggerMessage(3, LogLevel.Information, "{What} could not be moved now; it is tried again")]
    private static partial void LogUnmoved(ILogger logger, string what, Exception e);
}
