using Granary.Collections.Diagnostics;
using Granary.Collections.Ports;

namespace Granary.Collections.Partitions;

public sealed partial class RemotePartition
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(10);

    /// <inheritdoc/>
    public async ValueTask<WaitResult> WaitAsync(
        WaitTarget target, long first, long last, TimeSpan? limit, CancellationToken cancellation)
    {
        using var activity = Telemetry.Activities.StartActivity("granary.wait");
        activity?.SetTag("granary.partition", Number).SetTag("granary.operation", last).SetTag("granary.target", target.ToString());
        using var late = new CancellationTokenSource();
        using var timer = limit is { } most
            ? _time.CreateTimer(
                static state => ((CancellationTokenSource)state!).Cancel(), late, most > TimeSpan.Zero ? most : TimeSpan.Zero,
                Timeout.InfiniteTimeSpan)
            : null;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellation);
        try
        {
            if (target != WaitTarget.Embedded || !_embeds)
            {
                return await EverywhereAsync(
                    target == WaitTarget.Linked ? WaitTarget.Linked : WaitTarget.Applied, first, last, either.Token).ConfigureAwait(false);
            }

            // Replica 0 embeds. The vectors were logged behind the operations; everybody has to have them.
            var embedded = await AskUntilAsync(0, WaitTarget.Embedded, first, last, either.Token).ConfigureAwait(false);
            var logged = await LoggedAsync(either.Token).ConfigureAwait(false);
            var applied = await EverywhereAsync(WaitTarget.Applied, 0, Math.Max(last, logged), either.Token).ConfigureAwait(false);
            return applied with { Failure = embedded.Result.Failure };
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            return new WaitResult(false, null);
        }
    }

    /// <summary>
    /// Completes when whoever may serve reads is so far. The holders of leases are read after the append: one of them that has not
    /// answered is waited for until its lease ran out. Who gets a lease later, or again, was told of the append by the log's head that came
    /// with it.
    /// </summary>
    private async ValueTask<WaitResult> EverywhereAsync(WaitTarget target, long first, long last, CancellationToken cancellation)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var asked = AskAll();
        try
        {
            var holders = await HoldersAsync(over.Token).ConfigureAwait(false);
            var owed = holders.ToDictionary(h => h.Instance, h => h.Remaining);
            FailedOperation? failure = null;
            var answered = false;
            while (true)
            {
                foreach (var answer in asked.Where(a => a.IsCompleted).ToList())
                {
                    asked.Remove(answer);
                    var wait = await answer.ConfigureAwait(false);
                    owed.Remove(wait.Instance);
                    failure ??= wait.Result.Failure;
                    answered = true;
                }

                // Without anybody who has it, it is not known to be visible.
                if (owed.Count == 0 && answered)
                    return new WaitResult(true, failure);
                var expiry = owed.Count == 0
                    ? Task.Delay(Timeout.InfiniteTimeSpan, over.Token)
                    : Task.Delay(Within(owed.Values.Min()), _time, over.Token);
                var ended = await Task.WhenAny([expiry, .. asked]).ConfigureAwait(false);
                cancellation.ThrowIfCancellationRequested();
                if (ended != expiry)
                    continue;
                var left = (await HoldersAsync(over.Token).ConfigureAwait(false)).ToDictionary(h => h.Instance, h => h.Remaining);
                foreach (var instance in owed.Keys.ToList())
                {
                    if (left.TryGetValue(instance, out var remaining))
                        owed[instance] = remaining;
                    else
                        owed.Remove(instance);
                }

                // One holds a lease and was not reached: it takes another's place just now, and is found there next time.
                if (asked.Count == 0 && owed.Count > 0)
                    asked = AskAll();
            }
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
            await ((Task)Task.WhenAll(asked)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        List<Task<ReplicaWait>> AskAll() =>
            [.. Enumerable.Range(0, _replicas.Count).Select(i => AskUntilAsync(i, target, first, last, over.Token).AsTask())];
    }

    /// <summary>Asks one replica until it has come so far, however often it is away.</summary>
    private async ValueTask<ReplicaWait> AskUntilAsync(
        int replica, WaitTarget target, long first, long last, CancellationToken cancellation)
    {
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            try
            {
                // A limit, so that nobody waits there for somebody who is gone.
                var wait = await _replicas[replica].WaitAsync(target, first, last, AskAgain, cancellation).AsTask()
                    .WaitAsync(cancellation).ConfigureAwait(false);
                if (wait.Result.Reached)
                    return wait;
            }
            catch (Exception) when (!cancellation.IsCancellationRequested)
            {
                // Whatever it was: whether it has to be waited for, its lease says.
            }

            await Task.Delay(pause, _time, cancellation).ConfigureAwait(false);
        }
    }

    private ValueTask<IReadOnlyList<LeaseHolder>> HoldersAsync(CancellationToken cancellation) => Patience.InsistAsync(
        _ => _leases.HoldersAsync(_key, cancellation), null, $"The lease store of partition {Number}", _time, cancellation);

    private static TimeSpan Within(TimeSpan remaining) =>
        remaining < FirstPause ? FirstPause : remaining > LongestPause ? LongestPause : remaining;
}
