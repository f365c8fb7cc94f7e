using System.Collections.Concurrent;
using Granary.Collections.Diagnostics;
using Granary.Index;

namespace Granary.Collections.Indexing;

public sealed partial class PartitionIndexer
{
    private const int KeptFailures = 100;
    private readonly ConcurrentQueue<FailedOperation> _failures = new();
    private long _failed;

    /// <summary>How many operations were passed over.</summary>
    public long Failed => Volatile.Read(ref _failed);

    /// <summary>The newest of them, oldest first.</summary>
    public IReadOnlyCollection<FailedOperation> Failures => _failures;

    private void Report(long operation, PointId? point, string reason)
    {
        Interlocked.Increment(ref _failed);
        Telemetry.Failed.Add(1);
        _failures.Enqueue(new FailedOperation(Key.Number, operation, point?.ToString(), reason, _options.Time.GetUtcNow()));
        while (_failures.Count > KeptFailures)
            _failures.TryDequeue(out _);
    }
}
