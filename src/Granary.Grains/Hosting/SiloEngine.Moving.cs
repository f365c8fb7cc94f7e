using Granary.Grains.Interfaces;
using Microsoft.Extensions.Logging;

namespace Granary.Grains.Hosting;

/// <summary>Keeps here what should be here, and hands over what should be elsewhere.</summary>
internal sealed partial class SiloEngine
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(2);
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
            await MoveAsync(cancellation).ConfigureAwait(false);
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
        var key = GrainKeys.Of(planned.Partition, planned.Replica);
        // A partition's writer opens its log, which is what its replicas read; it is beside the first of them.
        if (planned.Replica == 0 && !_leaders.ContainsKey(planned.Partition))
            await _grains.GetGrain<ICollectionGrain>(GrainKeys.Of(planned.Partition)).StateAsync().WaitAsync(TimeSpan.FromSeconds(10))
                .ConfigureAwait(false);
        if (_replicas.TryGetValue(key, out var hosted) && !hosted.IsStandingBy)
            return;
        // Answered from where it is: the silo that has it still hands it over when this one is warm.
        await _grains.GetGrain<IIndexerGrain>(key).PingAsync().WaitAsync(TimeSpan.FromSeconds(10)).ConfigureAwait(false);
    }));

    private async Task MoveAsync(CancellationToken cancellation)
    {
        await _moving.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            await Task.WhenAll(_replicas.Keys.Select(key => MoveAsync(key, cancellation))).ConfigureAwait(false);
            foreach (var partition in _leaders.Keys)
            {
                if (_cluster.PlaceOf(partition, 0) is { } place && !place.Equals(_cluster.Here))
                    await _grains.GetGrain<ICollectionGrain>(GrainKeys.Of(partition)).MoveAwayAsync().WaitAsync(cancellation)
                        .ConfigureAwait(false);
            }
        }
        finally
        {
            _moving.Release();
        }
    }

    private async Task MoveAsync(string key, CancellationToken cancellation)
    {
        var (partition, replica) = GrainKeys.Parse(key);
        var place = _cluster.PlaceOf(partition, replica);
        if (_cluster.Here.Equals(place))
            return;
        var known = await FindAsync(partition.Incarnation, cancellation).ConfigureAwait(false);
        // The only silo there is keeps what it has until its end.
        if (known is not null && place is null && _cluster.Silos.IsEmpty)
            return;
        var grain = _grains.GetGrain<IIndexerGrain>(key);
        try
        {
            if (known is not null && place is not null
                && !await SiloAt(place).PrepareAsync(key).WaitAsync(TimeSpan.FromSeconds(30), cancellation).ConfigureAwait(false))
                return;
            // The grain may be elsewhere already; only the one that is out of place moves.
            if (_replicas.TryGetValue(key, out var hosted) && !hosted.IsStandingBy)
                await grain.MoveAwayAsync().WaitAsync(TimeSpan.FromSeconds(10), cancellation).ConfigureAwait(false);
            else
                Close(key);
        }
        catch (Exception e) when (e is OrleansException or TimeoutException)
        {
            LogUnmoved(_logger, key, e);
        }
    }

    private ISiloGrain SiloAt(SiloAddress silo) => _grains.GetGrain<ISiloGrain>(silo.ToParsableString());

    [LoggerMessage(3, LogLevel.Information, "{What} could not be moved now; it is tried again")]
    private static partial void LogUnmoved(ILogger logger, string what, Exception e);
}
