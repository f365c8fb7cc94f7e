using System.Text.Json;

namespace Granary.Benchmarks;

/// <summary>
/// Granary and other databases: points/s until searchable with the index built, disk, vector search at equal recall, full text and
/// hybrid search in process; vector search of servers, through HTTP by the same client or through their own.
/// </summary>
internal static class DatabasePeerBenchmarks
{
    private const double Recall = 0.95;

    public static async Task<int> RunAsync(Arguments arguments)
    {
        var settings = new PeerSettings(arguments);
        var set = arguments.Text("set", "debian-384");
        var parts = arguments.Text("parts", "process,http").Split(',');
        if (parts.Contains("process"))
            await InProcessAsync(settings, set, arguments.Text("peers", "granary-db,lancedb-hnsw"));
        if (parts.Contains("http"))
            await ThroughHttpAsync(settings, set, arguments.Text("http-peers", "granary-http,chroma,pgvector"));
        return 0;
    }

    private static async Task InProcessAsync(PeerSettings settings, string set, string peers)
    {
        Console.WriteLine($"\n## In process: {set}, vectors and texts; {settings.Rounds} rounds, "
            + $"filled {settings.IngestRounds} times; {Machine.Load}\n");
        var processes = await PeerSettings.StartAsync(peers);
        try
        {
            var rounds = new PeerRounds(settings, set, processes);
            await rounds.BuildAsync(settings.IngestRounds, texts: true);
            await rounds.SweepAsync([Recall]);
            PeerTables.Ingestion(rounds.Runs, rounds.Truth);
            await rounds.TimeAsync([Recall], 1);
            PeerTables.Rates(rounds.Runs, Recall, 1, settings.Rounds);
            foreach (var what in new[] { "hybrid", "hybrid-100", "text" })
                await CompareAsync(settings, JudgedSet.Open(settings.Data, set), rounds.Runs, what);
        }
        finally
        {
            processes.ForEach(process => process.Dispose());
        }
    }

    private static async Task ThroughHttpAsync(PeerSettings settings, string set, string peers)
    {
        Console.WriteLine($"\n## Servers: {set}, vectors; {settings.Rounds} rounds, "
            + $"filled {settings.IngestRounds} times; client on the same cores; {Machine.Load}\n");
        var processes = await PeerSettings.StartAsync(peers);
        try
        {
            var rounds = new PeerRounds(settings, set, processes);
            await rounds.BuildAsync(settings.IngestRounds);
            await rounds.SweepAsync([Recall]);
            PeerTables.Ingestion(rounds.Runs, rounds.Truth);
            foreach (var connections in settings.Threads("1,4,8"))
            {
                await rounds.TimeAsync([Recall], connections);
                PeerTables.Rates(rounds.Runs, Recall, connections, settings.Rounds, "connection");
            }
        }
        finally
        {
            processes.ForEach(process => process.Dispose());
        }
    }

    private static async Task CompareAsync(PeerSettings settings, JudgedSet judged, IReadOnlyList<PeerRun> runs, string what)
    {
        // Once to warm the code and for the answers, then the rounds.
        var quality = new Dictionary<PeerRun, double>();
        foreach (var run in runs)
            quality[run] = Ndcg(judged, (await run.SearchAsync(what, Recall, ids: true)).Ids!.Value);
        var timings = runs.ToDictionary(run => run, _ => new List<PeerTiming>());
        for (var round = 0; round < settings.Rounds; round++)
        {
            foreach (var run in PeerRounds.Turn(runs, round))
                timings[run].Add((await run.SearchAsync(what, Recall, ids: false)).Timing);
        }

        PeerTables.Searches(what, runs, timings, quality);
    }

    /// <summary>Over the queries that were asked, the first of the set's.</summary>
    private static double Ndcg(JudgedSet judged, JsonElement ids)
    {
        var rankings = ids.EnumerateArray()
            .Select(row => (IReadOnlyList<int>)[.. row.EnumerateArray().Select(id => id.GetInt32())]).ToArray();
        return judged.Measure(rankings).Ndcg;
    }
}
