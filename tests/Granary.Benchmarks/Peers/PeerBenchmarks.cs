namespace Granary.Benchmarks;

/// <summary>
/// Granary's vector index and its peers on the same data, queries and threads: every peer keeps its index, and the rounds go from
/// peer to peer.
/// </summary>
internal static class PeerBenchmarks
{
    public static async Task<int> RunAsync(Arguments arguments)
    {
        var settings = new PeerSettings(arguments);
        var plots = arguments.Text("plots", "");
        var processes = await PeerSettings.StartAsync(arguments.Text("peers", "granary,hnswlib,usearch-f32,usearch-i8,faiss"));
        try
        {
            foreach (var set in arguments.Text("sets", "glove-100,sift-128,debian-384").Split(','))
                await RunSetAsync(settings, set, processes, plots);
        }
        finally
        {
            foreach (var process in processes)
                process.Dispose();
        }

        return 0;
    }

    private static async Task RunSetAsync(PeerSettings settings, string set, List<PeerProcess> processes, string plots)
    {
        var rounds = new PeerRounds(settings, set, processes);
        var truth = rounds.Truth;
        var targets = settings.Targets(set);
        Console.WriteLine($"\n## {set}: {truth.Rows:N0} x {truth.Size}, {truth.Queries} queries, {PeerSettings.DistanceOf(set)}\n");
        Console.WriteLine($"M={settings.M}, ef_construction={settings.EfConstruct}, built on {settings.BuildThreads} threads; "
            + $"{settings.Rounds} rounds; {Machine.Load}\n");
        await rounds.BuildAsync(settings.BuildRounds);
        await rounds.SweepAsync(targets);
        PeerTables.Builds(rounds.Runs, truth);
        foreach (var threads in settings.Threads($"1,{Environment.ProcessorCount}"))
        {
            // The one bar on all threads is the build's; one recall shows that searching keeps its lead there.
            var compared = threads == 1 ? targets : targets[..1];
            await rounds.TimeAsync(compared, threads);
            foreach (var target in compared)
                PeerTables.Rates(rounds.Runs, target, threads, settings.Rounds);
        }

        if (plots.Length > 0)
        {
            Directory.CreateDirectory(plots);
            RecallPlot.Write(Path.Combine(plots, $"{set}.svg"), $"{set}: {truth.Rows:N0} x {truth.Size}, one thread",
                [.. rounds.Runs.Select(run => (run.Name, run.Efforts))]);
        }
    }
}
