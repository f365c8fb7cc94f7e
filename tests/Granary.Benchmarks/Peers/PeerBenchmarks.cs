using System.Globalization;
using Granary.Index;

namespace Granary.Benchmarks;

/// <summary>
/// Granary's vector index and its peers on the same data, queries and threads: every peer keeps its index, and the rounds go from
/// peer to peer.
/// </summary>
internal static class PeerBenchmarks
{
    private const string Ours = "granary";

    public static async Task<int> RunAsync(Arguments arguments)
    {
        var rounds = arguments.Number("rounds", 5);
        var threads = arguments.Text("threads", $"1,{Environment.ProcessorCount}").Split(',').Select(Parse).Distinct().ToArray();
        var plots = arguments.Text("plots", "");
        var processes = new List<PeerProcess>();
        try
        {
            foreach (var name in arguments.Text("peers", "granary,hnswlib,usearch-f32,usearch-i8,faiss").Split(','))
            {
                if (await PeerProcess.StartAsync(name) is not { } process)
                    continue;
                processes.Add(process);
                Console.WriteLine($"{name}: {process.Version}; {process.Settings}");
            }

            foreach (var set in arguments.Text("sets", "glove-100,sift-128,debian-384").Split(','))
                await RunSetAsync(arguments, set, processes, rounds, threads, plots);
        }
        finally
        {
            foreach (var process in processes)
                process.Dispose();
        }

        return 0;
    }

    private static async Task RunSetAsync(
        Arguments arguments, string set, List<PeerProcess> processes, int rounds, int[] threads, string plots)
    {
        var distance = set.StartsWith("sift", StringComparison.Ordinal) ? Distance.Euclid : Distance.Cosine;
        var queries = arguments.Number("queries", 1000);
        var truth = new PeerTruth(Path.Combine(arguments.Data, set), distance, queries);
        int m = arguments.Number("m", 16), efConstruct = arguments.Number("ef-construct", 200);
        var linkThreads = arguments.Number("build-threads", Environment.ProcessorCount);
        var targets = arguments.Text("recall", set.StartsWith("glove", StringComparison.Ordinal) ? "0.95,0.9875" : "0.95,0.99")
            .Split(',').Select(text => double.Parse(text, CultureInfo.InvariantCulture)).ToArray();
        Console.WriteLine($"\n## {set}: {truth.Rows:N0} x {truth.Size}, {truth.Queries} queries, {distance}\n");
        Console.WriteLine($"M={m}, ef_construction={efConstruct}, built on {linkThreads} threads; {rounds} rounds; {Machine.Load}\n");

        var runs = processes.Select(process => new PeerRun(process)).ToList();
        for (var build = 0; build < arguments.Number("builds", 1); build++)
        {
            foreach (var run in runs)
                await run.BuildAsync(arguments.Data, set, distance, queries, m, efConstruct, linkThreads);
        }

        var best = targets.Max() + 0.004;
        for (var more = true; more;)
        {
            more = false;
            foreach (var run in runs)
                more |= await run.SweepAsync(truth, best);
        }

        foreach (var target in targets)
        {
            foreach (var run in runs)
                await run.NarrowAsync(truth, target);
        }

        PeerTables.Builds(runs, truth);
        foreach (var count in threads)
        {
            for (var round = 0; round < rounds; round++)
            {
                foreach (var target in targets)
                {
                    foreach (var low in new[] { true, false })
                    {
                        foreach (var run in runs)
                            await run.TimeAsync(target, low, count, round);
                    }
                }
            }

            foreach (var target in targets)
                PeerTables.Rates(runs, Ours, target, count, rounds);
        }

        if (plots.Length > 0)
        {
            Directory.CreateDirectory(plots);
            RecallPlot.Write(Path.Combine(plots, $"{set}.svg"), $"{set}: {truth.Rows:N0} x {truth.Size}, one thread",
                [.. runs.Select(run => (run.Name, run.Efforts))]);
        }
    }

    private static int Parse(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
