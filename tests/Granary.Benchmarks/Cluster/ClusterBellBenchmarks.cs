using System.Diagnostics;

namespace Granary.Benchmarks;

/// <summary>
/// From the ring of a writer's doorbell to the operation applied by the replica that heard it, over either kind of stream.
/// </summary>
internal static class ClusterBellBenchmarks
{
    private const int Size = 128;
    private const double Bar = 150;

    public static async Task<int> RunAsync(Arguments arguments)
    {
        var seconds = arguments.Number("seconds", 20);
        var missed = 0;
        foreach (var streams in arguments.Text("streams", "memory,postgres").Split(','))
            missed += await MeasureAsync(arguments, streams, TimeSpan.FromSeconds(seconds)) ? 0 : 1;
        return missed == 0 ? 0 : 1;
    }

    private static async Task<bool> MeasureAsync(Arguments arguments, string streams, TimeSpan time)
    {
        var silos = arguments.Number("silos", 2);
        var random = new Random(1);
        var set = new VectorSet([.. Enumerable.Range(0, 1000 * Size).Select(_ => random.NextSingle())], Size);
        await using var cluster = await SiloCluster.StartAsync(arguments, silos, streams);
        var silo = cluster.Silos[0];
        await silo.SendAsync(HttpMethod.Put, "/collections/bell", new
        {
            vectors = new { size = Size, distance = "Cosine" },
            shard_number = 4,
            replication_factor = Math.Min(2, silos),
        });
        var replicas = 4 * Math.Min(2, silos);
        await SiloCluster.WaitServingAsync(silo, "bell", serving => serving.Values.Sum() == replicas);
        var make = PointBodies.Rising(set, 4);
        var watch = Stopwatch.StartNew();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        var number = 0;
        while (watch.Elapsed < time && await timer.WaitForNextTickAsync())
        {
            using var response = await silo.Client.PutAsync("/collections/bell/points", PointBodies.Content(make(number++)));
            response.EnsureSuccessStatusCode();
        }

        await silo.SendAsync(HttpMethod.Post, "/collections/bell/wait");
        var status = await silo.SendAsync(HttpMethod.Get, "/collections/bell/status");
        var bell = status.GetProperty("timings").EnumerateArray().Single(t => t.GetProperty("phase").GetString() == "bell");
        var (p50, p95, p99) = (At("p50_us"), At("p95_us"), At("p99_us"));
        var count = bell.GetProperty("count").GetInt64();
        Console.WriteLine($"streams {streams}: bell to applied, the worst of {replicas} replicas on {silos} silos: p50 {p50:F1} ms, p95 "
            + $"{p95:F1} ms, p99 {p99:F1} ms ({count} bells heard for {number} batches of 4 points); {Machine.Load}; bar p95 < {Bar} ms: "
            + $"{(count > 0 && p95 < Bar ? "met" : "MISSED")}");
        return count > 0 && p95 < Bar;

        double At(string percentile) => bell.GetProperty(percentile).GetDouble() / 1000;
    }
}
