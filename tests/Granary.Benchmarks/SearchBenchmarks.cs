using System.Diagnostics;
using Granary.Collections;
using Granary.Index;

namespace Granary.Benchmarks;

/// <summary>
/// Unfiltered recall@10 and latency of a search through a collection, in process, one caller, default settings for every set.
/// </summary>
internal static class SearchBenchmarks
{
    private const int K = 10;

    public static async Task<int> RunAsync(Arguments arguments)
    {
        var storage = arguments.Text("storage", "") == "int8" ? VectorStorage.Int8 : VectorStorage.Float32WithCodes;
        foreach (var name in arguments.Text("sets", "glove-100,sift-128,debian-384").Split(','))
            await MeasureAsync(Path.Combine(arguments.Data, name), name.StartsWith("sift", StringComparison.Ordinal)
                ? Distance.Euclid : Distance.Cosine, storage);
        return 0;
    }

    private static async Task MeasureAsync(string path, Distance distance, VectorStorage storage)
    {
        var set = VectorFiles.ReadVectors(path, "base");
        var queries = VectorFiles.ReadVectors(path, "query");
        var truth = VectorFiles.ReadNeighbours(Path.Combine(path, "groundtruth.ivecs"));
        await using var database = await EmbeddedDatabase.OpenAsync();
        var collection = await database.CreateAsync("set", set.Size, distance, new IngestionSettings
        {
            AdmissionTimeout = TimeSpan.FromMinutes(5),
        }, storage);
        var watch = Stopwatch.StartNew();
        for (var from = 0; from < set.Count; from += 500)
            await collection.WriteAsync(
                EmbeddedDatabase.Batch(set, from, Math.Min(500, set.Count - from), (ulong)from), new WriteOptions());
        await collection.WaitAsync();
        Console.WriteLine($"{Path.GetFileName(path)}: {set.Count} x {set.Size}, {distance}, {storage}; loaded and linked in "
            + $"{watch.Elapsed.TotalSeconds:F1} s ({set.Count / watch.Elapsed.TotalSeconds:F0} points/s)");
        var recall = 0.0;
        for (var round = 0; round < 2; round++)
        {
            // The first round warms the code; the second counts.
            var samples = new Samples(queries.Count);
            recall = 0;
            for (var i = 0; i < queries.Count; i++)
            {
                var request = new QueryRequest { Query = new NearestQuery(new DenseInput(queries.Row(i))), Limit = K };
                var began = Stopwatch.GetTimestamp();
                var hits = await collection.QueryAsync(request);
                samples.Add(Stopwatch.GetElapsedTime(began));
                recall += Recall.Of(set, distance, queries[i], truth[i], K, hits);
            }

            if (round == 1)
                Console.WriteLine($"  recall@10 {recall / queries.Count:F4}; {samples}");
        }
    }
}
