using Granary.Index;

namespace Granary.Collections.Embedding;

public sealed partial class EmbeddingPipeline
{
    private readonly Lock _lock = new();
    private readonly Dictionary<int, SortedSet<Job>> _pending = [];
    private readonly List<Waiter> _waiters = [];
    private readonly Dictionary<(int Partition, PointId Id), Job> _points = [];
    private long _sequence;

    /// <summary>Texts waiting for their vector; those that are still to be looked for count as one a partition.</summary>
    public long Pending
    {
        get
        {
            lock (_lock)
                return _pending.Keys.Union(_lookups.Keys).Sum(PendingIn);
        }
    }

    /// <summary>Texts of a partition waiting for their vector, counted likewise.</summary>
    public long PendingOf(int partition)
    {
        lock (_lock)
            return PendingIn(partition);
    }

    /// <summary>
    /// As <see cref="WaitAsync(int, long, long)"/> within a time limit; false: it passed.
    /// </summary>
    public async ValueTask<bool> WaitAsync(int partition, long first, long last, TimeSpan? limit, CancellationToken cancellation)
    {
        var wait = WaitAsync(partition, first, last);
        if (wait.IsCompletedSuccessfully)
            return true;
        try
        {
            await wait.AsTask().WaitAsync(limit ?? Timeout.InfiniteTimeSpan, _time, cancellation).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    /// <summary>
    /// Completes when no text of these operations waits for its vector; the vectors are applied then. Looking for points that lack one
    /// after a start or a change of rules counts as operation 0.
    /// </summary>
    public ValueTask WaitAsync(int partition, long first, long last) => WaitAsync(new Waiter(partition, first, last, Lookups: true));

    private ValueTask WaitAsync(Waiter waiter)
    {
        lock (_lock)
        {
            if (IsSettled(waiter))
                return ValueTask.CompletedTask;
            _waiters.Add(waiter);
            return new ValueTask(waiter.Source.Task);
        }
    }

    private long PendingIn(int partition) => (_pending.TryGetValue(partition, out var jobs) ? jobs.Count : 0)
        + (_lookups.TryGetValue(partition, out var lookup) && lookup.Asked ? 1 : 0);

    private bool IsSettled(Waiter waiter)
    {
        if (waiter.Lookups && _lookups.TryGetValue(waiter.Partition, out var lookup) && lookup.Concerns(waiter.First, waiter.Last))
            return false;
        return !_pending.TryGetValue(waiter.Partition, out var jobs) || jobs.Count == 0
            || jobs.GetViewBetween(Job.Before(waiter.First), Job.Before(waiter.Last + 1)).Min is null;
    }

    /// <summary>The operation that a point's text is waiting for already; -1 when it is not.</summary>
    private long PendingOperation(int partition, PointId id)
    {
        lock (_lock)
            return _points.TryGetValue((partition, id), out var job) ? job.Operation : -1;
    }

    private void Begin(Job job)
    {
        lock (_lock)
        {
            job.Sequence = _sequence++;
            if (!_pending.TryGetValue(job.Partition, out var jobs))
                _pending[job.Partition] = jobs = [];
            jobs.Add(job);
            _points[(job.Partition, job.Id)] = job;
        }
    }

    private void End(Job job)
    {
        lock (_lock)
        {
            if (_pending.TryGetValue(job.Partition, out var jobs))
                jobs.Remove(job);
            if (_points.TryGetValue((job.Partition, job.Id), out var newest) && newest == job)
                _points.Remove((job.Partition, job.Id));
            Release();
        }
    }

    private void EndAll()
    {
        lock (_lock)
        {
            _pending.Clear();
            _points.Clear();
            _lookups.Clear();
            _closed = true;
            Release();
        }
    }

    private void Release()
    {
        for (var i = _waiters.Count - 1; i >= 0; i--)
        {
            if (!IsSettled(_waiters[i]))
                continue;
            _waiters[i].Source.TrySetResult();
            _waiters.RemoveAt(i);
        }
    }

    private sealed record Waiter(int Partition, long First, long Last, bool Lookups)
    {
        public TaskCompletionSource Source { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed class Job(int partition, long operation, PointId id) : IComparable<Job>
    {
        public int Partition { get; } = partition;

        public long Operation { get; } = operation;

        public PointId Id { get; } = id;

        public long Sequence { get; set; }

        /// <summary>A bound: before every job of an operation.</summary>
        public static Job Before(long operation) => new(0, operation, default) { Sequence = -1 };

        public int CompareTo(Job? other) =>
            other is null ? 1 : Operation != other.Operation ? Operation.CompareTo(other.Operation) : Sequence.CompareTo(other.Sequence);
    }
}
