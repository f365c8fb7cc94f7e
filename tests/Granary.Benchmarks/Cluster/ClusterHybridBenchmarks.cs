using System.Diagnostics;

namespace Granary.Benchmarks;

/// <summary>
/// Latency and processor time of hybrid queries (convex fusion with feedback, the default, and RRF) through one silo of a cluster whose
/// partitions are spread over all. With <c>--before PROGRAM</c> beside those of another build of the silo, in rounds that take turns.
/// </summary>
internal static class ClusterHybridBenchmarks
{
    private const string Name = "debian";

    public static async Task<int> RunAsync(Arguments arguments)
    {
        var set = JudgedSet.Open(arguments.Data, "debian-384");
        var (silos, partitions) = (arguments.Number("silos", 2), arguments.Number("partitions", 8));
        var (rounds, queries) = (arguments.Number("rounds", 7), arguments.Number("queries", 300));
        var points = Math.Min(arguments.Number("points", 20_000), set.DocumentVectors.Count);
        var clusters = new List<(string Build, SiloCluster Cluster)>();
        try
        {
            if (arguments.Text("before", "") is { Length: > 0 } before)
                clusters.Add(("before", await SiloCluster.StartAsync(arguments, silos, program: before)));
            clusters.Add(("now", await SiloCluster.StartAsync(arguments, silos)));
            foreach (var (_, cluster) in clusters)
            {
                await ClusterCostBenchmarks.FillAsync(cluster.Silos[0], Name, set, points, partitions);
                await SiloCluster.WaitServingAsync(cluster.Silos[0], Name, serving => serving.Values.Sum() >= partitions);
            }

            Console.WriteLine($"{points} points, {partitions} partitions on {silos} silos, one connection to one of them; {rounds} "
                + $"rounds of {queries} queries");
            foreach (var (title, query) in new[]
            {
                ("convex with feedback", (object)new { fusion = "convex" }),
                ("convex without", new { convex = new { feedback = 0 } }),
                ("rrf", new { fusion = "rrf" }),
            })
            {
                await CompareAsync(clusters, title, Load(set, query), queries, rounds);
            }

            Console.WriteLine(Machine.Load);
            return 0;
        }
        finally
        {
            foreach (var (_, cluster) in clusters)
                await cluster.DisposeAsync();
        }
    }

    private static QueryLoad Load(JudgedSet set, object query) => new(
        "hybrid",
        [.. Enumerable.Range(0, set.Queries.Count).Select(i => QueryLoad.Body(new
        {
            prefetch = new object[]
            {
                new { query = set.QueryVectors[i].ToArray(), @using = "dense", limit = 100 },
                new { query = new { text = set.Queries[i] }, @using = "text", limit = 100 },
            },
            query,
            limit = 10,
            with_payload = true,
        }))]);

    private static async Task CompareAsync(
        List<(string Build, SiloCluster Cluster)> clusters, string title, QueryLoad load, int queries, int rounds)
    {
        foreach (var (_, cluster) in clusters)
        {
            for (var warm = 0; warm < 3; warm++)
                await load.RunAsync(cluster.Silos[0], Name, Math.Max(queries, load.Bodies.Length), 2);
        }

        var latencies = clusters.ConvertAll(_ => new List<double>());
        var costs = clusters.ConvertAll(_ => new List<double>());
        for (var round = 0; round < rounds; round++)
        {
            for (var turn = 0; turn < clusters.Count; turn++)
            {
                // Whoever is first in one round is last in the next.
                var i = round % 2 == 0 ? turn : clusters.Count - 1 - turn;
                var silos = clusters[i].Cluster.Silos;
                var before = silos.Sum(s => s.ProcessorTime.TotalMicroseconds);
                for (var query = 0; query < queries; query++)
                {
                    var body = load.Bodies[((round * queries) + query) % load.Bodies.Length];
                    var started = Stopwatch.GetTimestamp();
                    await new QueryLoad(load.Name, [body]).RunAsync(silos[0], Name, 1, 1);
                    latencies[i].Add(Stopwatch.GetElapsedTime(started).TotalMicroseconds);
                }

                costs[i].Add((silos.Sum(s => s.ProcessorTime.TotalMicroseconds) - before) / queries);
            }
        }

        for (var i = 0; i < clusters.Count; i++)
        {
            latencies[i].Sort();
            costs[i].Sort();
            Console.WriteLine($"  {title}, {clusters[i].Build}: p50 {At(latencies[i], 0.5):F0} us, p95 {At(latencies[i], 0.95):F0} us, p99 "
                + $"{At(latencies[i], 0.99):F0} us, processor time of all silos {At(costs[i], 0.5):F0} us a query (rounds "
                + $"{costs[i][0]:F0} to {costs[i][^1]:F0})");
        }
    }

    private static double At(List<double> sorted, double share) => sorted[Math.Min(sorted.Count - 1, (int)(sorted.Count * share))];
}
