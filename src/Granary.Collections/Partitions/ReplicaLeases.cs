using System.Collections.Immutable;
using Granary.Collections.Diagnostics;
using Granary.Collections.Feeds;
using Granary.Collections.Ports;

namespace Granary.Collections.Partitions;

/// <summary>Keeps the leases of all replicas in this process: one renewal for all of them, every second.</summary>
public sealed class ReplicaLeases : IAsyncDisposable
{
    /// <summary>How long a lease runs unless told otherwise.</summary>
    public static readonly TimeSpan DefaultDuration = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);
    private readonly ILeaseStore _store;
    private readonly TimeProvider _time;
    private readonly TimeSpan _duration;
    private readonly InProcessFeed _bell;
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _renewing = new(1, 1);
    private readonly Lock _lock = new();
    private readonly Task _worker;
    private ImmutableArray<ReplicaLease> _leases = [];

    /// <summary>Starts with none.</summary>
    /// <param name="store">Who gives leases.</param>
    /// <param name="time">The clock; its timestamps must go on while the process is stopped.</param>
    /// <param name="duration">How long a lease runs; null: <see cref="DefaultDuration"/>.</param>
    public ReplicaLeases(ILeaseStore store, TimeProvider time, TimeSpan? duration = null)
    {
        (_store, _time, _duration) = (store, time, duration ?? DefaultDuration);
        _bell = new InProcessFeed(time);
        _worker = Task.Run(RunAsync, CancellationToken.None);
    }

    /// <summary>Why the last renewal failed; null when it did not.</summary>
    public string? Error { get; private set; }

    /// <summary>Asks for a replica's lease, at once and then every second until it is disposed.</summary>
    /// <param name="request">Which engine.</param>
    /// <param name="applied">The newest operation it has applied.</param>
    /// <param name="heard">Told the newest operation of the log with every renewal; must not wait.</param>
    public ReplicaLease Register(LeaseRequest request, Func<long> applied, Action<long> heard)
    {
        var lease = new ReplicaLease(this, request, new LeaseState(_time, applied), heard);
        lock (_lock)
            _leases = _leases.Add(lease);
        _bell.Ring(0, 0);
        return lease;
    }

    /// <summary>Renews all leases now.</summary>
    public async ValueTask RenewAsync(CancellationToken cancellation)
    {
        await _renewing.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            var leases = _leases;
            if (leases.IsEmpty)
                return;
            using var limit = new CancellationTokenSource(_duration, _time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, limit.Token);
            var sent = _time.GetTimestamp();
            var heads = await _store.RenewAsync([.. leases.Select(l => l.Request)], _duration, either.Token).ConfigureAwait(false);
            for (var i = 0; i < leases.Length; i++)
                leases[i].Renewed(sent, _duration, heads[i]);
            Telemetry.Renewals.Record(_time.GetElapsedTime(sent).TotalMilliseconds);
            Error = null;
        }
        finally
        {
            _renewing.Release();
        }
    }

    /// <summary>Gives all leases back.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _worker.ConfigureAwait(false);
        foreach (var lease in _leases)
            await lease.DisposeAsync().ConfigureAwait(false);
        _bell.Dispose();
        _stopping.Dispose();
    }

    internal async ValueTask ReleaseAsync(ReplicaLease lease)
    {
        // It stops serving before anybody is told that it holds no lease.
        lease.State.Revoke();
        lock (_lock)
            _leases = _leases.Remove(lease);
        // Not while a renewal is under way, which would give it again.
        await _renewing.WaitAsync().ConfigureAwait(false);
        try
        {
            // Taken again for the same engine: what the store holds is the new one's, and no writer may think it gone.
            if (_leases.Any(l => l.Request.Partition == lease.Request.Partition && l.Request.Instance == lease.Request.Instance))
                return;
            using var limit = new CancellationTokenSource(_duration, _time);
            await _store.ReleaseAsync([lease.Request], limit.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // It runs out by itself.
            Error = e.Message;
        }
        finally
        {
            _renewing.Release();
        }
    }

    private async Task RunAsync()
    {
        try
        {
            while (true)
            {
                await _bell.WaitAsync(Every, _stopping.Token).ConfigureAwait(false);
                try
                {
                    await RenewAsync(_stopping.Token).ConfigureAwait(false);
                }
                catch (Exception e) when (!_stopping.IsCancellationRequested)
                {
                    // Leases run out unless a later renewal comes in time.
                    Telemetry.Cluster.RenewalsFailed.Add();
                    Error = e.Message;
                }
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
        }
    }
}

/// <summary>A replica's lease while it asks for one.</summary>
public sealed class ReplicaLease : IAsyncDisposable
{
    private readonly ReplicaLeases _owner;
    private readonly Action<long> _heard;
    private int _disposed;

    internal ReplicaLease(ReplicaLeases owner, LeaseRequest request, LeaseState state, Action<long> heard) =>
        (_owner, Request, State, _heard) = (owner, request, state, heard);

    /// <summary>Which engine.</summary>
    public LeaseRequest Request { get; }

    /// <summary>Whether it may serve.</summary>
    public LeaseState State { get; }

    /// <summary>Gives it back.</summary>
    public ValueTask DisposeAsync() => Interlocked.Exchange(ref _disposed, 1) == 0 ? _owner.ReleaseAsync(this) : ValueTask.CompletedTask;

    internal void Renewed(long sent, TimeSpan duration, long head)
    {
        State.Renewed(sent, duration, head);
        if (head > 1)
            _heard(head - 1);
    }
}
