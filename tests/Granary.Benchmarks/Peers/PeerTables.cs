using System.Globalization;

namespace Granary.Benchmarks;

/// <summary>The tables of the word <c>peers</c>, as Markdown.</summary>
internal static class PeerTables
{
    public static void Builds(IReadOnlyList<PeerRun> runs, PeerTruth truth)
    {
        Console.WriteLine("| peer | build s | processor s | build of ours | bytes a row | recall@10 at efforts |");
        Console.WriteLine("|---|---|---|---|---|---|");
        var ours = runs.FirstOrDefault(run => run.Name == "granary");
        foreach (var run in runs)
        {
            var share = ours is null || run == ours ? "" : Invariant($"{ours.BuildSeconds / run.BuildSeconds:F2}x");
            var efforts = string.Join(", ", run.Efforts.Select(effort => Invariant($"{effort.Label}: {effort.Recall:F4}")));
            Console.WriteLine(Invariant(
                $"| {run.Name} | {run.BuildSeconds:F1} | {run.BuildCpu:F1} | {share} | {run.Bytes / truth.Rows:F0} | {efforts} |"));
        }

        Console.WriteLine();
    }

    /// <summary>Rates at one recall: median, least and most of the rounds, and the ratio of ours to each peer in each round.</summary>
    public static void Rates(IReadOnlyList<PeerRun> runs, string ours, double recall, int threads, int rounds)
    {
        Console.WriteLine(Invariant($"recall@10 = {recall}, {threads} thread{(threads == 1 ? "" : "s")}\n"));
        Console.WriteLine("| peer | queries/s | p99 us | granary's queries/s over it | the same a processor second | bar | between |");
        Console.WriteLine("|---|---|---|---|---|---|---|");
        var mine = runs.FirstOrDefault(run => run.Name == ours);
        foreach (var run in runs)
        {
            if (run.Around(recall) is not var (low, high))
            {
                var most = run.Efforts.Max(effort => effort.Recall);
                Console.WriteLine(Invariant($"| {run.Name} | not reached: {most:F4} at most | | | | | |"));
                continue;
            }

            var timings = Enumerable.Range(0, rounds).Select(round => run.At(recall, threads, round)!.Value).ToArray();
            string ratio = "", cpuRatio = "";
            if (mine is not null && run != mine && mine.Around(recall) is not null)
            {
                var own = Enumerable.Range(0, rounds).Select(round => mine.At(recall, threads, round)!.Value).ToArray();
                ratio = new Spread(own.Zip(timings, (a, b) => a.Rate / b.Rate)).Text("F2");
                cpuRatio = new Spread(own.Zip(timings, (a, b) => a.CpuRate / b.CpuRate)).Text("F2");
            }

            Console.WriteLine(Invariant($"| {run.Name} | {new Spread(timings.Select(t => t.Rate)).Text()} ")
                + Invariant($"| {new Spread(timings.Select(t => t.P99)).Median:F0} | {ratio} | {cpuRatio} | {Bar(run.Name, threads)} ")
                + Invariant($"| {low.Label} ({low.Recall:F4}) and {high.Label} ({high.Recall:F4}) |"));
        }

        Console.WriteLine();
    }

    private static string Bar(string peer, int threads) => (peer, threads) switch
    {
        ("hnswlib", 1) => ">= 2",
        ("usearch-i8", 1) => ">= 1.5",
        ("lancedb-hnsw" or "lancedb-pq", 1) => ">= 10",
        _ => "",
    };

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
