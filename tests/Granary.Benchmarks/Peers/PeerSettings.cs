using System.Globalization;
using Granary.Index;

namespace Granary.Benchmarks;

/// <summary>What every peer of a run is given alike.</summary>
internal sealed class PeerSettings(Arguments arguments)
{
    public string Data { get; } = Path.GetFullPath(arguments.Data);

    public int Queries { get; } = arguments.Number("queries", 1000);

    public int Rounds { get; } = arguments.Number("rounds", 5);

    public int M { get; } = arguments.Number("m", 16);

    public int EfConstruct { get; } = arguments.Number("ef-construct", 200);

    /// <summary>Points a request or a call, of a database that is filled.</summary>
    public int Batch { get; } = arguments.Number("batch", 1000);

    /// <summary>How often a database is filled anew.</summary>
    public int IngestRounds { get; } = arguments.Number("ingest-rounds", 3);

    /// <summary>How often a library's index is built anew.</summary>
    public int BuildRounds { get; } = arguments.Number("build-rounds", 1);

    public int BuildThreads { get; } = arguments.Number("build-threads", Environment.ProcessorCount);

    /// <summary>The recalls to compare at: what the command line says, else the bars'.</summary>
    public double[] Targets(string set) => [.. arguments.Text("recall",
            set.StartsWith("glove", StringComparison.Ordinal) ? "0.95,0.9875" : "0.95,0.99")
        .Split(',').Select(text => double.Parse(text, CultureInfo.InvariantCulture))];

    /// <summary>Threads, or connections, to search on.</summary>
    public int[] Threads(string fallback) => [.. arguments.Text("threads", fallback)
        .Split(',').Select(text => int.Parse(text, CultureInfo.InvariantCulture)).Distinct()];

    public static Distance DistanceOf(string set) =>
        set.StartsWith("sift", StringComparison.Ordinal) ? Distance.Euclid : Distance.Cosine;

    /// <summary>Starts the peers of a list that can run here.</summary>
    public static async Task<List<PeerProcess>> StartAsync(string names)
    {
        var processes = new List<PeerProcess>();
        foreach (var name in names.Split(','))
        {
            if (await PeerProcess.StartAsync(name) is not { } process)
                continue;
            processes.Add(process);
            Console.WriteLine($"- {name}: {process.Version}; {process.Settings}");
        }

        return processes;
    }
}
