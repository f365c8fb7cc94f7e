using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Granary.Benchmarks;

/// <summary>
/// BM25 of Granary and its peers over the same texts and queries, one thread, in turn. `--corpus` names a folder with corpus.jsonl
/// and queries.jsonl, as tests/peers/text/corpus.py builds it or as a judged collection has it.
/// </summary>
internal static class TextPeerBenchmarks
{
    private const string Ours = "granary-text";

    // They score whatever matches, or cost a call through a client: asked fewer queries.
    private static readonly string[] Slow = ["sqlite-fts5", "lancedb-text", "postgres-text", "minisearch"];

    public static async Task<int> RunAsync(Arguments arguments)
    {
        int rounds = arguments.Number("rounds", 5), passes = arguments.Number("passes", 3), slow = arguments.Number("slow-queries", 40);
        var folder = arguments.Text("corpus", arguments.Text("data", "."));
        var files = new JsonObject
        {
            ["op"] = "load",
            ["corpus"] = Path.GetFullPath(Path.Combine(folder, "corpus.jsonl")),
            ["queries"] = Path.GetFullPath(Path.Combine(folder, "queries.jsonl")),
            ["rows"] = arguments.Number("rows", int.MaxValue),
        };
        var kinds = File.ReadLines(Path.Combine(folder, "queries.jsonl")).Select(Kind).Distinct().ToArray();
        var processes = new List<PeerProcess>();
        var runs = new List<TextPeerRun>();
        try
        {
            foreach (var name in arguments.Text("peers", $"{Ours},lucene,xapian,{string.Join(',', Slow)}").Split(','))
            {
                if (await PeerProcess.StartAsync(name) is not { } process)
                    continue;
                processes.Add(process);
                await process.AskAsync((JsonObject)files.DeepClone());
                var built = await process.AskAsync(new JsonObject { ["op"] = "build", ["threads"] = Environment.ProcessorCount });
                Console.WriteLine($"{name}: {process.Version}; {process.Settings}; "
                    + $"built in {built.GetProperty("seconds").GetDouble():F1} s, {built.GetProperty("bytes").GetDouble() / 1e6:F0} MB");
                if (name == "lucene")
                {
                    // The second only counts as far as it must.
                    runs.Add(new TextPeerRun("lucene", process, int.MaxValue, (request, _) => request["threshold"] = 1000));
                    runs.Add(new TextPeerRun("lucene, threshold k", process, int.MaxValue, (request, k) => request["threshold"] = k));
                }
                else
                {
                    runs.Add(new TextPeerRun(name, process, Slow.Contains(name) ? slow : int.MaxValue, (_, _) => { }));
                }
            }

            foreach (var k in arguments.Text("k", "10,100").Split(',').Select(text => int.Parse(text, CultureInfo.InvariantCulture)))
            {
                foreach (var run in runs)
                    await run.WarmAsync(kinds, k, arguments.Number("warm", 5));
                for (var round = 0; round < rounds; round++)
                {
                    foreach (var kind in kinds)
                    {
                        foreach (var run in PeerRounds.Turn(runs, round))
                            await run.TimeAsync(kind, k, passes, round);
                    }
                }

                Print(runs, kinds, k, rounds, passes);
            }
        }
        finally
        {
            foreach (var process in processes)
                process.Dispose();
        }

        return 0;
    }

    private static string Kind(string line)
    {
        using var query = JsonDocument.Parse(line);
        return query.RootElement.TryGetProperty("kind", out var kind) ? kind.GetString()! : "";
    }

    private static void Print(List<TextPeerRun> runs, string[] kinds, int k, int rounds, int passes)
    {
        var times = passes == 1 ? "single times" : $"least of {passes} times a query in a round";
        Console.WriteLine($"\ntop {k}, one thread, {rounds} rounds in turn, {times}; {Machine.Load}\n");
        Console.WriteLine("| queries | peer | mean us | p99 us | ours mean / its | ours p99 / its | same of top k |");
        Console.WriteLine("|---|---|---|---|---|---|---|");
        var ours = runs.Find(run => run.Name == Ours);
        foreach (var kind in kinds.Append("all"))
        {
            foreach (var run in runs)
            {
                string[] chosen = kind == "all" ? kinds : [kind];
                var means = Enumerable.Range(0, rounds).Select(round => Mean(run.Times(chosen, round, int.MaxValue))).ToArray();
                var tails = Enumerable.Range(0, rounds).Select(round => Tail(run.Times(chosen, round, int.MaxValue))).ToArray();
                string meanRatio = "", tailRatio = "", same = "";
                if (ours != null && run != ours)
                {
                    meanRatio = Ratio(means.Select((mean, round) => Mean(ours.Times(chosen, round, run.Most)) / mean));
                    tailRatio = Ratio(tails.Select((tail, round) => Tail(ours.Times(chosen, round, run.Most)) / tail));
                    same = run.Agreement(ours, chosen).ToString("P0", CultureInfo.InvariantCulture);
                }

                Console.WriteLine($"| {kind} | {run.Name} | {new Spread(means).Text("N1")} | {new Spread(tails).Text("N1")} "
                    + $"| {meanRatio} | {tailRatio} | {same} |");
            }
        }
    }

    private static string Ratio(IEnumerable<double> ratios)
    {
        var spread = new Spread(ratios);
        return spread.Text(spread.Median < 0.01 ? "F5" : "F3");
    }

    private static double Mean(double[] times) => times.Average();

    private static double Tail(double[] times)
    {
        Array.Sort(times);
        return times[Math.Min(times.Length * 99 / 100, times.Length - 1)];
    }
}
