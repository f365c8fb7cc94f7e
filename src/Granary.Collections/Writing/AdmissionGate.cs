using Granary.Collections.Diagnostics;
using Granary.Index;

namespace Granary.Collections.Writing;

/// <summary>
/// Bounds the distance between logged and linked operations of a partition: writers enter before they append, first come first
/// served, and wait while the queue is full. What was admitted is never dropped.
/// </summary>
public sealed class AdmissionGate
{
    private readonly Lock _lock = new();
    private readonly LinkedList<Waiter> _waiters = new();
    private readonly TimeProvider _time;
    private long _admitted;
    private long _linked;
    private int _capacity;
    private GranaryException? _fault;

    /// <summary>Starts with what is logged and linked already.</summary>
    public AdmissionGate(int capacity, long logged, long linked, TimeProvider time) =>
        (_capacity, _admitted, _linked, _time) = (capacity, logged, linked, time);

    /// <summary>How many operations may be logged and not linked.</summary>
    public int Capacity
    {
        get => Volatile.Read(ref _capacity);
        set
        {
            lock (_lock)
            {
                _capacity = value;
                LetIn();
            }
        }
    }

    /// <summary>Admitted and not linked.</summary>
    public long Depth
    {
        get
        {
            lock (_lock)
                return _admitted - _linked;
        }
    }

    /// <summary>
    /// Admits a batch, at once or when there is room. A batch larger than the capacity is admitted when the queue is empty.
    /// </summary>
    /// <exception cref="GranaryException">There was no room within the limit (<see cref="ErrorKind.TooManyRequests"/>).</exception>
    public ValueTask EnterAsync(int count, TimeSpan limit, CancellationToken cancellation)
    {
        Waiter waiter;
        lock (_lock)
        {
            if (_fault is not null)
                return ValueTask.FromException(_fault);
            if (_waiters.Count == 0 && HasRoom(count))
            {
                _admitted += count;
                return ValueTask.CompletedTask;
            }

            waiter = new Waiter(count);
            waiter.Node = _waiters.AddLast(waiter);
        }

        return WaitAsync(waiter, limit, cancellation);
    }

    /// <summary>Admits without asking: what the engine itself must log (embeddings, schema changes).</summary>
    public void Force(int count)
    {
        lock (_lock)
            _admitted += count;
    }

    /// <summary>Takes back an admission whose append failed.</summary>
    public void Cancel(int count)
    {
        lock (_lock)
        {
            _admitted -= count;
            LetIn();
        }
    }

    /// <summary>Everything up to an operation is linked.</summary>
    public void OnLinked(long linked)
    {
        lock (_lock)
        {
            if (linked <= _linked)
                return;
            _linked = linked;
            LetIn();
        }
    }

    /// <summary>As <see cref="OnLinked"/>, also where the mark goes back: another replica counts from now on.</summary>
    public void Mark(long linked)
    {
        lock (_lock)
        {
            _linked = linked;
            LetIn();
        }
    }

    /// <summary>Refuses everybody who waits, and everybody who comes.</summary>
    public void Fail(GranaryException fault)
    {
        lock (_lock)
        {
            _fault = fault;
            while (_waiters.First is { } first)
            {
                _waiters.RemoveFirst();
                first.Value.Node = null;
                first.Value.TrySetException(fault);
            }
        }
    }

    private bool HasRoom(int count) => _admitted - _linked + count <= _capacity || _admitted <= _linked;

    private void LetIn()
    {
        while (_waiters.First is { } first && HasRoom(first.Value.Count))
        {
            _waiters.RemoveFirst();
            first.Value.Node = null;
            _admitted += first.Value.Count;
            first.Value.TrySetResult();
        }
    }

    private async ValueTask WaitAsync(Waiter waiter, TimeSpan limit, CancellationToken cancellation)
    {
        try
        {
            await waiter.Task.WaitAsync(limit, _time, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            long depth;
            lock (_lock)
            {
                // Let in at the last moment: the admission stands, unless the caller is gone.
                if (waiter.Node is null)
                {
                    if (e is TimeoutException)
                        return;
                    _admitted -= waiter.Count;
                    LetIn();
                    throw;
                }

                _waiters.Remove(waiter.Node);
                depth = _admitted - _linked;
                LetIn();
            }

            if (e is OperationCanceledException)
                throw;
            Telemetry.Refused.Add(1);
            throw new GranaryException(
                ErrorKind.TooManyRequests,
                $"The indexing queue is full: {depth} operations of at most {_capacity} are waiting, and there was no room for "
                    + $"{waiter.Count} more within {limit.TotalSeconds:0.###} s")
            {
                RetryAfter = TimeSpan.FromSeconds(1),
            };
        }
    }

    private sealed class Waiter(int count) : TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public int Count { get; } = count;

        public LinkedListNode<Waiter>? Node { get; set; }
    }
}
