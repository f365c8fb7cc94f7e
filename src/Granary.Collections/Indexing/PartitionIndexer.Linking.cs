using System.Collections.Concurrent;
using System.Diagnostics;
using Granary.Collections.Diagnostics;
using Granary.Index;

namespace Granary.Collections.Indexing;

public sealed partial class PartitionIndexer
{
    private const int MaxLinkBatch = 1024;

    /// <summary>Last operation, count and time of logging of every record that is applied and not linked.</summary>
    private readonly ConcurrentQueue<(long Last, int Count, long Logged)> _marks = new();
    private volatile bool _linkerIdle = true;

    /// <summary>Age of the oldest operation that is applied and not linked.</summary>
    public TimeSpan Lag
    {
        get
        {
            var oldest = _marks.TryPeek(out var mark) ? mark.Logged : _options.Tail?.OldestTimestamp;
            return oldest is { } at ? Stopwatch.GetElapsedTime(at) : TimeSpan.Zero;
        }
    }

    private void RingLinker()
    {
        // What is due is published before the linker is looked at, as it says that it is idle before it looks what is due: one sees the
        // other.
        Interlocked.MemoryBarrier();
        if (_linkerIdle || _holder.Index.PendingLinks >= _settings.BatchSize)
            _linkBell.Ring(0, Applied.Value);
    }

    /// <summary>The long-lived worker that links what is applied, in batches. Searches and applying go on meanwhile.</summary>
    private async Task RunLinkAsync()
    {
        try
        {
            var stop = _stopping.Token;
            // After a restart strong searches wait until the log's rest is applied, and linking it would take half the processors from
            // that. Until then it is searched exhaustively.
            await Applied.WaitAsync(_loggedBefore, stop).ConfigureAwait(false);
            var first = true;
            while (true)
            {
                _linkerIdle = true;
                Interlocked.MemoryBarrier();
                if (!first && !IsLinkDue())
                    await _linkBell.WaitAsync(Timeout.InfiniteTimeSpan, stop).ConfigureAwait(false);
                first = false;
                _linkerIdle = false;
                await GatherAsync(stop).ConfigureAwait(false);
                await LinkAllAsync(stop).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
        }
        catch (GranaryException e) when (ReferenceEquals(e, _fault))
        {
            // Applying stopped before the log's rest was applied, and has said so.
        }
        catch (Exception e)
        {
            Stop(e);
        }
    }

    /// <summary>Waits until a batch is full or old enough; somebody who waits for the graph is not kept waiting for company.</summary>
    private async ValueTask GatherAsync(CancellationToken stop)
    {
        var started = _options.Time.GetTimestamp();
        while (true)
        {
            var settings = _settings;
            var left = settings.BatchDelay - _options.Time.GetElapsedTime(started);
            if (left <= TimeSpan.Zero || settings.Mode == IndexingMode.Synchronous || Linked.HasWaiters
                || _holder.Index.PendingLinks >= settings.BatchSize)
                return;
            await _linkBell.WaitAsync(left, stop).ConfigureAwait(false);
        }
    }

    private async ValueTask LinkAllAsync(CancellationToken stop)
    {
        while (true)
        {
            var holder = _holder;
            if (!holder.TryEnter())
                continue;
            int linked;
            bool more;
            try
            {
                var settings = _settings;
                var parallelism = settings.LinkParallelism > 0 ? settings.LinkParallelism : Environment.ProcessorCount;
                var max = Math.Clamp(holder.Index.PendingLinks, settings.BatchSize, Math.Max(settings.BatchSize, MaxLinkBatch));
                var started = Stopwatch.GetTimestamp();
                linked = holder.Index.Link(max, parallelism, stop);
                if (linked > 0)
                    _options.Timings.Link.Record(Stopwatch.GetTimestamp() - started, linked);
                if (ReferenceEquals(holder, _holder))
                    PublishLinked(Math.Min(holder.Index.LinkedOperation, Applied.Value));
                // A sweep around removed rows goes on in slices, also when nothing is left to link.
                more = linked > 0 || holder.Index.LinkDue;
            }
            finally
            {
                holder.Leave();
            }

            Telemetry.Linked.Add(linked);
            if (!more)
                return;
            stop.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private bool IsLinkDue()
    {
        if (!_marks.IsEmpty)
            return true;
        var holder = _holder;
        // An index that was replaced meanwhile rings for itself.
        if (!holder.TryEnter())
            return false;
        try
        {
            return holder.Index.LinkDue;
        }
        finally
        {
            holder.Leave();
        }
    }

    private void PublishLinked(long operation)
    {
        while (_marks.TryPeek(out var mark) && mark.Last <= operation)
        {
            _marks.TryDequeue(out _);
            _options.Timings.Lag.Record((Stopwatch.GetTimestamp() - mark.Logged) * mark.Count, mark.Count);
        }

        Linked.Advance(operation);
        _options.OnLinked?.Invoke(operation);
    }

    /// <summary>Completes once everything up to an operation is linked; hastens the batch that is being gathered.</summary>
    public ValueTask<bool> WaitLinkedAsync(long operation, TimeSpan? limit, CancellationToken cancellation)
    {
        var wait = Linked.WaitAsync(operation, limit, _options.Time, cancellation);
        if (!wait.IsCompleted)
            _linkBell.Ring(0, operation);
        return wait;
    }
}
