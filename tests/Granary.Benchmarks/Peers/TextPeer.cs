using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Granary.Index;
using Granary.Index.Memory;
using Granary.Index.Search;
using Granary.Index.Text;

namespace Granary.Benchmarks;

/// <summary>Granary's text field as a peer: the protocol of tests/peers/README.md on standard input and output.</summary>
internal static class TextPeer
{
    private static readonly List<(string Kind, string Text)> Queries = [];
    private static string _corpus = "";
    private static int _rows;
    private static TextField _field = null!;
    private static bool _order;
    private static bool _shuffle;

    public static Task<int> RunAsync(Arguments arguments)
    {
        _order = arguments.Number("order", 1) != 0;
        _shuffle = arguments.Number("shuffle", 0) != 0;
        Write(new JsonObject
        {
            ["peer"] = "granary",
            ["version"] = typeof(TextField).Assembly.GetName().Version?.ToString(3),
            ["settings"] = "in process, one text field as a partition holds it, its own English analysis, k1 1.2, b 0.75"
                + (_shuffle ? ", texts in random order" : "") + (_order ? ", put in order once written (not in the time)" : ", as written"),
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
                    "build" => Build(),
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
        _corpus = (string)request["corpus"]!;
        _rows = (int?)request["rows"] ?? int.MaxValue;
        Queries.Clear();
        foreach (var line in File.ReadLines((string)request["queries"]!))
        {
            using var query = JsonDocument.Parse(line);
            var kind = query.RootElement.TryGetProperty("kind", out var named) ? named.GetString()! : "";
            Queries.Add((kind, query.RootElement.GetProperty("text").GetString()!));
        }

        return new JsonObject { ["queries"] = Queries.Count };
    }

    private static JsonObject Build()
    {
        var watch = Stopwatch.StartNew();
        _field = new TextField(new TextFieldSchema("text", "text"), new EpochClock());
        var row = 0;
        var lines = File.ReadLines(_corpus).Take(_rows).Select((line, slot) => (Line: line, Slot: slot));
        if (_shuffle)
        {
            var shuffled = lines.ToArray();
            new Random(1).Shuffle(shuffled);
            lines = shuffled;
        }

        foreach (var (line, slot) in lines)
        {
            using var document = JsonDocument.Parse(line);
            var title = document.RootElement.TryGetProperty("title", out var named) ? named.GetString()! : "";
            _field.Add([$"{title} {document.RootElement.GetProperty("text").GetString()}"], slot);
            row++;
        }

        var seconds = watch.Elapsed.TotalSeconds;
        if (_order)
            Order();
        return new JsonObject { ["rows"] = row, ["seconds"] = seconds, ["bytes"] = _field.Bytes };
    }

    // As a partition does when nothing is written, but also where there are few documents.
    private static void Order()
    {
        var watch = Stopwatch.StartNew();
        _field.Order = _field.FindOrder(CancellationToken.None);
        var found = watch.Elapsed.TotalSeconds;
        var remake = _field.MakeAnew(new EpochClock());
        var work = int.MaxValue;
        while (!remake.Go(ref work))
            work = int.MaxValue;
        remake.Finish();
        _field = remake.Field;
        Console.Error.WriteLine(
            $"an order of {_field.DocumentCount:N0} texts found in {found:F1} s, taken in {watch.Elapsed.TotalSeconds - found:F1} s");
    }

    private static JsonObject Search(JsonObject request)
    {
        int k = (int)request["k"]!, passes = (int?)request["passes"] ?? 1, most = (int?)request["queries"] ?? int.MaxValue;
        var kind = (string?)request["kind"];
        var everyTerm = (string?)request["shape"] == "must";
        var chosen = Queries.Where(query => kind is null || query.Kind == kind).Take(most).Select(query => query.Text).ToArray();
        var times = new double[chosen.Length];
        var ids = new int[chosen.Length][];
        Array.Fill(times, double.MaxValue);
        var hits = new List<SlotHit>(k);
        var filter = default(VectorBenchmarks.AllSlots);
        var allocated = GC.GetTotalAllocatedBytes(true);
        var watch = Stopwatch.StartNew();
        for (var pass = 0; pass < passes; pass++)
        {
            for (var i = 0; i < chosen.Length; i++)
            {
                var began = Stopwatch.GetTimestamp();
                hits.Clear();
                _field.Search(chosen[i], k, null, ref filter, hits, everyTerm: everyTerm);
                times[i] = Math.Min(times[i], Stopwatch.GetElapsedTime(began).TotalMicroseconds);
                if (pass == passes - 1)
                    ids[i] = [.. hits.Select(hit => hit.Slot)];
            }
        }

        var answer = new JsonObject
        {
            ["queries"] = chosen.Length * passes,
            ["seconds"] = watch.Elapsed.TotalSeconds,
            ["allocated"] = GC.GetTotalAllocatedBytes(true) - allocated,
        };
        if ((bool?)request["times"] == true)
            answer["times_us"] = JsonSerializer.SerializeToNode(times);
        if ((bool?)request["ids"] == true)
            answer["ids"] = JsonSerializer.SerializeToNode(ids);
        return answer;
    }
}
