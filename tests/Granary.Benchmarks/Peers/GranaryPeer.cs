using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Granary.Index;

namespace Granary.Benchmarks;

/// <summary>Granary as a peer: the protocol of tests/peers/README.md on standard input and output.</summary>
internal abstract class GranaryPeer : IAsyncDisposable
{
    private Stopwatch _watch = new();
    private double _processorSeconds;

    protected VectorSet Base { get; private set; } = new([], 1);

    protected VectorSet Queries { get; private set; } = new([], 1);

    protected Distance Distance { get; private set; }

    /// <summary>Documents and queries as texts, where they were asked for.</summary>
    protected JudgedSet? Texts { get; private set; }

    protected abstract string Settings { get; }

    private static double ProcessorSeconds => Environment.CpuUsage.TotalTime.TotalSeconds;

    /// <summary><c>--kind field</c> (the vector index alone) or <c>collection</c>.</summary>
    public static async Task<int> RunAsync(Arguments arguments)
    {
        await using GranaryPeer peer = arguments.Text("kind", "field") == "collection"
            ? new GranaryCollectionPeer() : new GranaryFieldPeer();
        Write(new JsonObject
        {
            ["peer"] = "granary",
            ["version"] = typeof(IndexSchema).Assembly.GetName().Version?.ToString(3),
            ["settings"] = peer.Settings,
        });
        while (Console.ReadLine() is { } line)
        {
            var request = JsonNode.Parse(line)!.AsObject();
            if ((string?)request["op"] == "quit")
                break;
            try
            {
                Write(await peer.AnswerAsync(request));
            }
            catch (Exception e) when (e is IOException or GranaryException)
            {
                Write(new JsonObject { ["error"] = e.Message });
            }
        }

        return 0;
    }

    /// <summary>Makes an index of all rows and waits until everything is linked; an answer's further members.</summary>
    protected abstract Task<JsonObject> BuildAsync(int m, int efConstruct, int threads, int batch);

    /// <summary>Starts the build's clock anew, after what was only to warm the code.</summary>
    protected void Restart() => (_watch, _processorSeconds) = (Stopwatch.StartNew(), ProcessorSeconds);

    /// <summary>One thread's search: rows of the best for a query.</summary>
    protected abstract Action<int, int[]> Searcher(string what, int k, int? ef);

    public abstract ValueTask DisposeAsync();

    private static void Write(JsonObject answer) => Console.WriteLine(answer.ToJsonString());

    private async Task<JsonObject> AnswerAsync(JsonObject request) => (string?)request["op"] switch
    {
        "load" => Load(request),
        "build" => await BuildAsync(request),
        "search" => Search(request),
        _ => new JsonObject { ["error"] = "unknown op" },
    };

    private JsonObject Load(JsonObject request)
    {
        string data = (string)request["data"]!, set = (string)request["set"]!;
        var folder = Path.Combine(data, set);
        Base = VectorFiles.ReadVectors(folder, "base");
        Queries = VectorFiles.ReadVectors(folder, "query");
        var wanted = Math.Min((int?)request["queries"] ?? Queries.Count, Queries.Count);
        Queries = Queries with { Values = Queries.Values[..(wanted * Queries.Size)] };
        Distance = (string?)request["metric"] == "euclid" ? Distance.Euclid : Distance.Cosine;
        Texts = (bool?)request["texts"] == true ? JudgedSet.Open(data, set) : null;
        return new JsonObject { ["rows"] = Base.Count, ["dims"] = Base.Size, ["queries"] = Queries.Count };
    }

    private async Task<JsonObject> BuildAsync(JsonObject request)
    {
        GC.Collect();
        Restart();
        var answer = await BuildAsync(
            (int)request["m"]!, (int)request["ef_construct"]!, (int)request["threads"]!, (int?)request["batch"] ?? 1000);
        answer["seconds"] = _watch.Elapsed.TotalSeconds;
        answer["cpu_seconds"] = ProcessorSeconds - _processorSeconds;
        return answer;
    }

    private JsonObject Search(JsonObject request)
    {
        int k = (int)request["k"]!, passes = (int?)request["passes"] ?? 1, threads = (int?)request["threads"] ?? 1;
        var what = (string?)request["what"] ?? "dense";
        var ef = (int?)request["ef"];
        var total = Queries.Count * passes;
        var ids = Enumerable.Range(0, Queries.Count).Select(_ => new int[k]).ToArray();
        var times = new double[total];
        var next = -1;
        var cpu = ProcessorSeconds;
        var watch = Stopwatch.StartNew();
        OnThreads(threads, () =>
        {
            var search = Searcher(what, k, ef);
            while (Interlocked.Increment(ref next) is var i && i < total)
            {
                var began = Stopwatch.GetTimestamp();
                search(i % Queries.Count, ids[i % Queries.Count]);
                times[i] = Stopwatch.GetElapsedTime(began).TotalMicroseconds;
            }
        });
        var answer = new JsonObject
        {
            ["queries"] = total,
            ["seconds"] = watch.Elapsed.TotalSeconds,
            ["cpu_seconds"] = ProcessorSeconds - cpu,
        };
        Array.Sort(times);
        answer["p50_us"] = times[total / 2];
        answer["p99_us"] = times[total * 99 / 100];
        if ((bool?)request["ids"] == true)
            answer["ids"] = JsonSerializer.SerializeToNode(ids.Select(row => row.Where(id => id >= 0)));
        return answer;
    }

    private static void OnThreads(int count, Action work)
    {
        var others = Enumerable.Range(1, count - 1).Select(_ => new Thread(() => work())).ToArray();
        foreach (var thread in others)
            thread.Start();
        work();
        foreach (var thread in others)
            thread.Join();
    }
}
