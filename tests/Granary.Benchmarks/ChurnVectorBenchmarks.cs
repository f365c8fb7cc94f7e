using System.Diagnostics;
using Granary.Index;
using Granary.Index.Search;
using Granary.Index.Vectors;

namespace Granary.Benchmarks;

/// <summary>
/// Recall while rows are removed and replaced: as it was, with the removed rows walked through, after the repair, after refilling.
/// </summary>
internal static class ChurnVectorBenchmarks
{
    private const int K = 10;
    private const int QueryCount = 500;

    public static void Run(VectorData files, DenseField field, double share, int threads)
    {
        Report("before", files, field);
        var random = new Random(3);
        var removed = Enumerable.Range(0, files.Base.Count).Where(_ => random.NextDouble() < share).ToArray();
        foreach (var row in removed)
            field.Remove(row);
        Report($"{removed.Length} removed", files, field);
        var clock = Stopwatch.StartNew();
        LinkAll(field, threads);
        Report($"repaired in {clock.Elapsed.TotalSeconds:F2} s", files, field);
        foreach (var row in removed)
            field.Add(files.Base[row], row);
        clock.Restart();
        LinkAll(field, threads);
        Report($"refilled in {clock.Elapsed.TotalSeconds:F2} s", files, field);

        // Every row is replaced once, a thousand at a time, as updates do.
        clock.Restart();
        var rows = Enumerable.Range(0, field.RowCapacity).Where(row => field.SlotOf(row) >= 0).ToArray();
        random.Shuffle(rows);
        for (var i = 0; i < rows.Length; i++)
        {
            var slot = field.SlotOf(rows[i]);
            field.Remove(rows[i]);
            field.Add(files.Base[slot], slot);
            if (i % 1000 == 999)
                field.Link(1000, threads, CancellationToken.None);
        }

        Report($"all replaced in {clock.Elapsed.TotalSeconds:F2} s", files, field);
        LinkAll(field, threads);
        Report("repaired", files, field);
    }

    private static void LinkAll(DenseField field, int threads)
    {
        while (field.LinkDue)
            field.Link(1000, threads, CancellationToken.None);
    }

    private static void Report(string state, VectorData files, DenseField field)
    {
        var filter = default(VectorBenchmarks.AllSlots);
        var truth = new List<SlotHit>();
        var hits = new List<SlotHit>();
        var found = 0;
        double time = 0;
        for (var q = 0; q < QueryCount; q++)
        {
            var query = new DenseQuery(field.Schema, files.Queries[q]);
            truth.Clear();
            hits.Clear();
            field.SearchExact(new DenseSearch(query, K), ref filter, truth);
            var start = Stopwatch.GetTimestamp();
            field.Search(new DenseSearch(query, K), ref filter, hits);
            time += Stopwatch.GetElapsedTime(start).TotalMicroseconds;
            found += VectorBenchmarks.CountHits(hits, [.. truth.Take(K).Select(h => h.Score)], field.Schema.Distance.HigherIsNearer(), K);
        }

        var recall = found / (double)(QueryCount * K);
        Console.WriteLine(
            $"churn    {state,-28} recall@10 {recall:F4}, mean {time / QueryCount:F0} us, {field.Live} live of {field.RowCapacity} rows");
    }
}
