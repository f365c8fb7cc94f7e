using System.Globalization;

namespace Granary.Benchmarks;

/// <summary>
/// The processor time a query costs each silo of four as its collection's partitions go from 1 to 8, at sizes where the search is the
/// work. What calls, merging and answering cost is measured beside it, with the same queries to a collection of as many partitions and few
/// points, which answers as many hits; both ratios are printed: of all a silo spends, and of what is left without calls and merging. What
/// a silo costs at rest is taken off both.
/// </summary>
internal static class ClusterScaleBenchmarks
{
    private const int Silos = 4;
    private const double Bar = 1.3;

    /// <summary>Of a processor; a silo that spends more between queries is still compiling, or collecting.</summary>
    private const double AtRest = 0.03;

    public static async Task<int> RunAsync(Arguments arguments)
    {
        var sizes = arguments.Text("sizes", "1,2,4,8").Split(',').Select(n => int.Parse(n, CultureInfo.InvariantCulture)).ToArray();
        await using var cluster = await SiloCluster.StartAsync(arguments, Silos);
        var missed = 0;
        foreach (var kind in arguments.Text("kinds", "exact,bm25,hnsw").Split(','))
        {
            var corpus = ScaleCorpus.Of(kind, arguments);
            foreach (var partitions in sizes)
            {
                await FillAsync(cluster, corpus, Name(partitions), partitions, corpus.Bodies);
                await FillAsync(cluster, corpus, Few(partitions), partitions, 1);

                // What calls cost is told by one that lies alike: a partition on the silo that is asked needs none.
                for (var tries = 0; tries < 50 && !await LieAlikeAsync(cluster, partitions); tries++)
                {
                    await cluster.Silos[0].SendAsync(HttpMethod.Delete, $"/collections/{Few(partitions)}");
                    await FillAsync(cluster, corpus, Few(partitions), partitions, 1);
                }
            }

            missed += await CompareAsync(cluster, corpus, sizes, arguments);
            foreach (var name in sizes.SelectMany(n => new[] { Name(n), Few(n) }))
                await cluster.Silos[0].SendAsync(HttpMethod.Delete, $"/collections/{name}");
        }

        Console.WriteLine(Machine.Load);
        return missed == 0 ? 0 : 1;
    }

    private static async Task FillAsync(SiloCluster cluster, ScaleCorpus corpus, string name, int partitions, int bodies)
    {
        await corpus.FillAsync(cluster.Silos[0], name, partitions, bodies);
        await SiloCluster.WaitServingAsync(cluster.Silos[0], name, serving => serving.Values.Sum() == partitions);
    }

    private static async Task<bool> LieAlikeAsync(SiloCluster cluster, int partitions)
    {
        var (many, few) = (
            await SharesAsync(cluster, Name(partitions), partitions), await SharesAsync(cluster, Few(partitions), partitions));
        return many.SequenceEqual(few);
    }

    private static string Name(int partitions) => $"p{partitions}";

    private static string Few(int partitions) => $"few{partitions}";

    private static async Task<int> CompareAsync(SiloCluster cluster, ScaleCorpus corpus, int[] sizes, Arguments arguments)
    {
        var queries = arguments.Number("queries", 300);
        var rounds = arguments.Number("rounds", 5);
        var rest = await WarmAsync(cluster, corpus, sizes, queries, arguments.Number("warm", 3));
        // Sizes take turns within a round, so that what else the machine does falls on all of them.
        var all = sizes.ToDictionary(n => n, _ => new List<double[]>());
        var calls = sizes.ToDictionary(n => n, _ => new List<double[]>());
        for (var round = 0; round < rounds; round++)
        {
            foreach (var partitions in sizes)
            {
                calls[partitions].Add(await CostAsync(cluster, corpus.Load, Few(partitions), queries, rest));
                all[partitions].Add(await CostAsync(cluster, corpus.Load, Name(partitions), queries, rest));
            }
        }

        Console.WriteLine($"{corpus.Title}: microseconds of processor time a query, medians of {rounds} rounds of {queries} queries, "
            + "silo by silo");
        var (one, oneCalls) = (Median(all[sizes[0]]).Sum(), Median(calls[sizes[0]]).Sum());
        var missed = 0;
        foreach (var partitions in sizes)
        {
            var shares = await SharesAsync(cluster, Name(partitions), partitions);
            var (cost, merge) = (Median(all[partitions]), Median(calls[partitions]));
            var serving = Enumerable.Range(0, Silos).Where(i => shares[i] > 0).ToArray();
            var raw = serving.Max(i => cost[i] / (one * shares[i]));
            var net = serving.Max(i => Math.Max(0, cost[i] - merge[i]) / ((one - oneCalls) * shares[i]));
            var met = net <= Bar;
            Console.WriteLine($"  {partitions} partitions, shares {List(shares, "F2")}: all {List(cost, "F0")} (sum {cost.Sum():F0}); "
                + $"calls and merging {List(merge, "F0")}; worst silo against 1/n of one partition: {raw:F2}x with calls, {net:F2}x "
                + $"without; sum without calls {(cost.Sum() - merge.Sum()) / (one - oneCalls):F2}x"
                + (corpus.Judged ? $"; bar <= {Bar}x of 1/n plus merge: {(met ? "met" : "MISSED")}" : " (stated; HNSW grows with log n)"));
            missed += corpus.Judged && !met ? 1 : 0;
        }

        Console.WriteLine($"  {Machine.Load}");
        return missed;
    }

    /// <summary>
    /// Until the code of every silo is compiled as it stays, and the compiler, which works behind the queries, is done with it; answers
    /// with what the silos spend at rest.
    /// </summary>
    private static async Task<double[]> WarmAsync(SiloCluster cluster, ScaleCorpus corpus, int[] sizes, int queries, int least)
    {
        for (var warm = 1; ; warm++)
        {
            foreach (var partitions in sizes)
            {
                await corpus.Load.RunAsync(cluster.Silos[0], Few(partitions), queries * 2, 2);
                await corpus.Load.RunAsync(cluster.Silos[0], Name(partitions), queries * 2, 2);
            }

            var rest = await RestAsync(cluster);
            if (warm >= least && (rest.Max() < AtRest || warm == 4 * least))
                return rest;
        }
    }

    private static double[] Median(List<double[]> rounds) =>
        [.. Enumerable.Range(0, Silos).Select(i => rounds.Select(r => r[i]).Order().ElementAt(rounds.Count / 2))];

    private static string List(double[] values, string format) =>
        string.Join(", ", values.Select(v => v.ToString(format, CultureInfo.InvariantCulture)));

    /// <summary>The part of the collection's partitions that each silo serves, in the order of the cluster's list.</summary>
    private static async Task<double[]> SharesAsync(SiloCluster cluster, string collection, int partitions)
    {
        var serving = await SiloCluster.ServingAsync(cluster.Silos[0], collection);
        return [.. cluster.Silos.Select(s => serving.GetValueOrDefault(cluster.AddressOf(s)) / (double)partitions)];
    }

    /// <summary>Microseconds of processor time each silo spends on a query, without what it spends at rest.</summary>
    private static async Task<double[]> CostAsync(SiloCluster cluster, QueryLoad load, string collection, int queries, double[] rest)
    {
        var before = cluster.Silos.Select(s => s.ProcessorTime).ToArray();
        var (_, elapsed) = await load.RunAsync(cluster.Silos[0], collection, queries, 2);
        return [.. cluster.Silos.Select((s, i) =>
            Math.Max(0, (s.ProcessorTime - before[i]).TotalMicroseconds - (rest[i] * elapsed.TotalMicroseconds)) / queries)];
    }

    private static async Task<double[]> RestAsync(SiloCluster cluster)
    {
        var before = cluster.Silos.Select(s => s.ProcessorTime).ToArray();
        var time = TimeSpan.FromSeconds(3);
        using var timer = new PeriodicTimer(time);
        await timer.WaitForNextTickAsync();
        return [.. cluster.Silos.Select((s, i) => (s.ProcessorTime - before[i]) / time)];
    }
}
