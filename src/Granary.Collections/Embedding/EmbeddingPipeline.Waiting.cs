using Granary.Index;

namespace Granary.Collections.Embedding;

public sealed partial class EmbeddingPipeline
{
    private readonly Lock _lock = new();
    private readonly Dictionary<int, SortedSet<Job>> _pending = [];
    private readonly List<(int Partition, long Operation, TaskCompletionSource Source)> _waiters = [];
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

    /// <summary>Completes when no text of an operation up to this one waits for its vector; the vectors are applied then.</summary>
    public ValueTask WaitAsync(int partition, long operation)
    {
        lock (_lock)
        {
            if (IsSettled(partition, operation))
                return ValueTask.CompletedTask;
            var source = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiters.Add((partition, operation, source));
            return new ValueTask(source.Task);
        }
    }

    private bool IsSettled(int partition, long operation) =>
        !_pending.TryGetValue(partition, out var jobs) || jobs.Count == 0 || jobs.Min!.Operation > operation;

    private void Begin(Job job)
    {
        lock (_lock)
        {
            job.Sequence = _sequence++;
            if (!_pending.TryGetValue(job.Partition, out var jobs))
                _pending[job.Partition] = jobs = [];
            jobs.Add(job);
        }
    }

    private void End(Job job)
    {
        lock (_lock)
        {
            if (_pending.TryGetValue(job.Partition, out var jobs))
                jobs.Remove(job);
            Release();
        }
    }

    private void EndAll()
    {
        lock (_lock)
        {
            _pending.Clear();
            Release();
        }
    }

    private void Release()
    {
        for (var i = _waiters.Count - 1; i >= 0; i--)
        {
            if (!IsSettled(_waiters[i].Partition, _waiters[i].Operation))
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

        public int CompareTo(Job? other) =>
            other is null ? 1 : Operation != other.Operation ? Operation.CompareTo(other.Operation) : Sequence.CompareTo(other.Sequence);
    }
}
