using Granary.Index;

namespace Granary.Collections.Embedding;

public sealed partial class EmbeddingPipeline
{
    private readonly Lock _lock = new();
    private readonly Dictionary<int, SortedSet<Job>> _pending = [];
    private readonly List<(int Partition, long First, long Last, TaskCompletionSource Source)> _waiters = [];
    private readonly Dictionary<(int Partition, PointId Id), int> _points = [];
    private long _sequence;

    /// <summary>Texts waiting for their vector.</summary>
    public long Pending
    {
        get
        {
            lock (_lock)
                return _pending.Values.Sum(p => (long)p.Count);
        }
    }

    /// <summary>Texts of a partition waiting for their vector.</summary>
    public long PendingOf(int partition)
    {
        lock (_lock)
            return _pending.TryGetValue(partition, out var jobs) ? jobs.Count : 0;
    }

    /// <summary>
    /// As <see cref="WaitAsync(int, long, long)"/>, or with <paramref name="first"/> 0 as <see cref="WaitAllAsync"/>, within a time limit;
    /// false: it passed.
    /// </summary>
    public async ValueTask<bool> WaitAsync(int partition, long first, long last, TimeSpan? limit, CancellationToken cancellation)
    {
        var wait = first == 0 ? WaitAllAsync(partition, last) : WaitAsync(partition, first, last);
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
    /// Completes when no text of these operations waits for its vector; the vectors are applied then. Texts found by looking for
    /// points that lack a vector count as operation 0.
    /// </summary>
    public ValueTask WaitAsync(int partition, long first, long last)
    {
        lock (_lock)
        {
            if (IsSettled(partition, first, last))
                return ValueTask.CompletedTask;
            var source = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiters.Add((partition, first, last, source));
            return new ValueTask(source.Task);
        }
    }

    /// <summary>
    /// As <see cref="WaitAsync(int, long, long)"/> for every operation up to one, and for the points that looking for lacking vectors
    /// finds.
    /// </summary>
    public async ValueTask WaitAllAsync(int partition, long last)
    {
        await _scan.ConfigureAwait(false);
        await WaitAsync(partition, 0, last).ConfigureAwait(false);
    }

    private bool IsSettled(int partition, long first, long last) =>
        !_pending.TryGetValue(partition, out var jobs) || jobs.Count == 0
            || jobs.GetViewBetween(Job.Before(first), Job.Before(last + 1)).Min is null;

    private bool IsPending(int partition, PointId id)
    {
        lock (_lock)
            return _points.ContainsKey((partition, id));
    }

    private void Begin(Job job)
    {
        lock (_lock)
        {
            job.Sequence = _sequence++;
            if (!_pending.TryGetValue(job.Partition, out var jobs))
                _pending[job.Partition] = jobs = [];
            jobs.Add(job);
            _points[(job.Partition, job.Id)] = _points.GetValueOrDefault((job.Partition, job.Id)) + 1;
        }
    }

    private void End(Job job)
    {
        lock (_lock)
        {
            if (_pending.TryGetValue(job.Partition, out var jobs) && jobs.Remove(job))
            {
                var left = _points[(job.Partition, job.Id)] - 1;
                if (left == 0)
                    _points.Remove((job.Partition, job.Id));
                else
                    _points[(job.Partition, job.Id)] = left;
            }

            Release();
        }
    }

    private void EndAll()
    {
        lock (_lock)
        {
            _pending.Clear();
            _points.Clear();
            Release();
        }
    }

    private void Release()
    {
        for (var i = _waiters.Count - 1; i >= 0; i--)
        {
            if (!IsSettled(_waiters[i].Partition, _waiters[i].First, _waiters[i].Last))
                continue;
            _waiters[i].Source.TrySetResult();
            _waiters.RemoveAt(i);
        }
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
