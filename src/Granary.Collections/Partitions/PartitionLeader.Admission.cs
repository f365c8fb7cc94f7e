using System.Collections.Concurrent;

namespace Granary.Collections.Partitions;

public sealed partial class PartitionLeader
{
    /// <summary>A reservation that is not used for so long gives its room back.</summary>
    public static readonly TimeSpan ReservationLifetime = TimeSpan.FromSeconds(30);

    /// <summary>A replica that says nothing for so long holds nobody up any more.</summary>
    public static readonly TimeSpan ProgressLifetime = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);
    private readonly ConcurrentDictionary<long, (int Count, long Since)> _reserved = new();
    private readonly Dictionary<int, Progress> _progress = [];
    private readonly Lock _progressLock = new();

    /// <summary>Admitted operations that are not linked everywhere.</summary>
    public long Depth => _gate.Depth;

    /// <inheritdoc/>
    public async ValueTask<Reservation> ReserveAsync(int count, TimeSpan admission, CancellationToken cancellation)
    {
        ThrowIfClosed();
        await _gate.EnterAsync(count, admission, cancellation).ConfigureAwait(false);
        // Another leader's reservation must not be taken for one of this one's.
        var id = Random.Shared.NextInt64(1, long.MaxValue);
        _reserved[id] = (count, _time.GetTimestamp());
        return new Reservation(id, count);
    }

    /// <inheritdoc/>
    public ValueTask ReleaseAsync(Reservation reservation, CancellationToken cancellation)
    {
        GiveBack(reservation.Id);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public async ValueTask<long> WriteReservedAsync(
        Guid batch, bool retry, Reservation reservation, ReadOnlyMemory<byte> operations, CancellationToken cancellation)
    {
        try
        {
            return await OnceAsync(
                batch, retry,
                () =>
                {
                    if (!_reserved.TryRemove(reservation.Id, out _))
                        _gate.Force(reservation.Count);
                    return AppendAsync(batch, operations, reservation.Count);
                },
                cancellation).ConfigureAwait(false);
        }
        finally
        {
            // Not used where the batch was in the log already.
            GiveBack(reservation.Id);
        }
    }

    /// <inheritdoc/>
    public ValueTask ReportAsync(ReplicaProgress progress, CancellationToken cancellation)
    {
        lock (_progressLock)
        {
            if (!_progress.TryGetValue(progress.Replica, out var known) || known.Instance != progress.Instance)
                _progress[progress.Replica] = known = new Progress(progress.Instance);
            known.Linked = Math.Max(known.Linked, progress.Linked);
            known.Heard = _time.GetTimestamp();
            Mark();
        }

        return ValueTask.CompletedTask;
    }

    private void GiveBack(long reservation)
    {
        if (_reserved.TryRemove(reservation, out var room))
            _gate.Cancel(room.Count);
    }

    private void LookAround()
    {
        foreach (var (id, room) in _reserved)
        {
            if (_time.GetElapsedTime(room.Since) >= ReservationLifetime)
                GiveBack(id);
        }

        if (_others is { } others && _time.GetElapsedTime(others.Since) >= OthersLifetime)
            Interlocked.CompareExchange(ref _others, null, others);
        lock (_progressLock)
            Mark();
        if (Volatile.Read(ref _disposed) == 0)
            _timer.Change(LookEvery, Timeout.InfiniteTimeSpan);
    }

    /// <summary>
    /// What counts as linked: as far as the last of the replicas that keep up. One that was opened anew counts once it has caught up to a
    /// queue's length (until then the others do, and while there are none the best of those that are behind), and one that fell silent no
    /// more. With nobody to say, nothing more gets linked: the queue fills, and is bounded.
    /// </summary>
    private void Mark()
    {
        long? last = null, best = null;
        foreach (var (_, replica) in _progress)
        {
            if (_time.GetElapsedTime(replica.Heard) >= ProgressLifetime)
                continue;
            replica.KeepsUp |= replica.Linked >= Logged - _settings.QueueCapacity;
            if (replica.KeepsUp)
                last = Math.Min(last ?? long.MaxValue, replica.Linked);
            best = Math.Max(best ?? 0, replica.Linked);
        }

        if ((last ?? best) is { } linked)
            _gate.Mark(linked);
    }

    private sealed class Progress(Guid instance)
    {
        public Guid Instance { get; } = instance;

        public long Linked { get; set; }

        public long Heard { get; set; }

        public bool KeepsUp { get; set; }
    }
}
