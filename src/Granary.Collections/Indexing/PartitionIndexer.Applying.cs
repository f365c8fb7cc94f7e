using System.Diagnostics;
using Granary.Collections.Diagnostics;
using Granary.Collections.Ports;
using Granary.Index;
using Granary.Index.Operations;

namespace Granary.Collections.Indexing;

public sealed partial class PartitionIndexer
{
    private const int ReclaimEvery = 256;

    // Of some milliseconds each, before the log is looked at again.
    private const int MostPieces = 200;
    private static readonly byte[] Nothing = EncodeNothing();
    private int _sinceReclaim;

    /// <summary>The long-lived worker that applies operations. It ends when the partition is closed, or stops on a fault.</summary>
    private async Task RunApplyAsync()
    {
        try
        {
            var stop = _stopping.Token;
            var heard = _options.Log.NextOperation - 1;
            var news = heard;
            while (true)
            {
                try
                {
                    // A repeated or late ring names an old operation; then, as when none came, the log itself is asked.
                    heard = news > Applied.Value ? news : await _options.Log.HeadAsync(stop).ConfigureAwait(false) - 1;
                    var before = Applied.Value;
                    await CatchUpAsync(heard, stop).ConfigureAwait(false);
                    Recovering = false;
                    if (Applied.Value == before)
                        await OrderAsync(stop).ConfigureAwait(false);
                }
                catch (GranaryException e) when (e.Kind == ErrorKind.Unavailable)
                {
                    // The log cannot be reached: what is applied goes on serving, and the next ring or look tries again.
                }

                news = await RemakeAsync(heard, stop).ConfigureAwait(false)
                    ?? await _options.Feed.WaitAsync(_options.PollInterval, stop).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
        }
        catch (Exception e)
        {
            Stop(e);
        }
    }

    /// <summary>
    /// Nothing to apply: a text field that is made anew is so piece after piece, until there is something. Gives what was heard where it is
    /// not done; the log is looked at now and then, since a ring may be lost.
    /// </summary>
    /// <param name="asked">What the log was asked for before, in vain if that is not applied: it may be out of reach.</param>
    /// <param name="stop">Ends it.</param>
    private async ValueTask<long?> RemakeAsync(long asked, CancellationToken stop)
    {
        for (var pieces = 0; _holder.Index.RemakeDue; pieces++)
        {
            var news = await _options.Feed.WaitAsync(TimeSpan.Zero, stop).ConfigureAwait(false);
            if (news > Math.Max(Applied.Value, asked) || pieces == MostPieces)
                return news;
            await IdleAsync(stop).ConfigureAwait(false);
            await Task.Yield();
        }

        return null;
    }

    /// <summary>Nothing has come for a while: the documents of large text fields are put in order.</summary>
    private async ValueTask OrderAsync(CancellationToken stop)
    {
        await _applying.WaitAsync(stop).ConfigureAwait(false);
        try
        {
            _holder.Index.Order();
        }
        finally
        {
            _applying.Release();
        }
    }

    private async ValueTask CatchUpAsync(long heard, CancellationToken stop)
    {
        while (true)
        {
            while (_options.Tail is { } tail && tail.TryTake(Applied.Value + 1, out var record, out var logged))
                await ApplyAsync(record.Value, logged, stop).ConfigureAwait(false);
            if (Applied.Value >= heard)
            {
                await IdleAsync(stop).ConfigureAwait(false);
                return;
            }

            try
            {
                await foreach (var record in _options.Log.ReadAsync(Applied.Value + 1, stop).ConfigureAwait(false))
                    await ApplyAsync(record, Stopwatch.GetTimestamp(), stop).ConfigureAwait(false);
            }
            catch (LogTruncatedException)
            {
                await ReloadAsync(stop).ConfigureAwait(false);
                continue;
            }

            heard = Math.Min(heard, Applied.Value);
        }
    }

    private async ValueTask ApplyAsync(LogRecord record, long logged, CancellationToken stop)
    {
        await _applying.WaitAsync(stop).ConfigureAwait(false);
        try
        {
            Apply(_holder.Index, record, logged);
            Interlocked.Add(ref _bytesSinceCheckpoint, record.Operations.Length);
        }
        finally
        {
            _applying.Release();
        }

        RingLinker();
        BeginCheckpointIfDue(stop);
    }

    /// <summary>It is taken on threads of the pool while applying goes on.</summary>
    private void BeginCheckpointIfDue(CancellationToken stop)
    {
        if (_options.TakesCheckpoints && (_options.MayCheckpoint?.Invoke() ?? true) && _taking.IsCompleted && CheckpointIsDue())
            _taking = CheckpointBesideAsync(stop);
    }

    private void Apply(PartitionIndex index, LogRecord record, long logged)
    {
        var started = Stopwatch.GetTimestamp();
        var number = record.FirstOperation;
        var applied = Applied.Value;
        string? broken = null;
        if (number > applied + 1)
            throw new GranaryException(
                ErrorKind.Corrupted, $"The log of partition {Key.Number} goes from operation {applied} to {number}.");
        try
        {
            foreach (var bytes in new OperationSequence(record.Operations.Span))
            {
                if (number > record.LastOperation)
                    break;
                if (number > applied)
                    Apply(index, number, bytes);
                number++;
            }
        }
        catch (GranaryException e) when (e.Kind == ErrorKind.Corrupted)
        {
            broken = e.Message;
        }

        // What cannot be read out of a record is set aside, number by number, so that the numbering stays whole.
        for (; number <= record.LastOperation; number++)
        {
            if (number <= applied)
                continue;
            index.Apply(number, new OperationView(Nothing), out _);
            Report(number, null, broken ?? "The record holds fewer operations than it says.");
        }

        // Before anybody can see that it is applied: whoever sees it sees also that it is to be linked.
        _marks.Enqueue((record.LastOperation, record.Count, logged));
        Applied.Advance(record.LastOperation);
        _options.Timings.Apply.Record(Stopwatch.GetTimestamp() - started, record.Count);
        Telemetry.Applied.Add(record.Count);
        if ((_sinceReclaim += record.Count) >= ReclaimEvery)
        {
            _sinceReclaim = 0;
            index.Reclaim();
        }
    }

    private void Apply(PartitionIndex index, long number, ReadOnlySpan<byte> bytes)
    {
        OperationView view;
        try
        {
            view = new OperationView(bytes);
        }
        catch (GranaryException e) when (e.Kind == ErrorKind.Corrupted)
        {
            index.Apply(number, new OperationView(Nothing), out _);
            Report(number, null, e.Message);
            return;
        }

        if (index.Apply(number, view, out var poison) == ApplyOutcome.Poison)
            Report(number, view.Id.Kind == PointIdKind.None ? null : view.Id, poison ?? "The operation cannot be applied.");
        else if ((view.Flags & OperationFlags.AwaitsEmbedding) != 0 && number > _loggedBefore)
            TellAwaiting(index, number, view.Id);
    }

    private void TellAwaiting(PartitionIndex index, long number, PointId id)
    {
        if (_options.AwaitsEmbedding is not { } tell)
            return;
        if (id.Kind != PointIdKind.None)
            tell(number, id);
        foreach (var changed in index.Changed)
            tell(number, changed);
    }

    /// <summary>
    /// Nothing to apply: what deleted points held is freed as soon as readers allow it, which may be long after the last operation,
    /// and the graph is repaired around it.
    /// </summary>
    private async ValueTask IdleAsync(CancellationToken stop)
    {
        // One that became due while another was published.
        BeginCheckpointIfDue(stop);
        await _applying.WaitAsync(stop).ConfigureAwait(false);
        try
        {
            var index = _holder.Index;
            if (_sinceReclaim == 0 && !index.ReclaimDue)
                return;
            _sinceReclaim = 0;
            index.Reclaim();
            if (index.LinkDue)
                RingLinker();
        }
        finally
        {
            _applying.Release();
        }
    }

    private static byte[] EncodeNothing()
    {
        var writer = new OperationWriter();
        writer.Begin(OperationKind.None, default);
        writer.End();
        return writer.Written[4..].ToArray();
    }
}
