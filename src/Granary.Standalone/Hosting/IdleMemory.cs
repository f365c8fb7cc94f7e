namespace Granary.Standalone.Hosting;

/// <summary>
/// Gives memory back to the operating system once a burst of work is over: vectors live outside the managed heap, so what a burst of
/// requests leaves in it is garbage, and the collector by itself has no reason to look again while nothing is allocated.
/// </summary>
internal sealed class IdleMemory(TimeProvider time) : BackgroundService
{
    private const long WorthCollecting = 16L << 20;

    /// <summary>
    /// What an idle server allocates in a second at most. Collecting stops it for some ten milliseconds: a server that answers a few dozen
    /// queries a second is not idle.
    /// </summary>
    private const long Quiet = 64L << 10;
    private const long WorthAgain = 256L << 10;
    private const int MostSteps = 16;
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    /// <summary>Pools of arrays let go of what a collection finds unused for a minute, and only then.</summary>
    private static readonly TimeSpan PoolsAge = TimeSpan.FromSeconds(70);

    /// <summary>After that they let go of one array of each size at a time, and not more often.</summary>
    private static readonly TimeSpan PoolsStep = TimeSpan.FromSeconds(16);

    /// <summary>Where a collection takes longer than this, it is not repeated for what pools hold.</summary>
    private static readonly TimeSpan LongestAgain = TimeSpan.FromMilliseconds(100);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, time);
        long collectedAt = 0, before = 0, collectedWhen = 0;
        TimeSpan? again = null;
        var steps = 0;
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                var allocated = GC.GetTotalAllocatedBytes();
                var worth = allocated - collectedAt > WorthCollecting;
                if (allocated - before < Quiet && (worth || (again is { } wait && time.GetElapsedTime(collectedWhen) > wait)))
                {
                    var started = time.GetTimestamp();
                    var freed = Collect();
                    (collectedAt, collectedWhen) = (allocated, time.GetTimestamp());
                    var quick = time.GetElapsedTime(started, collectedWhen) < LongestAgain;
                    steps = worth ? 0 : steps + 1;
                    again = worth ? PoolsAge : freed > WorthAgain && quick && steps < MostSteps ? PoolsStep : null;
                }

                before = allocated;
            }
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }

    /// <summary>Collects everything and gives it back; answers with how much smaller the managed heap is.</summary>
    private static long Collect()
    {
        var held = GC.GetTotalMemory(forceFullCollection: false);
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        // What finalizers free is the C library's heap, too.
        GC.WaitForPendingFinalizers();
        NativeHeap.Trim();
        return held - GC.GetTotalMemory(forceFullCollection: false);
    }
}
