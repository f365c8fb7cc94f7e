using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Granary.Index;
using Granary.Index.Memory;
using Granary.Index.Search;
using Granary.Index.Vectors;

namespace Granary.Benchmarks;

/// <summary>Granary's dense field as a peer: the protocol of tests/peers/README.md on standard input and output.</summary>
internal static class GranaryPeer
{
    private static VectorSet s_base = new([], 1);
    private static VectorSet s_queries = new([], 1);
    private static DenseVectorSchema s_schema = null!;
    private static Distance s_distance;
    private static DenseField? s_field;

    private static double ProcessorSeconds => Environment.CpuUsage.TotalTime.TotalSeconds;

    public static Task<int> RunAsync(Arguments arguments)
    {
        Write(new JsonObject
        {
            ["peer"] = "granary",
            ["version"] = typeof(DenseField).Assembly.GetName().Version?.ToString(3),
            ["settings"] = "in process, one dense field as a partition holds it, scores of the answer exact float32",
        });
        while (Console.ReadLine() is { } line)
        {
            var request = JsonNode.Parse(line)!.AsObject();
            if ((string?)request["op"] == "quit")
                break;
            try
            {
                Write((string?)request["op"] switch
                {
                    "load" => Load(request),
                    "build" => Build(request),
                    "search" => Search(request),
                    _ => new JsonObject { ["error"] = "unknown op" },
                });
            }
            catch (Exception e) when (e is IOException or GranaryException)
            {
                Write(new JsonObject { ["error"] = e.Message });
            }
        }

        return Task.FromResult(0);
    }

    private static void Write(JsonObject answer) => Console.WriteLine(answer.ToJsonString());

    private static JsonObject Load(JsonObject request)
    {
        var folder = Path.Combine((string)request["data"]!, (string)request["set"]!);
        s_base = VectorFiles.ReadVectors(folder, "base");
        s_queries = VectorFiles.ReadVectors(folder, "query");
        var wanted = Math.Min((int?)request["queries"] ?? s_queries.Count, s_queries.Count);
        s_queries = s_queries with { Values = s_queries.Values[..(wanted * s_queries.Size)] };
        s_distance = (string?)request["metric"] == "euclid" ? Distance.Euclid : Distance.Cosine;
        return new JsonObject { ["rows"] = s_base.Count, ["dims"] = s_base.Size, ["queries"] = s_queries.Count };
    }

    private static JsonObject Build(JsonObject request)
    {
        s_field?.Dispose();
        GC.Collect();
        var hnsw = new HnswSettings { M = (int)request["m"]!, EfConstruct = (int)request["ef_construct"]! };
        s_schema = new DenseVectorSchema("", s_base.Size, s_distance) { Hnsw = hnsw };
        var cpu = ProcessorSeconds;
        var watch = Stopwatch.StartNew();
        s_field = new DenseField(s_schema, new EpochClock());
        for (var row = 0; row < s_base.Count; row++)
            s_field.Add(s_base[row], row);
        while (s_field.Link(1000, (int)request["threads"]!, CancellationToken.None) > 0)
        {
        }

        return new JsonObject
        {
            ["seconds"] = watch.Elapsed.TotalSeconds,
            ["cpu_seconds"] = ProcessorSeconds - cpu,
            ["bytes"] = s_field.Bytes,
        };
    }

    private static JsonObject Search(JsonObject request)
    {
        int k = (int)request["k"]!, passes = (int?)request["passes"] ?? 1, threads = (int?)request["threads"] ?? 1;
        var ef = (int?)request["ef"];
        var total = s_queries.Count * passes;
        var ids = new int[s_queries.Count][];
        var times = new double[total];
        var next = -1;
        var cpu = ProcessorSeconds;
        var watch = Stopwatch.StartNew();
        OnThreads(threads, () =>
        {
            var query = new DenseQuery(s_schema, s_queries[0]);
            var hits = new List<SlotHit>(k);
            var filter = default(VectorBenchmarks.AllSlots);
            while (Interlocked.Increment(ref next) is var i && i < total)
            {
                var number = i % s_queries.Count;
                var began = Stopwatch.GetTimestamp();
                hits.Clear();
                query.Set(s_queries[number]);
                s_field!.Search(new DenseSearch(query, k) { Ef = ef }, ref filter, hits);
                var found = ids[number] ??= new int[k];
                for (var j = 0; j < Math.Min(k, hits.Count); j++)
                    found[j] = hits[j].Slot;
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
            answer["ids"] = JsonSerializer.SerializeToNode(ids);
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
