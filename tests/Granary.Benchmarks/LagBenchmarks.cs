using System.Diagnostics;
using Granary.Collections;
using Granary.Index;

namespace Granary.Benchmarks;

/// <summary>Lag from acknowledgement to linked at a steady rate of 128-d points, in process.</summary>
internal static class LagBenchmarks
{
    private const int Batch = 50;

    public static async Task<int> RunAsync(Arguments arguments)
    {
        var set = VectorFiles.ReadVectors(Path.Combine(arguments.Data, "sift-128"), "base");
        var seconds = arguments.Number("seconds", 60);
        foreach (var rate in arguments.Text("rates", "5000").Split(',').Select(int.Parse))
            await AtRateAsync(set, rate, seconds);
        return 0;
    }

    private static async Task AtRateAsync(VectorSet set, int rate, int seconds)
    {
        await using var database = await EmbeddedDatabase.OpenAsync();
        var collection = await database.CreateAsync("lag", set.Size, Distance.Euclid);
        var count = rate * seconds / Batch;
        var acknowledged = new long[count];
        var lags = new Samples(count);
        var sent = 0;
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(1));
        var watcher = Task.Factory.StartNew(() => WatchAsync(collection, acknowledged, lags, () => Volatile.Read(ref sent), count),
            TaskCreationOptions.LongRunning).Unwrap();
        var began = Stopwatch.GetTimestamp();
        for (var i = 0; i < count; i++)
        {
            var batch = EmbeddedDatabase.Batch(set, i * Batch, Batch, (ulong)(i * Batch));
            await collection.WriteAsync(batch, new WriteOptions());
            acknowledged[i] = Stopwatch.GetTimestamp();
            Volatile.Write(ref sent, i + 1);
            while (Stopwatch.GetElapsedTime(began).TotalSeconds < (double)(i + 1) * Batch / rate)
                await tick.WaitForNextTickAsync();
        }

        var reached = count * Batch / Stopwatch.GetElapsedTime(began).TotalSeconds;
        var depth = (await collection.GetInfoAsync()).Partitions.Sum(p => p.Depth);
        await watcher;
        Console.WriteLine($"{rate} points/s asked, {reached:F0} reached over {seconds} s: depth at the end {depth} of 10000; lag of "
            + $"batches of {Batch}, acknowledged to linked: {lags}");
    }

    /// <summary>Looks at the linked operation every millisecond or so, and so overstates lags by as much.</summary>
    private static async Task WatchAsync(ICollection collection, long[] acknowledged, Samples lags, Func<int> sent, int count)
    {
        var next = 0;
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(1));
        while (next < count)
        {
            var linked = (await collection.GetInfoAsync()).Partitions[0].Linked;
            var now = Stopwatch.GetTimestamp();
            var limit = sent();
            for (; next < limit && linked >= (long)(next + 1) * Batch; next++)
                lags.Add(Stopwatch.GetElapsedTime(acknowledged[next], now));
            await tick.WaitForNextTickAsync();
        }
    }
}
