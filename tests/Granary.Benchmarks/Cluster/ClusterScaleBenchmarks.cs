using System.Globalization;

namespace Granary.Benchmarks;

/// <summary>
/// The processor time a query costs each silo of four as its collection's partitions go from 1 to 8. What a query costs that finds nothing
/// (sending it round, merging) is measured for each number of partitions and taken off, and so is what the silo costs at rest.
/// </summary>
internal static class ClusterScaleBenchmarks
{
    private const int Silos = 4;
    private const int Rounds = 3;
    private const double Bar = 1.3;
    private static readonly int[] Sizes = [1, 2, 4, 8];

    public static async Task<int> RunAsync(Arguments arguments)
    {
        var set = JudgedSet.Open(arguments.Data, "debian-384");
        var queries = arguments.Number("queries", 1500);
        var points = Math.Min(arguments.Number("points", int.MaxValue), set.DocumentVectors.Count);
        await using var cluster = await SiloCluster.StartAsync(arguments, Silos);
        foreach (var partitions in Sizes)
        {
            await ClusterCostBenchmarks.FillAsync(cluster.Silos[0], $"p{partitions}", set, points, partitions);
            await SiloCluster.WaitServingAsync(cluster.Silos[0], $"p{partitions}", serving => serving.Values.Sum() == partitions);
        }

        var kinds = QueryLoad.Of(set);
        var nothing = QueryLoad.Nothing(set.QueryVectors);
        var wanted = arguments.Text("kinds", "exact kNN,BM25,kNN").Split(',');
        var missed = 0;
        foreach (var load in (QueryLoad[])[QueryLoad.Exact(set.QueryVectors), kinds[1], kinds[0]])
        {
            if (wanted.Contains(load.Name))
                missed += await CompareAsync(cluster, load, nothing, queries, judged: load != kinds[0]);
        }

        Console.WriteLine(Machine.Load);
        return missed == 0 ? 0 : 1;
    }

    private static async Task<int> CompareAsync(SiloCluster cluster, QueryLoad load, QueryLoad nothing, int queries, bool judged)
    {
        // Until the code of every silo is compiled as it stays.
        for (var warm = 0; warm < 2; warm++)
        {
            foreach (var partitions in Sizes)
            {
                await nothing.RunAsync(cluster.Silos[0], $"p{partitions}", queries, 2);
                await load.RunAsync(cluster.Silos[0], $"p{partitions}", queries, 2);
            }
        }

        double one = 0;
        var missed = 0;
        foreach (var partitions in Sizes)
        {
            var shares = await SharesAsync(cluster, $"p{partitions}", partitions);
            var alone = await CostAsync(cluster, nothing, $"p{partitions}", queries);
            var cost = await CostAsync(cluster, load, $"p{partitions}", queries);
            var net = cost.Zip(alone, (c, a) => Math.Max(0, c - a)).ToArray();
            if (partitions == 1)
                one = net.Sum();
            var busiest = Enumerable.Range(0, Silos).MaxBy(i => shares[i]);
            // Over all silos with a share: each against its own.
            var worst = Enumerable.Range(0, Silos).Where(i => shares[i] > 0).Max(i => net[i] / (one * shares[i]));
            var met = worst <= Bar;
            Console.WriteLine($"{load.Name}, {partitions} partitions: a query costs the silos {List(cost, "F0")} us (one that finds "
                + $"nothing {List(alone, "F0")}), shares {List(shares, "F2")}; net of all {net.Sum():F0} us = "
                + $"{net.Sum() / one:F2}x one partition; worst silo {worst:F2}x its share, busiest {net[busiest]:F0} us"
                + (judged ? $"; bar <= {Bar}x: {(met ? "met" : "MISSED")}" : " (stated; HNSW grows with log n, not n)")
                + $"; {Machine.Load}");
            missed += judged && !met ? 1 : 0;
        }

        return missed;
    }

    private static string List(double[] values, string format) =>
        string.Join(", ", values.Select(v => v.ToString(format, CultureInfo.InvariantCulture)));

    /// <summary>The part of the collection's partitions that each silo serves, in the order of the cluster's list.</summary>
    private static async Task<double[]> SharesAsync(SiloCluster cluster, string collection, int partitions)
    {
        var serving = await SiloCluster.ServingAsync(cluster.Silos[0], collection);
        return [.. cluster.Silos.Select(s => serving.GetValueOrDefault(cluster.AddressOf(s)) / (double)partitions)];
    }

    /// <summary>
    /// Microseconds of processor time each silo spends on a query, without what it spends at rest: the median of some rounds.
    /// </summary>
    private static async Task<double[]> CostAsync(SiloCluster cluster, QueryLoad load, string collection, int queries)
    {
        var rest = await RestAsync(cluster);
        var rounds = new List<double[]>();
        for (var round = 0; round < Rounds; round++)
            rounds.Add(await RoundAsync(cluster, load, collection, queries, rest));
        return [.. Enumerable.Range(0, Silos).Select(i => rounds.Select(r => r[i]).Order().ElementAt(Rounds / 2))];
    }

    private static async Task<double[]> RoundAsync(
        SiloCluster cluster, QueryLoad load, string collection, int queries, double[] rest)
    {
        var before = cluster.Silos.Select(s => s.ProcessorTime).ToArray();
        var (_, elapsed) = await load.RunAsync(cluster.Silos[0], collection, queries, 2);
        return [.. cluster.Silos.Select((s, i) =>
            Math.Max(0, (s.ProcessorTime - before[i]).TotalMicroseconds - (rest[i] * elapsed.TotalMicroseconds)) / queries)];
    }

    private static async Task<double[]> RestAsync(SiloCluster cluster)
    {
        var before = cluster.Silos.Select(s => s.ProcessorTime).ToArray();
        var time = TimeSpan.FromSeconds(2);
        using var timer = new PeriodicTimer(time);
        await timer.WaitForNextTickAsync();
        return [.. cluster.Silos.Select((s, i) => (s.ProcessorTime - before[i]) / time)];
    }
}
