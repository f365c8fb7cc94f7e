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
