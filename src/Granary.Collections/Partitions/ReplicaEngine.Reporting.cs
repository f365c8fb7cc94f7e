using Granary.Index;

namespace Granary.Collections.Partitions;

internal sealed partial class ReplicaEngine
{
    /// <summary>Least time between two reports.</summary>
    private static readonly TimeSpan ReportEvery = TimeSpan.FromMilliseconds(100);

    /// <summary>A replica that has nothing new says so: one that is silent counts as dead.</summary>
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(1);

    /// <summary>The long-lived worker that tells the leader how far the replica is.</summary>
    private async Task RunReportingAsync()
    {
        var stop = _stopping.Token;
        try
        {
            while (true)
            {
                await ReportToLeaderAsync(stop).ConfigureAwait(false);
                await Task.Delay(ReportEvery, _options.Time, stop).ConfigureAwait(false);
                await _progress.WaitAsync(Heartbeat, stop).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
    }

    /// <summary>
    /// From the ring of a writer's bell, by that process' clock, to the operations applied here. One that comes late for operations that
    /// are applied already counts with the time it took to come.
    /// </summary>
    private async Task TimeBellAsync(long last, DateTimeOffset rung)
    {
        try
        {
            await Indexer.Applied.WaitAsync(last, _stopping.Token).ConfigureAwait(false);
            var took = _options.Time.GetUtcNow() - rung;
            // Two machines' clocks may differ by more than a bell takes.
            took = took > TimeSpan.Zero ? took : TimeSpan.Zero;
            Timings.Bell.Record(took);
        }
        catch (Exception e) when (e is OperationCanceledException or GranaryException or ObjectDisposedException)
        {
            // The replica stopped before it got there.
        }
    }

    private async ValueTask ReportToLeaderAsync(CancellationToken stop)
    {
        using var limit = new CancellationTokenSource(Heartbeat, _options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stop);
        try
        {
            var linked = Indexer.Linked.Value;
            await _options.Leader.ReportAsync(
                new ReplicaProgress(Instance, _role.Number, Indexer.Applied.Value, linked), either.Token).ConfigureAwait(false);
        }
        catch (Exception) when (!stop.IsCancellationRequested)
        {
            // The next one says it again.
        }
    }
}
