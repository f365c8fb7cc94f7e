namespace Granary.Benchmarks;

/// <summary>
/// What the cluster costs: queries/s of one silo over PostgreSQL against the standalone server, same data, same client, in rounds that take
/// turns.
/// </summary>
internal static class ClusterCostBenchmarks
{
    private const double Bar = 0.8;

    public static async Task<int> RunAsync(Arguments arguments)
    {
        var set = JudgedSet.Open(arguments.Data, "debian-384");
        var rounds = arguments.Number("rounds", 7);
        var queries = arguments.Number("queries", 1000);
        var connections = arguments.Number("connections", 4);
        var points = Math.Min(arguments.Number("points", int.MaxValue), set.DocumentVectors.Count);
        var folder = Directory.CreateTempSubdirectory("granary-bench");
        try
        {
            await using var standalone = await ServerProcess.StartAsync($"file:{folder.FullName}");
            await using var cluster = await SiloCluster.StartAsync(arguments, 1);
            ServerProcess[] servers = [standalone, cluster.Silos[0]];
            foreach (var server in servers)
                await FillAsync(server, "debian", set, points, partitions: arguments.Number("partitions", 1));
            var missed = 0;
            var kinds = arguments.Text("kinds", "kNN,BM25,hybrid").Split(',');
            foreach (var load in QueryLoad.Of(set).Where(l => kinds.Contains(l.Name)))
                missed += await CompareAsync(servers, load, rounds, queries, connections) ? 0 : 1;
            Console.WriteLine($"{Machine.Load}; client on the same machine, {connections} connections, {queries} queries a round");
            return missed == 0 ? 0 : 1;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>A collection of vectors and texts, linked.</summary>
    public static async Task FillAsync(ServerProcess server, string name, JudgedSet set, int points, int partitions)
    {
        await server.SendAsync(HttpMethod.Put, $"/collections/{name}", new
        {
            vectors = new { dense = new { size = set.DocumentVectors.Size, distance = "Cosine" } },
            text = new { text = new { path = "text" } },
            shard_number = partitions,
        });
        const int batch = 200;
        await SiloCluster.UpsertAsync(server, name, (points + batch - 1) / batch, i => PointBodies.MakeNamed(
            set.DocumentVectors, set.Documents, i * batch, Math.Min(batch, points - (i * batch))));
        await SiloCluster.WaitLinkedAsync(server, name);
    }

    private static async Task<bool> CompareAsync(ServerProcess[] servers, QueryLoad load, int rounds, int queries, int connections)
    {
        // Until the code is compiled as it stays.
        for (var warm = 0; warm < 4; warm++)
        {
            foreach (var server in servers)
                await load.RunAsync(server, "debian", queries, connections);
        }

        List<double> ratios = [], work = [];
        var rates = new List<double>[] { [], [] };
        for (var round = 0; round < rounds; round++)
        {
            var (rate, cost) = (new double[2], new double[2]);
            for (var turn = 0; turn < 2; turn++)
            {
                // Whoever is first in one round is second in the next.
                var i = (round + turn) % 2;
                var before = servers[i].ProcessorTime;
                (rate[i], _) = await load.RunAsync(servers[i], "debian", queries, connections);
                cost[i] = (servers[i].ProcessorTime - before).TotalMicroseconds / queries;
                rates[i].Add(rate[i]);
            }

            ratios.Add(rate[1] / rate[0]);
            work.Add(cost[1] / cost[0]);
            Console.WriteLine($"  {load.Name} round {round}: standalone {rate[0]:F0}/s {cost[0]:F0} us of CPU a query, silo {rate[1]:F0}/s "
                + $"{cost[1]:F0} us: {rate[1] / rate[0]:F2}x, {Machine.Load}");
        }

        ratios.Sort();
        work.Sort();
        var median = ratios[ratios.Count / 2];
        rates[0].Sort();
        rates[1].Sort();
        Console.WriteLine($"{load.Name}: standalone {rates[0][rounds / 2]:F0}/s, one silo {rates[1][rounds / 2]:F0}/s (medians); ratio "
            + $"median {median:F2}x ({ratios[0]:F2} to {ratios[^1]:F2}), processor time a query {work[work.Count / 2]:F2}x "
            + $"({work[0]:F2} to {work[^1]:F2}); bar >= {Bar}x: {(median >= Bar ? "met" : "MISSED")}");
        return median >= Bar;
    }
}
