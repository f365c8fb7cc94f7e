using System.Diagnostics;
using System.Text.Json;
using Granary.Client;
using Granary.Collections;
using Granary.Index;
using Granary.Index.Operations;

namespace Granary.Benchmarks;

/// <summary>
/// Dense, BM25 and hybrid queries of a collection in process, one caller: latency, queries/s, bytes allocated a query by all threads
/// (what the answer itself takes apart) and the collections' pauses.
/// </summary>
internal static class HybridBenchmarks
{
    private const int K = 10;
    private static readonly int Candidates = new HybridQuery("").Candidates;

    public static async Task<int> RunAsync(Arguments arguments)
    {
        var set = JudgedSet.Open(arguments.Data, arguments.Text("set", "debian-384"));
        var rounds = arguments.Number("rounds", 5);
        var asked = arguments.Number("queries", 10_000);
        await using var database = await EmbeddedDatabase.OpenAsync();
        var collection = await LoadAsync(
            database.Database, set, arguments.Number("partitions", 1), arguments.Number("ef", 0));
        var kinds = new (string Name, QueryRequest[] Requests)[]
        {
            ("dense", Requests(set, (vector, _) => new QueryRequest { Query = new NearestQuery(new DenseInput(vector)), Limit = K })),
            ("BM25", Requests(set, (_, text) => new QueryRequest
            {
                Query = new NearestQuery(new TextInput(text)),
                Using = "text",
                Limit = K,
            })),
            ($"dense, {Candidates}", Requests(set, (vector, _) => new QueryRequest
            {
                Query = new NearestQuery(new DenseInput(vector)),
                Limit = Candidates,
            })),
            ($"BM25, {Candidates}", Requests(set, (_, text) => new QueryRequest
            {
                Query = new NearestQuery(new TextInput(text)),
                Using = "text",
                Limit = Candidates,
            })),
            ("hybrid, RRF", Requests(set, (vector, text) => Hybrid(vector, text, HybridFusion.Rrf))),
            ("hybrid, default", Requests(set, (vector, text) => Hybrid(vector, text, new HybridQuery("").Fusion))),
        };
        var only = arguments.Text("kinds", "");
        kinds = [.. kinds.Where(kind => kind.Name.Contains(only, StringComparison.Ordinal))];
        var samples = kinds.Select(_ => new Samples(asked * rounds)).ToArray();
        var least = kinds.Select(_ => new double[set.Queries.Count]).ToArray();
        foreach (var times in least)
            Array.Fill(times, double.PositiveInfinity);
        var rates = kinds.Select(_ => new List<double>()).ToArray();
        foreach (var (_, requests) in kinds)
            await AskAsync(collection, requests, Math.Min(asked, 4000), null, null);
        for (var round = 0; round < rounds; round++)
        {
            for (var kind = 0; kind < kinds.Length; kind++)
            {
                var began = Stopwatch.GetTimestamp();
                await AskAsync(collection, kinds[kind].Requests, asked, samples[kind], least[kind]);
                rates[kind].Add(asked / Stopwatch.GetElapsedTime(began).TotalSeconds);
            }
        }

        for (var kind = 0; kind < kinds.Length; kind++)
        {
            rates[kind].Sort();
            Array.Sort(least[kind]);
            var best = least[kind].Where(double.IsFinite).ToArray();
            Console.WriteLine($"{kinds[kind].Name,-16} p50 {samples[kind].Percentile(50):F1} us, p99 {samples[kind].Percentile(99):F1} us; "
                + $"p50 of each query's best time {best[best.Length / 2]:F1} us; "
                + $"{rates[kind][rounds / 2]:F0} queries/s (median of {rounds}; {rates[kind][0]:F0} to {rates[kind][^1]:F0})");
        }

        foreach (var (name, requests) in kinds)
            Console.WriteLine($"{name,-16} {await AllocationAsync(collection, requests, asked)}");
        return 0;
    }

    private static QueryRequest Hybrid(ReadOnlyMemory<float> vector, string text, HybridFusion fusion) =>
        new HybridQuery(text) { Vector = vector, Fusion = fusion, Limit = K, WithPayload = false }.ToRequest();

    private static QueryRequest[] Requests(JudgedSet set, Func<ReadOnlyMemory<float>, string, QueryRequest> make) =>
        [.. Enumerable.Range(0, set.Queries.Count).Select(i => make(set.QueryVectors.Row(i), set.Queries[i]))];

    private static async Task AskAsync(ICollection collection, QueryRequest[] requests, int count, Samples? samples, double[]? least)
    {
        for (var i = 0; i < count; i++)
        {
            var began = Stopwatch.GetTimestamp();
            await collection.QueryAsync(requests[i % requests.Length]);
            var time = Stopwatch.GetElapsedTime(began);
            samples?.Add(time);
            if (least is not null)
                least[i % requests.Length] = Math.Min(least[i % requests.Length], time.TotalMicroseconds);
        }
    }

    private static async Task<string> AllocationAsync(ICollection collection, QueryRequest[] requests, int count)
    {
        var pauses = GC.GetTotalPauseDuration();
        var collected = GC.CollectionCount(0);
        var before = GC.GetTotalAllocatedBytes(true);
        for (var i = 0; i < count; i++)
            await collection.QueryAsync(requests[i % requests.Length]);
        var total = (GC.GetTotalAllocatedBytes(true) - before) / (double)count;
        var paused = (GC.GetTotalPauseDuration() - pauses).TotalMicroseconds;
        collected = GC.CollectionCount(0) - collected;
        var result = 0.0;
        for (var i = 0; i < 100; i++)
        {
            var answer = await collection.QueryAsync(requests[i % requests.Length]);
            before = GC.GetAllocatedBytesForCurrentThread();
            GC.KeepAlive(answer.Select(static hit => hit with { }).ToArray());
            result += (GC.GetAllocatedBytesForCurrentThread() - before) / 100.0;
        }

        return $"{total:F0} bytes a query: {result:F0} the answer, {total - result:F0} beyond it; {collected} collections over {count} "
            + $"queries paused {paused / count:F3} us a query";
    }

    internal static async Task<ICollection> LoadAsync(Database database, JudgedSet set, int partitions, int ef = 0)
    {
        await database.CreateCollectionAsync("judged", new CollectionConfig
        {
            Schema = new IndexSchema
            {
                Dense = [new DenseVectorSchema("", set.DocumentVectors.Size, Distance.Cosine) { Hnsw = new HnswSettings { Ef = ef } }],
                Text = [new TextFieldSchema("text", "text")],
            },
            Partitions = partitions,
            Ingestion = new IngestionSettings { AdmissionTimeout = TimeSpan.FromMinutes(5) },
        });
        var collection = await database.GetCollectionAsync("judged");
        for (var from = 0; from < set.Documents.Count; from += 500)
        {
            var batch = new WriteBatch();
            for (var row = from; row < Math.Min(from + 500, set.Documents.Count); row++)
            {
                batch.Operations.Begin(OperationKind.Upsert, new PointId((ulong)row));
                var payload = new Dictionary<string, string> { ["text"] = set.Documents[row] };
                batch.Operations.Payload(JsonSerializer.SerializeToUtf8Bytes(payload));
                batch.Operations.Dense("", set.DocumentVectors[row]);
                batch.Operations.End();
            }

            await collection.WriteAsync(batch, new WriteOptions());
        }

        await collection.WaitAsync();
        return collection;
    }
}
