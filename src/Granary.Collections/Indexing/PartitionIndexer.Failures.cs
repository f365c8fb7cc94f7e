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

    /// <summary>The first of these operations that was passed over, if one was; they must be applied.</summary>
    public FailedOperation? FailureIn(long first, long last) =>
        Failed == 0 ? null : _failures.FirstOrDefault(f => f.Operation >= first && f.Operation <= last);

    private void Report(long operation, PointId? point, string reason)
    {
        if (_passedOver is { } passedOver)
            passedOver[operation] = true;
        _failures.Enqueue(new FailedOperation(Key.Number, operation, point?.ToString(), reason, _options.Time.GetUtcNow()));
        Interlocked.Increment(ref _failed);
        Telemetry.Failed.Add(1);
        while (_failures.Count > KeptFailures)
            _failures.TryDequeue(out _);
    }
}
