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

    /// <summary>Pools of arrays let go of what a collection finds unused for a minute, and only then.</summary>
    private static readonly TimeSpan PoolsAge = TimeSpan.FromSeconds(70);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, time);
        long collectedAt = 0, before = 0, collectedWhen = 0;
        var again = false;
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                var allocated = GC.GetTotalAllocatedBytes();
                var worth = allocated - collectedAt > WorthCollecting;
                if (allocated - before < Quiet && (worth || (again && time.GetElapsedTime(collectedWhen) > PoolsAge)))
                {
                    GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
                    // What finalizers free is the C library's heap, too.
                    GC.WaitForPendingFinalizers();
                    NativeHeap.Trim();
                    (collectedAt, collectedWhen, again) = (allocated, time.GetTimestamp(), worth);
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
