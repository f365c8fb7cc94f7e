using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Granary.Client;
using Granary.Collections;
using Granary.Index;
using Granary.Index.Operations;

namespace Granary.Benchmarks;

/// <summary>
/// What a query costs, and a point, as a collection grows, in process, one caller: seeded vectors in clusters (cosine), and with
/// <c>--corpus FOLDER</c> (corpus.jsonl, queries.jsonl, as for <c>text-peers</c>) a text a point.
/// <c>--sizes 10000,100000,1000000 --dimensions 64 --rounds 5</c>.
/// </summary>
internal static class GrowthBenchmarks
{
    private const int K = 10;
    private const int Queries = 200;
    private const int ExactQueries = 20;
    private const int FixedEf = 64;
    private const double Recalled = 0.95;
    private static readonly int[] Efs = [10, 16, 24, 32, 48, FixedEf, 96, 128, 192, 256, 384, 512];

    public static async Task<int> RunAsync(Arguments arguments)
    {
        var sizes = arguments.Text("sizes", "10000,100000,1000000").Split(',').Select(s => int.Parse(s, CultureInfo.InvariantCulture))
            .ToArray();
        var dimensions = arguments.Number("dimensions", 64);
        var corpus = arguments.Text("corpus", "");
        var all = ClusteredVectors.Make(sizes.Max(), dimensions, seed: 11);
        var queries = ClusteredVectors.Make(Queries, dimensions, seed: 12);
        var texts = corpus.Length > 0
            ? Lines(Path.Combine(corpus, "queries.jsonl")).Where((_, i) => i % 5 == 0).Take(Queries).ToArray() : [];
        // The first time code is compiled, which is no cost of a small collection.
        await MeasureAsync(all with { Values = all.Values[..(10_000 * dimensions)] }, queries, corpus, texts, 3, static (_, _, _) => { });
        Console.WriteLine("that was to warm up");
        var rows = new List<(string What, string Unit, List<double> Values)>();
        foreach (var size in sizes)
        {
            var set = all with { Values = all.Values[..(size * dimensions)] };
            await MeasureAsync(set, queries, corpus, texts, arguments.Number("rounds", 5), (what, unit, value) =>
            {
                var row = rows.Find(r => r.What == what);
                if (row.Values is null)
                    rows.Add(row = (what, unit, []));
                row.Values.Add(value);
            });
        }

        Console.WriteLine($"{"",-44}{string.Concat(sizes.Select(s => $"{s,12}"))}   growth a decade (exponent)");
        foreach (var (what, unit, values) in rows)
        {
            var growth = Enumerable.Range(1, values.Count - 1).Select(i =>
            {
                var exponent = Math.Log(values[i] / values[i - 1]) / Math.Log((double)sizes[i] / sizes[i - 1]);
                return string.Create(CultureInfo.InvariantCulture, $"{Math.Pow(10, exponent):F2}x ({exponent:F2})");
            });
            var growing = unit.Length > 0 ? string.Join(", ", growth) : "";
            var name = unit.Length > 0 ? $"{what}, {unit}" : what;
            Console.WriteLine($"{name,-44}{string.Concat(values.Select(v => $"{v,12:F3}"))}   {growing}");
        }

        return 0;
    }

    private static async Task MeasureAsync(
        VectorSet set, VectorSet queries, string corpus, string[] texts, int rounds, Action<string, string, double> report)
    {
        var folder = Directory.CreateTempSubdirectory("granary-bench");
        try
        {
            var before = Anonymous();
            await using var database = await Database.OpenAsync(
                await GranaryStorage.OpenAsync($"file:{folder.FullName}"), new DatabaseOptions(), CancellationToken.None);
            var began = Stopwatch.GetTimestamp();
            var collection = await LoadAsync(database, set, corpus);
            var loaded = Stopwatch.GetElapsedTime(began);
            report("loaded, linked and indexed", "us a point", loaded.TotalMicroseconds / set.Count);
            report("anonymous memory", "bytes a point", (Anonymous() - before) / (double)set.Count);
            var truth = ClusteredVectors.Truth(set, queries, K);
            Console.WriteLine($"{set.Count} x {set.Size}, loaded in {loaded.TotalSeconds:F1} s; {Machine.Load}");
            await VectorsAsync(collection, set, queries, truth, rounds, report);
            if (texts.Length > 0)
                Texts(collection, queries, texts, rounds, report);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task VectorsAsync(
        ICollection collection, VectorSet set, VectorSet queries, int[][] truth, int rounds, Action<string, string, double> report)
    {
        var sweep = new Sweep(queries.Count, rounds);
        foreach (var ef in Efs)
        {
            sweep.Add($"ef {ef}", query => Ask(collection, Request(query)), query =>
                Recall.Of(set, Distance.Cosine, queries[query], truth[query], K, Ask(collection, Request(query))));

            QueryRequest Request(int query) => Nearest(queries, query, new SearchParams { HnswEf = ef });
        }

        sweep.Run();
        foreach (var (name, recall, micros) in sweep.Results("ef"))
            Console.WriteLine($"  {name,-8} recall@{K} {recall:F4}, {micros:F1} us");
        report($"vector query at recall {Recalled}", "us", 1e6 / sweep.QueriesAt("ef", Recalled));
        var (_, found, fixedMicros) = sweep.Results($"ef {FixedEf}").Single();
        report($"vector query at ef {FixedEf}", "us", fixedMicros);
        report($"its recall@{K}", "", found);
        var exact = new Sweep(ExactQueries, rounds);
        exact.Add("exact", query => Ask(collection, Nearest(queries, query, new SearchParams { Exact = true })), _ => 1);
        exact.Run();
        report("exact vector query", "us", exact.Results("exact").Single().Micros);
        await collection.WaitAsync();
    }

    private static void Texts(
        ICollection collection, VectorSet queries, string[] texts, int rounds, Action<string, string, double> report)
    {
        var sweep = new Sweep(texts.Length, rounds);
        sweep.Add("BM25", query => Ask(collection, new QueryRequest
        {
            Query = new NearestQuery(new TextInput(texts[query])),
            Using = "text",
            Limit = K,
        }), _ => 1);
        sweep.Add("hybrid", query => Ask(collection, new HybridQuery(texts[query])
        {
            Vector = queries.Row(query % queries.Count),
            Limit = K,
            WithPayload = false,
        }.ToRequest()), _ => 1);
        sweep.Run();
        report($"BM25 top {K}", "us", sweep.Results("BM25").Single().Micros);
        report("hybrid, the default fusion", "us", sweep.Results("hybrid").Single().Micros);
    }

    private static QueryRequest Nearest(VectorSet queries, int query, SearchParams how) => new()
    {
        Query = new NearestQuery(new DenseInput(queries.Row(query))),
        Params = how,
        Limit = K,
    };

    private static IReadOnlyList<ScoredPoint> Ask(ICollection collection, QueryRequest request)
    {
        var answer = collection.QueryAsync(request);
        return answer.IsCompleted ? answer.Result : answer.AsTask().GetAwaiter().GetResult();
    }

    private static async Task<ICollection> LoadAsync(Database database, VectorSet set, string corpus)
    {
        await database.CreateCollectionAsync("growth", new CollectionConfig
        {
            Schema = new IndexSchema
            {
                Dense = [new DenseVectorSchema("", set.Size, Distance.Cosine)],
                Text = corpus.Length > 0 ? [new TextFieldSchema("text", "text")] : [],
            },
            Ingestion = new IngestionSettings { AdmissionTimeout = TimeSpan.FromMinutes(10) },
        });
        var collection = await database.GetCollectionAsync("growth");
        using var texts = corpus.Length > 0 ? Repeated(Path.Combine(corpus, "corpus.jsonl")).GetEnumerator() : null;
        for (var from = 0; from < set.Count; from += 500)
        {
            var batch = new WriteBatch();
            for (var row = from; row < Math.Min(from + 500, set.Count); row++)
            {
                batch.Operations.Begin(OperationKind.Upsert, new PointId((ulong)row));
                if (texts is not null && texts.MoveNext())
                    batch.Operations.Payload(JsonSerializer.SerializeToUtf8Bytes(new { text = texts.Current }));
                batch.Operations.Dense("", set[row]);
                batch.Operations.End();
            }

            await collection.WriteAsync(batch, new WriteOptions());
        }

        await collection.WaitAsync();
        return collection;
    }

    private static IEnumerable<string> Lines(string path) =>
        File.ReadLines(path).Select(line => JsonSerializer.Deserialize<JsonElement>(line).GetProperty("text").GetString()!);

    private static IEnumerable<string> Repeated(string path)
    {
        while (true)
        {
            foreach (var line in Lines(path))
                yield return line;
        }
    }

    private static long Anonymous()
    {
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        var line = File.ReadLines("/proc/self/status").First(l => l.StartsWith("RssAnon:", StringComparison.Ordinal));
        return long.Parse(line["RssAnon:".Length..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture) * 1024;
    }
}
