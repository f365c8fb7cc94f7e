using System.Diagnostics;
using System.Globalization;
using Granary.Index;
using Granary.Index.Memory;
using Granary.Index.Search;
using Granary.Index.Vectors;

namespace Granary.Benchmarks;

/// <summary>Recall, latency, build time and memory of the vector index on one set.</summary>
internal static class VectorBenchmarks
{
    private const int K = 10;

    public static Task<int> RunAsync(Arguments arguments)
    {
        var name = arguments.Text("set", "glove-100");
        var files = new VectorData(Path.Combine(arguments.Data, name));
        var defaults = new HnswSettings();
        var settings = new HnswSettings
        {
            M = arguments.Number("m", defaults.M),
            EfConstruct = arguments.Number("ef-construct", defaults.EfConstruct),
        };
        var distance = name.StartsWith("sift", StringComparison.Ordinal) ? Distance.Euclid : Distance.Cosine;
        var schema = new DenseVectorSchema(name, files.Base.Size, distance) { Hnsw = settings };
        var threads = arguments.Number("threads", Environment.ProcessorCount);
        Console.WriteLine($"set      {name}: {files.Base.Count} x {files.Base.Size}, {files.Queries.Count} queries, {schema.Distance}");
        Console.WriteLine($"settings m={settings.M} ef_construct={settings.EfConstruct} link threads={threads} search threads=1 k={K}");
        using var field = Build(files, schema, threads);
        Console.WriteLine($"{"ef",8} {"recall@10",10} {"p50 us",8} {"p95 us",8} {"queries/s",10}");
        Measure(files, schema, field, null);
        foreach (var ef in arguments.Text("ef", "10,20,40,80,120,160,200,300,400").Split(','))
            Measure(files, schema, field, int.Parse(ef, CultureInfo.InvariantCulture));
        if (arguments.Number("exact", 0) > 0)
            MeasureExact(files, schema, field);
        if (arguments.Number("image", 0) > 0)
            MeasureImage(schema, field);
        if (arguments.Number("filters", 0) > 0)
            FilteredVectorBenchmarks.Run(files, schema, field);
        if (arguments.Number("churn", 0) is > 0 and var percent)
            ChurnVectorBenchmarks.Run(files, field, percent / 100.0, threads);
        return Task.FromResult(0);
    }

    public static float[] TrueScores(VectorData files, DenseField field, DenseQuery query, int[] truth, int k) =>
        [.. truth.Take(k).Where(row => row >= 0).Select(row => field.Score(query, row))];

    // By score, not by row: equal vectors are equally right.
    public static int CountHits(List<SlotHit> hits, float[] truth, bool higher, int k)
    {
        var worst = truth[^1];
        return Math.Min(truth.Length, hits.Take(k).Count(h => higher ? h.Score >= worst : h.Score <= worst));
    }

    public static DenseField Build(VectorData files, DenseVectorSchema schema, int threads)
    {
        var field = new DenseField(schema, new EpochClock());
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < files.Base.Count; i++)
            field.Add(files.Base[i], i);
        var added = clock.Elapsed;
        while (field.Link(1000, threads, CancellationToken.None) > 0)
        {
        }

        var linked = clock.Elapsed - added;
        var raw = (double)files.Base.Count * files.Base.Size * sizeof(float);
        Console.WriteLine(
            $"build    add {added.TotalSeconds:F2} s, link {linked.TotalSeconds:F2} s ({files.Base.Count / linked.TotalSeconds:F0}/s)");
        Console.WriteLine($"memory   {field.Bytes / (double)files.Base.Count:F0} bytes a row, {field.Bytes / raw:F2}x of raw float32");
        return field;
    }

    private static void Measure(VectorData files, DenseVectorSchema schema, DenseField field, int? ef)
    {
        var queries = Enumerable.Range(0, files.Queries.Count).Select(q => new DenseQuery(schema, files.Queries[q])).ToArray();
        var hits = new List<SlotHit>(64);
        var filter = default(AllSlots);
        var found = 0;
        var higher = schema.Distance.HigherIsNearer();
        for (var i = 0; i < queries.Length; i++)
        {
            hits.Clear();
            field.Search(new DenseSearch(queries[i], K) { Ef = ef }, ref filter, hits);
            found += CountHits(hits, TrueScores(files, field, queries[i], files.Truth[i], K), higher, K);
        }

        var times = new double[queries.Length];
        for (var i = 0; i < queries.Length; i++)
        {
            var start = Stopwatch.GetTimestamp();
            hits.Clear();
            queries[i].Set(files.Queries[i]);
            field.Search(new DenseSearch(queries[i], K) { Ef = ef }, ref filter, hits);
            times[i] = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
        }

        Array.Sort(times);
        var recall = found / (double)(queries.Length * K);
        var name = ef?.ToString(CultureInfo.InvariantCulture) ?? "default";
        Console.WriteLine(
            $"{name,8} {recall,10:F4} {times[times.Length / 2],8:F0} {times[times.Length * 95 / 100],8:F0} {1e6 / times.Average(),10:F0}");
    }

    private static void MeasureExact(VectorData files, DenseVectorSchema schema, DenseField field)
    {
        var hits = new List<SlotHit>(64);
        var filter = default(AllSlots);
        var found = 0;
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < files.Queries.Count; i++)
        {
            var query = new DenseQuery(schema, files.Queries[i]);
            hits.Clear();
            field.SearchExact(new DenseSearch(query, K), ref filter, hits);
            found += CountHits(hits, TrueScores(files, field, query, files.Truth[i], K), schema.Distance.HigherIsNearer(), K);
        }

        var mean = clock.Elapsed.TotalMicroseconds / files.Queries.Count;
        Console.WriteLine($"exact    recall@10 {found / (double)(files.Queries.Count * K):F4}, mean {mean:F0} us");
    }

    private static void MeasureImage(DenseVectorSchema schema, DenseField field)
    {
        var path = Path.GetTempFileName();
        var clock = Stopwatch.StartNew();
        using (var file = File.Create(path))
            field.Save(file);
        var saved = clock.Elapsed;
        clock.Restart();
        using (var file = File.OpenRead(path))
        using (DenseField.Load(file, schema, new EpochClock()))
        {
            var loaded = clock.Elapsed;
            Console.WriteLine(
                $"image    {file.Length >> 20} MiB, saved in {saved.TotalMilliseconds:F0} ms, loaded in {loaded.TotalMilliseconds:F0} ms");
        }

        File.Delete(path);
    }

    internal readonly struct AllSlots : ISlotFilter
    {
        public bool TryAccept(ref int slot) => true;
    }
}
