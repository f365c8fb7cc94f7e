using System.Globalization;

namespace Granary.Benchmarks;

/// <summary>The tables of the words <c>peers</c> and <c>database-peers</c>, as Markdown: medians with least and most of the rounds;
/// ratios are of one round each.</summary>
internal static class PeerTables
{
    public static void Builds(IReadOnlyList<PeerRun> runs, PeerTruth truth)
    {
        Console.WriteLine("| peer | build s | processor s | granary's build over it (bar 0.6 against hnswlib) | bytes a row "
            + "| recall@10 at efforts |");
        Console.WriteLine("|---|---|---|---|---|---|");
        foreach (var run in runs)
        {
            var share = Ours(runs, run) is { } ours
                ? $"{Ratios(ours, run, build => build.Seconds)} ({Ratios(ours, run, build => build.Cpu)} of processor time)" : "";
            var efforts = string.Join(", ", run.Efforts.Select(effort => Invariant($"{effort.Label}: {effort.Recall:F4}")));
            Console.WriteLine(Invariant(
                $"| {run.Name} | {Builds(run, build => build.Seconds)} | {Builds(run, build => build.Cpu)} | {share} ")
                + Invariant($"| {run.Bytes / truth.Rows:F0} | {efforts} |"));
        }

        Console.WriteLine();
    }

    public static void Ingestion(IReadOnlyList<PeerRun> runs, PeerTruth truth)
    {
        Console.WriteLine("| peer | s until all is searchable by the built index | processor s | points/s "
            + "| granary's points/s over it (bar 3) | the same a processor second | disk MB | recall@10 at efforts |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|");
        foreach (var run in runs)
        {
            var ours = Ours(runs, run);
            var ratio = ours is null ? "" : Ratios(run, ours, build => build.Seconds);
            var cpuRatio = ours is null ? "" : Ratios(run, ours, build => build.Cpu);
            var rate = new Spread(run.Builds.Select(build => truth.Rows / build.Seconds)).Text();
            var efforts = string.Join(", ", run.Efforts.Select(effort => Invariant($"{effort.Label}: {effort.Recall:F4}")));
            Console.WriteLine($"| {run.Name} | {Builds(run, build => build.Seconds)} | {Builds(run, build => build.Cpu)} | {rate} "
                + Invariant($"| {ratio} | {cpuRatio} | {run.DiskBytes / 1e6:F0} | {efforts} |"));
        }

        Console.WriteLine();
    }

    /// <summary>Rates at one recall: median, least and most of the rounds, and the ratio of ours to each peer in each round.</summary>
    public static void Rates(IReadOnlyList<PeerRun> runs, double recall, int threads, int rounds, string lane = "thread")
    {
        Console.WriteLine(Invariant($"recall@10 = {recall}, {threads} {lane}{(threads == 1 ? "" : "s")}\n"));
        Head("between efforts");
        foreach (var run in runs)
        {
            if (run.Around(recall) is not var (low, high))
            {
                var most = run.Efforts.Max(effort => effort.Recall);
                Console.WriteLine(Invariant($"| {run.Name} | not reached: {most:F4} at most | | | | | | | |"));
                continue;
            }

            var own = Ours(runs, run) is { } ours && ours.Around(recall) is not null ? At(ours, recall, threads, rounds) : null;
            Row(run.Name, At(run, recall, threads, rounds), own, Bar(run.Name, threads),
                Invariant($"{low.Label} ({low.Recall:F4}), {high.Label} ({high.Recall:F4})"));
        }

        Console.WriteLine();
    }

    /// <summary>Rates of one kind of search.</summary>
    public static void Searches(
        string what, IReadOnlyList<PeerRun> runs, Dictionary<PeerRun, List<PeerTiming>> timings, Dictionary<PeerRun, double> quality)
    {
        var legs = what switch { "hybrid" => ", both legs 10 deep", "hybrid-100" => ", both legs 100 deep", _ => "" };
        Console.WriteLine($"{what} search, k = 10{legs}, 1 thread\n");
        Head("nDCG@10");
        foreach (var run in runs)
        {
            var own = Ours(runs, run) is { } ours ? timings[ours].ToArray() : null;
            var bar = what == "text" ? ">= 10" : ">= 20";
            Row(run.Name, [.. timings[run]], own, bar, Invariant($"{quality[run]:F3}"));
        }

        Console.WriteLine();
    }

    /// <summary>What of ours a peer is compared with: a library with the index, a database with the collection, a server with the
    /// server; null for ours.</summary>
    private static PeerRun? Ours(IReadOnlyList<PeerRun> runs, PeerRun run)
    {
        if (run.Name.StartsWith("granary", StringComparison.Ordinal))
            return null;
        string[] names = run.Name is "chroma" or "pgvector" ? ["granary-http"]
            : run.Name.StartsWith("lancedb", StringComparison.Ordinal) ? ["granary-db", "granary"] : ["granary"];
        return names.Select(name => runs.FirstOrDefault(r => r.Name == name)).FirstOrDefault(r => r is not null);
    }

    private static string Builds(PeerRun run, Func<(double Seconds, double Cpu), double> figure) =>
        run.Builds.Count == 1 ? Invariant($"{figure(run.Builds[0]):F1}") : new Spread(run.Builds.Select(figure)).Text("F1");

    private static string Ratios(PeerRun over, PeerRun under, Func<(double Seconds, double Cpu), double> figure)
    {
        var ratios = over.Builds.Zip(under.Builds, (a, b) => figure(a) / figure(b)).ToArray();
        return ratios.Length == 1 ? Invariant($"{ratios[0]:F2}") : new Spread(ratios).Text("F2");
    }

    private static PeerTiming[] At(PeerRun run, double recall, int threads, int rounds) =>
        [.. Enumerable.Range(0, rounds).Select(round => run.At(recall, threads, round)!.Value)];

    private static void Head(string last)
    {
        Console.WriteLine("| peer | queries/s | p50 us | p99 us | granary's queries/s over it | bar | the same a processor second "
            + $"| granary's p99 over it | client's us a query | {last} |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|---|---|");
    }

    private static void Row(string name, PeerTiming[] timings, PeerTiming[]? own, string bar, string last)
    {
        string Ratio(Func<PeerTiming, double> figure) =>
            own is null ? "" : new Spread(own.Zip(timings, (ours, theirs) => figure(ours) / figure(theirs))).Text("F2");
        var client = new Spread(timings.Select(t => t.ClientCpu)).Median;
        Console.WriteLine(Invariant($"| {name} | {new Spread(timings.Select(t => t.Rate)).Text()} ")
            + Invariant($"| {new Spread(timings.Select(t => t.P50)).Median:F0} | {new Spread(timings.Select(t => t.P99)).Median:F0} ")
            + Invariant($"| {Ratio(t => t.Rate)} | {(own is null ? "" : bar)} | {Ratio(t => t.CpuRate)} | {Ratio(t => t.P99)} ")
            + Invariant($"| {(IsServer(name) ? client.ToString("F0", CultureInfo.InvariantCulture) : "")} | {last} |"));
    }

    private static bool IsServer(string peer) => peer is "chroma" or "pgvector" or "granary-http";

    private static string Bar(string peer, int threads) => (peer, threads) switch
    {
        ("hnswlib", 1) => ">= 2",
        ("usearch-i8" or "usearch-i8-scaled", 1) => ">= 1.5",
        ("lancedb-hnsw" or "lancedb-pq", 1) => ">= 10",
        ("chroma", _) => ">= 5; p99 <= 0.3",
        _ => "",
    };

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
