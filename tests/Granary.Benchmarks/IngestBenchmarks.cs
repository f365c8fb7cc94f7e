using System.Diagnostics;
using Granary.Collections;
using Granary.Index;

namespace Granary.Benchmarks;

/// <summary>
/// Acknowledgements in process, durability=process: one caller, one 768-d point a call, a burst of the queue's capacity; and the
/// same burst under synchronous indexing.
/// </summary>
internal static class IngestBenchmarks
{
    private const int Size = 768;

    public static async Task<int> RunAsync(Arguments arguments)
    {
        var capacity = arguments.Number("capacity", 10_000);
        var rounds = arguments.Number("rounds", 3);
        var random = new Random(1);
        var set = new VectorSet([.. Enumerable.Range(0, capacity * Size).Select(_ => (float)random.NextDouble() - 0.5f)], Size);
        await DoorbellBenchmark.RunAsync();
        await using var database = await EmbeddedDatabase.OpenAsync();
        await BurstAsync(database, "warm", set, IndexingMode.Asynchronous, capacity, 2_000);
        Console.WriteLine($"one caller, one {Size}-d point a call, burst of {capacity} (queue capacity), durability=process");
        for (var round = 0; round < rounds; round++)
        {
            var (asynchronous, samples) = await BurstAsync(database, $"a{round}", set, IndexingMode.Asynchronous, capacity, capacity);
            Console.WriteLine($"  asynchronous: {asynchronous:F0} acknowledged points/s; {samples}");
            var (synchronous, slow) = await BurstAsync(database, $"s{round}", set, IndexingMode.Synchronous, capacity, capacity / 4);
            Console.WriteLine($"  synchronous ({capacity / 4} points): {synchronous:F0} points/s; {slow}");
            Console.WriteLine($"  ratio {asynchronous / synchronous:F1}x");
        }

        return 0;
    }

    private static async Task<(double Rate, Samples Samples)> BurstAsync(
        EmbeddedDatabase database, string name, VectorSet set, IndexingMode mode, int capacity, int points)
    {
        var collection = await database.CreateAsync(
            name, Size, Distance.Cosine, new IngestionSettings { Mode = mode, QueueCapacity = capacity });
        var batches = Enumerable.Range(0, points).Select(i => EmbeddedDatabase.Batch(set, i, 1, (ulong)i)).ToArray();
        var samples = new Samples(points);
        GC.Collect();
        var watch = Stopwatch.StartNew();
        foreach (var batch in batches)
        {
            var began = Stopwatch.GetTimestamp();
            await collection.WriteAsync(batch, new WriteOptions());
            samples.Add(Stopwatch.GetElapsedTime(began));
        }

        var rate = points / watch.Elapsed.TotalSeconds;
        await collection.WaitAsync();
        foreach (var timing in (await collection.GetInfoAsync()).Timings.Where(
            t => mode == IndexingMode.Asynchronous && points == capacity && t.Count > 0))
            Console.WriteLine($"    {timing.Phase}: n={timing.Count}, p50 {timing.P50Microseconds:F1} us, p95 "
                + $"{timing.P95Microseconds:F1}, p99 {timing.P99Microseconds:F1}");
        await database.Database.DeleteCollectionAsync(name);
        return (rate, samples);
    }
}
