namespace Granary.Collections.Indexing;

/// <summary>A number that only grows, and those who wait for it. Advancing costs nothing while nobody waits.</summary>
public sealed class Watermark
{
    private readonly Lock _lock = new();
    private readonly PriorityQueue<TaskCompletionSource, long> _waiters = new();
    private Exception? _fault;
    private long _value;
    private int _waiting;

    /// <summary>Starts at a value.</summary>
    public Watermark(long value) => _value = value;

    /// <summary>The value now.</summary>
    public long Value => Volatile.Read(ref _value);

    /// <summary>Whether anybody waits.</summary>
    public bool HasWaiters => Volatile.Read(ref _waiting) != 0;

    /// <summary>Raises the value (a lower one changes nothing) and wakes those who waited for it.</summary>
    public void Advance(long value)
    {
        for (var seen = Volatile.Read(ref _value); seen < value;)
        {
            var before = Interlocked.CompareExchange(ref _value, value, seen);
            if (before == seen)
                break;
            seen = before;
        }

        // The exchange is a full fence: a waiter that was not counted yet reads the new value when it looks again.
        if (Volatile.Read(ref _waiting) == 0)
            return;
        lock (_lock)
        {
            while (_waiters.TryPeek(out _, out var wanted) && wanted <= Value)
            {
                _waiters.Dequeue().TrySetResult();
                _waiting--;
            }
        }
    }

    /// <summary>Fails everybody who waits, now and later, for a value not reached.</summary>
    public void Fail(Exception fault)
    {
        lock (_lock)
        {
            _fault ??= fault;
            while (_waiters.TryDequeue(out var waiter, out _))
                waiter.TrySetException(_fault);
            _waiting = 0;
        }
    }

    /// <summary>Completes once the value is at least <paramref name="value"/>.</summary>
    public ValueTask WaitAsync(long value, CancellationToken cancellation)
    {
        if (Value >= value)
            return ValueTask.CompletedTask;
        TaskCompletionSource waiter;
        lock (_lock)
        {
            Interlocked.Increment(ref _waiting);
            if (Value >= value)
            {
                Interlocked.Decrement(ref _waiting);
                return ValueTask.CompletedTask;
            }

            if (_fault is not null)
            {
                Interlocked.Decrement(ref _waiting);
                return ValueTask.FromException(_fault);
            }

            waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiters.Enqueue(waiter, value);
        }

        return cancellation.CanBeCanceled ? new ValueTask(waiter.Task.WaitAsync(cancellation)) : new ValueTask(waiter.Task);
    }

    /// <summary>Whether the value was reached within a time.</summary>
    public async ValueTask<bool> WaitAsync(long value, TimeSpan? limit, TimeProvider time, CancellationToken cancellation)
    {
        if (Value >= value)
            return true;
        var wait = WaitAsync(value, CancellationToken.None).AsTask();
        try
        {
            await wait.WaitAsync(limit ?? Timeout.InfiniteTimeSpan, time, cancellation).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }
}
