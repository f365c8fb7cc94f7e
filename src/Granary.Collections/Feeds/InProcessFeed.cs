using System.Threading.Tasks.Sources;
using Granary.Collections.Ports;

namespace Granary.Collections.Feeds;

/// <summary>A feed inside one process: many ring, one listens. Rings between two waits are one ring.</summary>
public sealed class InProcessFeed : IFeed, IFeedListener, IValueTaskSource<long>, IDisposable
{
    private readonly Lock _lock = new();
    private readonly ITimer _timer;
    private ManualResetValueTaskSourceCore<long> _source = new() { RunContinuationsAsynchronously = true };
    private CancellationTokenRegistration _cancellation;
    private long _last;
    private bool _rung;
    private bool _waiting;

    /// <summary>Makes a feed that nobody has rung yet.</summary>
    /// <param name="time">The clock of the waits' limits.</param>
    public InProcessFeed(TimeProvider time) =>
        _timer = time.CreateTimer(
            static state => ((InProcessFeed)state!).Complete(rung: false), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    /// <inheritdoc/>
    public void Ring(long firstOperation, long lastOperation)
    {
        lock (_lock)
            _last = Math.Max(_last, lastOperation);
        Complete(rung: true);
    }

    /// <inheritdoc/>
    public ValueTask<long> WaitAsync(TimeSpan limit, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        lock (_lock)
        {
            if (_rung)
            {
                _rung = false;
                return new ValueTask<long>(_last);
            }

            if (limit == TimeSpan.Zero)
                return new ValueTask<long>(_last);
            if (_waiting)
                throw new InvalidOperationException("A feed has one listener.");
            _source.Reset();
            _waiting = true;
            _cancellation = cancellation.UnsafeRegister(static (state, token) => ((InProcessFeed)state!).Cancel(token), this);
            if (limit != Timeout.InfiniteTimeSpan)
                _timer.Change(limit, Timeout.InfiniteTimeSpan);
            return new ValueTask<long>(this, _source.Version);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    long IValueTaskSource<long>.GetResult(short token)
    {
        // Outside the lock: disposing a registration waits for its callback, which takes the lock.
        _cancellation.Dispose();
        return _source.GetResult(token);
    }

    ValueTaskSourceStatus IValueTaskSource<long>.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource<long>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);

    private void Complete(bool rung)
    {
        lock (_lock)
        {
            if (!_waiting)
            {
                _rung |= rung;
                return;
            }

            _waiting = false;
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _source.SetResult(_last);
        }
    }

    private void Cancel(CancellationToken token)
    {
        lock (_lock)
        {
            if (!_waiting)
                return;
            _waiting = false;
            _source.SetException(new OperationCanceledException(token));
        }
    }
}
