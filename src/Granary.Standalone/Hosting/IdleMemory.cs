namespace Granary.Standalone.Hosting;

/// <summary>
/// Gives memory back to the operating system once a burst of work is over: vectors live outside the managed heap, so what a burst of
/// requests leaves in it is garbage, and the collector by itself has no reason to look again while nothing is allocated.
/// </summary>
internal sealed class IdleMemory(TimeProvider time) : BackgroundService
{
    private const long WorthCollecting = 16L << 20;
    private const long Quiet = 1L << 20;
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, time);
        long collectedAt = 0, before = 0;
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                var allocated = GC.GetTotalAllocatedBytes();
                if (allocated - before < Quiet && allocated - collectedAt > WorthCollecting)
                {
                    GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
                    collectedAt = allocated;
                }

                before = allocated;
            }
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }
}
