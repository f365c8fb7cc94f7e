using System.Collections.Concurrent;
using Granary.Collections.Diagnostics;
using Granary.Collections.Ports;
using Granary.Index;
using Granary.Index.Operations;

namespace Granary.Collections.Indexing;

public sealed partial class PartitionIndexer
{
    private readonly SemaphoreSlim _rebuilding = new(1, 1);

    /// <summary>What the serving index passed over since a rebuild began; null while there is none.</summary>
    private volatile ConcurrentDictionary<long, bool>? _passedOver;

    /// <summary>The log may not go behind this while a rebuilt index still has to read it.</summary>
    private long _truncateBefore = long.MaxValue;

    /// <summary>
    /// Builds the index anew from the points of the old one, which serves and is written meanwhile, links it, lets it catch up from
    /// the log, and puts it in the old one's place.
    /// </summary>
    /// <exception cref="GranaryException">
    /// The partition stopped, or the new index does not take an operation as the old one did: then the old one stays.
    /// </exception>
    public async ValueTask RebuildAsync(CancellationToken cancellation)
    {
        ThrowIfStopped();
        using var activity = Telemetry.Activities.StartActivity("granary.rebuild");
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _stopping.Token);
        var stop = stopping.Token;
        await _rebuilding.WaitAsync(stop).ConfigureAwait(false);
        PartitionIndex? fresh = null;
        try
        {
            fresh = await CopyAsync(stop).ConfigureAwait(false);
            // Most of the catching up happens without holding the applier up.
            await ReplayAsync(fresh, stop).ConfigureAwait(false);
            var parallelism = _settings.LinkParallelism > 0 ? _settings.LinkParallelism : Environment.ProcessorCount;
            while (fresh.Link(MaxLinkBatch, parallelism, stop) > 0)
                await Task.Yield();
            await _applying.WaitAsync(stop).ConfigureAwait(false);
            try
            {
                await ReplayAsync(fresh, stop).ConfigureAwait(false);
                if (fresh.AppliedOperation != Applied.Value || fresh.PointCount != _holder.Index.PointCount)
                    throw NotEquivalent(
                        $"it has {fresh.PointCount} points at operation {fresh.AppliedOperation}, the serving one "
                        + $"{_holder.Index.PointCount} at {Applied.Value}");
                Replace(new IndexHolder(fresh));
                fresh = null;
            }
            finally
            {
                _applying.Release();
            }
        }
        finally
        {
            fresh?.Dispose();
            _passedOver = null;
            Volatile.Write(ref _truncateBefore, long.MaxValue);
            _rebuilding.Release();
        }
    }

    /// <summary>A new index with the points that the old one has now.</summary>
    private async ValueTask<PartitionIndex> CopyAsync(CancellationToken stop)
    {
        ReaderLease lease;
        await _applying.WaitAsync(stop).ConfigureAwait(false);
        try
        {
            lease = OpenReader();
            // From here on the serving index says what it passes over, and the copy has to pass over the same.
            _passedOver = new ConcurrentDictionary<long, bool>();
            Volatile.Write(ref _truncateBefore, lease.Reader.Operation + 1);
        }
        finally
        {
            _applying.Release();
        }

        using (lease)
        {
            await Task.Yield();
            return PartitionIndex.CopyOf(lease.Reader, stop);
        }
    }

    /// <summary>Applies the log's rest, to the effect that the serving index had.</summary>
    private async ValueTask ReplayAsync(PartitionIndex index, CancellationToken stop)
    {
        if (index.AppliedOperation >= Applied.Value)
            return;
        await foreach (var record in _options.Log.ReadAsync(index.AppliedOperation + 1, stop).ConfigureAwait(false))
        {
            if (index.AppliedOperation >= Applied.Value)
                return;
            Replay(index, record);
        }
    }

    private void Replay(PartitionIndex index, LogRecord record)
    {
        var number = record.FirstOperation;
        // Not beyond the serving index: it takes over from there.
        var last = Math.Min(record.LastOperation, Applied.Value);
        try
        {
            foreach (var bytes in new OperationSequence(record.Operations.Span))
            {
                if (number > last)
                    return;
                if (number > index.AppliedOperation)
                    Replay(index, number, bytes);
                number++;
            }
        }
        catch (GranaryException e) when (e.Kind == ErrorKind.Corrupted)
        {
            number = index.AppliedOperation + 1;
        }

        for (; number <= last; number++)
            index.Apply(number, new OperationView(Nothing), out _);
    }

    private void Replay(PartitionIndex index, long number, ReadOnlySpan<byte> bytes)
    {
        OperationView view;
        try
        {
            view = new OperationView(bytes);
        }
        catch (GranaryException e) when (e.Kind == ErrorKind.Corrupted)
        {
            index.Apply(number, new OperationView(Nothing), out _);
            return;
        }

        var outcome = index.Apply(number, view, out var why);
        var expected = _passedOver!.ContainsKey(number) ? ApplyOutcome.Poison : ApplyOutcome.Applied;
        if (outcome != expected)
            throw NotEquivalent($"operation {number} came out as {outcome}, not {expected} as before ({why})");
    }

    private GranaryException NotEquivalent(string why) =>
        new(ErrorKind.Internal, $"Partition {Key.Number} keeps its index, the rebuilt one is not the same: {why}");

    /// <summary>Sizes of the index that serves now.</summary>
    public IndexStatistics Statistics()
    {
        while (true)
        {
            var holder = _holder;
            if (!holder.TryEnter())
            {
                if (Volatile.Read(ref _disposed) != 0)
                    throw new GranaryException(ErrorKind.Unavailable, $"Partition {Key.Number} is unavailable: it is closed");
                continue;
            }

            try
            {
                return holder.Index.Statistics;
            }
            finally
            {
                holder.Leave();
            }
        }
    }
}
