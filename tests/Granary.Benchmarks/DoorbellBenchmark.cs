using System.Diagnostics;
using Granary.Collections.Feeds;

namespace Granary.Benchmarks;

/// <summary>
/// The feed alone, at 5,000 rings a second: what a ring costs the one who rings, and how long after its begin the listener, which waits on
/// the thread pool as an indexer does, is awake.
/// </summary>
internal static class DoorbellBenchmark
{
    private const int Rings = 20_000;
    private const int Bar = 100;
    private static readonly TimeSpan Between = TimeSpan.FromMicroseconds(200);

    public static async Task RunAsync()
    {
        using var feed = new InProcessFeed(TimeProvider.System);
        using var armed = new SemaphoreSlim(0);
        using var awake = new SemaphoreSlim(0);
        var heard = 0L;
        var woke = 0L;
        var listener = Task.Run(async () =>
        {
            while (heard < Rings)
            {
                var ring = feed.WaitAsync(Timeout.InfiniteTimeSpan, CancellationToken.None);
                armed.Release();
                heard = await ring;
                woke = Stopwatch.GetTimestamp();
                awake.Release();
            }
        });
        var (pushes, wakes) = (new Samples(Rings), new Samples(Rings));
        for (var operation = 1; operation <= Rings; operation++)
        {
            armed.Wait();
            var from = Stopwatch.GetTimestamp();
            while (Stopwatch.GetElapsedTime(from) < Between)
                Thread.SpinWait(20);
            var began = Stopwatch.GetTimestamp();
            feed.Ring(operation, operation);
            var rung = Stopwatch.GetTimestamp();
            awake.Wait();

            // The first ones compile the code.
            if (operation <= Rings / 10)
                continue;
            pushes.Add(Stopwatch.GetElapsedTime(began, rung));
            wakes.Add(Stopwatch.GetElapsedTime(began, woke));
        }

        await listener;
        Console.WriteLine($"feed push alone (ring to return): {pushes}");
        Console.WriteLine($"feed push alone (ring to listener awake): {wakes}");
        Console.WriteLine($"  bar p95 < {Bar} us: {(wakes.Percentile(95) < Bar ? "met" : "MISSED")}");
    }
}
