using System.Collections;
using System.Diagnostics;
using Granary.Index;
using Granary.Index.Search;
using Granary.Index.Vectors;

namespace Granary.Benchmarks;

/// <summary>
/// Recall and latency of filtered walks, without the planner's exact scans: random filters, and filters that follow the vectors.
/// </summary>
internal static class FilteredVectorBenchmarks
{
    private const int K = 10;
    private const int QueryCount = 200;

    public static void Run(VectorData files, DenseVectorSchema schema, DenseField field)
    {
        Console.WriteLine($"{"filter",-26} {"share",8} {"recall@10",10} {"p50 us",8} {"p95 us",8}");
        foreach (var share in new[] { 0.5, 0.1, 0.01, 0.001 })
        {
            var random = new Random(7);
            Measure("random", files, schema, field, _ => Choose(files.Base.Count, _ => random.NextDouble() < share));
            Measure("near one far vector", files, schema, field, q => Near(files, schema, field, (q * 7919) % files.Base.Count, share));
            Measure("far from the query", files, schema, field, q => Far(files, schema, field, q, share));
        }
    }

    private static BitArray Choose(int count, Func<int, bool> accept)
    {
        var bits = new BitArray(count);
        for (var i = 0; i < count; i++)
            bits[i] = accept(i);
        return bits;
    }

    private static BitArray Near(VectorData files, DenseVectorSchema schema, DenseField field, int center, double share) =>
        ByRank(files, field, new DenseQuery(schema, files.Base[center]), share, nearest: true);

    private static BitArray Far(VectorData files, DenseVectorSchema schema, DenseField field, int query, double share) =>
        ByRank(files, field, new DenseQuery(schema, files.Queries[query]), share, nearest: false);

    private static BitArray ByRank(VectorData files, DenseField field, DenseQuery query, double share, bool nearest)
    {
        var scores = new float[files.Base.Count];
        for (var i = 0; i < scores.Length; i++)
            scores[i] = field.Score(query, i);
        var sorted = scores.ToArray();
        Array.Sort(sorted);
        var higher = field.Schema.Distance.HigherIsNearer();
        var fromTop = higher == nearest;
        var bound = fromTop ? sorted[(int)(sorted.Length * (1 - share))] : sorted[(int)(sorted.Length * share)];
        return Choose(scores.Length, i => fromTop ? scores[i] >= bound : scores[i] <= bound);
    }

    private static void Measure(string name, VectorData files, DenseVectorSchema schema, DenseField field, Func<int, BitArray> makeFilter)
    {
        var hits = new List<SlotHit>();
        var truth = new List<SlotHit>();
        var higher = schema.Distance.HigherIsNearer();
        var found = 0;
        var wanted = 0;
        var times = new List<double>();
        double share = 0;
        var count = name == "random" ? QueryCount : QueryCount / 4;
        BitArray? bits = null;
        for (var q = 0; q < count; q++)
        {
            if (bits is null || name != "random")
                bits = makeFilter(q);
            var filter = new BitFilter(bits);
            var accepted = bits.Cast<bool>().Count(b => b) / (double)bits.Count;
            share += accepted / count;
            var query = new DenseQuery(schema, files.Queries[q]);
            truth.Clear();
            field.SearchExact(new DenseSearch(query, K), ref filter, truth);

            // The first time warms up: a filter's type has code of its own.
            for (var i = 0; i < 2; i++)
            {
                hits.Clear();
                field.Search(new DenseSearch(query, K) { Selectivity = (float)accepted }, ref filter, hits);
            }

            var start = Stopwatch.GetTimestamp();
            hits.Clear();
            field.Search(new DenseSearch(query, K) { Selectivity = (float)accepted }, ref filter, hits);
            times.Add(Stopwatch.GetElapsedTime(start).TotalMicroseconds);
            float[] scores = [.. truth.Take(K).Select(h => h.Score)];
            found += VectorBenchmarks.CountHits(hits, scores, higher, K);
            wanted += scores.Length;
        }

        times.Sort();
        Console.WriteLine(
            $"{name,-26} {share,8:P2} {found / (double)wanted,10:F4} {times[times.Count / 2],8:F0} {times[times.Count * 95 / 100],8:F0}");
    }

    private readonly struct BitFilter(BitArray bits) : ISlotFilter
    {
        public bool TryAccept(ref int slot) => bits[slot];
    }
}
