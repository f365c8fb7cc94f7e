namespace Granary.Collections.Partitions;

/// <summary>
/// Whether one replica's engine may serve reads. Valid until a moment by the monotonic clock of this process, counted from before the
/// renewal was sent; after a lapse only once everything is applied that was in the log when the lease was got again.
/// </summary>
public sealed class LeaseState
{
    private readonly TimeProvider _time;
    private readonly Func<long> _applied;
    private readonly Lock _lock = new();
    private long _sent;
    private TimeSpan _duration;
    private long _floor;
    private bool _given;
    private bool _revoked;

    internal LeaseState(TimeProvider time, Func<long> applied) => (_time, _applied) = (time, applied);

    /// <summary>Why it may not serve now; null when it may.</summary>
    public string? Reason
    {
        get
        {
            lock (_lock)
            {
                if (!IsRunning())
                    return _given ? "its lease ran out" : "it has no lease yet";
                var applied = _applied();
                return applied >= _floor ? null : $"it is catching up: operation {applied} of {_floor}";
            }
        }
    }

    /// <summary>A renewal came back.</summary>
    /// <param name="sent">The timestamp from before it was sent.</param>
    /// <param name="duration">What was asked for.</param>
    /// <param name="head">The partition's next operation when it was renewed; 0: no lease was given.</param>
    internal void Renewed(long sent, TimeSpan duration, long head)
    {
        lock (_lock)
        {
            if (head == 0)
            {
                _given = false;
                return;
            }

            // It ran out meanwhile: whoever wrote then did not wait for this replica.
            if (!IsRunning())
                _floor = Math.Max(_floor, head - 1);
            (_sent, _duration, _given) = (sent, duration, true);
        }
    }

    /// <summary>It may not serve any more, whatever renewals still come back.</summary>
    internal void Revoke()
    {
        lock (_lock)
            _revoked = true;
    }

    private bool IsRunning() => _given && !_revoked && _time.GetElapsedTime(_sent) < _duration;
}
