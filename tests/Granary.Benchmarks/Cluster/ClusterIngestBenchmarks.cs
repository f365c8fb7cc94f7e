using System.Diagnostics;
using System.Text.Json;

namespace Granary.Benchmarks;

/// <summary>
/// Acknowledged points/s through one silo with PostgreSQL on the same cores: 384-d, batches of 100, 4 connections. The queue is as long as
/// the run, so that acknowledging is measured and not linking; with <c>--queue</c> it is bounded and linking sets the rate.
/// </summary>
internal static class ClusterIngestBenchmarks
{
    private const int Batch = 100;
    private const double Bar = 5_000;

    public static async Task<int> RunAsync(Arguments arguments)
    {
        var set = VectorFiles.ReadVectors(Path.Combine(arguments.Data, "debian-384"), "base");
        var seconds = arguments.Number("seconds", 30);
        var connections = arguments.Number("connections", 4);
        var queue = arguments.Number("queue", 1_000_000);
        var make = PointBodies.Rising(set, Batch);
        await using var cluster = await SiloCluster.StartAsync(arguments, 1);
        var silo = cluster.Silos[0];
        var partitions = arguments.Number("partitions", 1);
        await silo.SendAsync(HttpMethod.Put, "/collections/points", new
        {
            vectors = new { size = set.Size, distance = "Cosine" },
            shard_number = partitions,
            indexing = new { queue_capacity = queue },
        });
        // The first ones compile the code.
        await SendAsync(silo, make, connections, TimeSpan.FromSeconds(arguments.Number("warm", 3)), 1 << 20);
        var before = silo.ProcessorTime;
        var (sent, elapsed) = await SendAsync(silo, make, connections, TimeSpan.FromSeconds(seconds), 0);
        var rate = sent / elapsed.TotalSeconds;
        var status = await silo.SendAsync(HttpMethod.Get, "/collections/points/status");
        var linked = (await silo.SendAsync(HttpMethod.Get, "/collections/points")).GetProperty("indexed_vectors_count").GetInt64();
        Console.WriteLine($"{sent} points acknowledged in {elapsed.TotalSeconds:F1} s: {rate:F0} points/s; silo's processor time "
            + $"{(silo.ProcessorTime - before).TotalSeconds:F1} s; {linked} points linked so far; queue {queue}; {Machine.Load}");
        Console.WriteLine($"  {JsonSerializer.Serialize(status.GetProperty("timings"))}");
        Console.WriteLine($"  bar >= {Bar:F0} points/s: {(rate >= Bar ? "met" : "MISSED")}");
        return rate >= Bar ? 0 : 1;
    }

    private static async Task<(long Sent, TimeSpan Elapsed)> SendAsync(
        ServerProcess silo, Func<int, byte[]> make, int connections, TimeSpan time, int first)
    {
        var next = first - 1;
        var sent = 0L;
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, connections).Select(async _ =>
        {
            while (watch.Elapsed < time)
            {
                var body = make(Interlocked.Increment(ref next));
                using var response = await silo.Client.PutAsync("/collections/points/points", PointBodies.Content(body));
                if ((int)response.StatusCode == 429)
                    continue;
                response.EnsureSuccessStatusCode();
                Interlocked.Add(ref sent, Batch);
            }
        }));
        return (sent, watch.Elapsed);
    }
}
