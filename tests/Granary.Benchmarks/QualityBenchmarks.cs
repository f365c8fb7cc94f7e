using System.Diagnostics;
using System.Numerics;
using System.Runtime.InteropServices;
using Granary.Index;
using Granary.Index.Fusion;
using Granary.Index.Memory;
using Granary.Index.Search;
using Granary.Index.Text;

namespace Granary.Benchmarks;

/// <summary>
/// nDCG@10 and Recall@100 of BM25, dense (exact cosine) and RRF (k=60, depth 100) on five judged collections, beside reference figures
/// that Lucene's BM25 agrees with. The bar is 0.005 below the reference at most.
/// </summary>
internal static class QualityBenchmarks
{
    private const int Depth = 100;
    private const double Bar = 0.005;

    private static readonly (string Name, double[] Reference)[] Sets =
    [
        ("cranfield", [.359, .732, .379, .751, .396, .771]),
        ("cisi", [.384, .445, .363, .425, .409, .469]),
        ("med", [.692, .793, .646, .771, .703, .813]),
        ("cacm", [.476, .645, .315, .572, .440, .665]),
        ("debian-384", [.763, .949, .609, .920, .699, .956]),
    ];

    public static Task<int> RunAsync(Arguments arguments)
    {
        Console.WriteLine("nDCG@10 / Recall@100 (reference)");
        var missed = 0;
        foreach (var (name, reference) in Sets)
        {
            var set = JudgedSet.Open(arguments.Data, name);
            var text = RankByText(set);
            var dense = RankByVector(set);
            var fused = Enumerable.Range(0, set.Queries.Count)
                .Select(query => RankFusion.Rrf([text[query], dense[query]], 60, null, Depth));
            var column = 0;
            Console.Write($"{name,-11}");
            var legs = new (string, IEnumerable<IReadOnlyList<LegHit>>)[] { ("BM25", text), ("dense", dense), ("RRF", fused) };
            foreach (var (leg, rankings) in legs)
            {
                var (ndcg, recall) = set.Measure([.. rankings.Select(hits => hits.Select(hit => (int)hit.Id.Number).ToArray())]);
                Console.Write($" {leg} {ndcg:F3}/{recall:F3} ({reference[column]:F3}/{reference[column + 1]:F3})");
                missed += (ndcg < reference[column++] - Bar ? 1 : 0) + (recall < reference[column++] - Bar ? 1 : 0);
            }

            Console.WriteLine();
        }

        Console.WriteLine(missed == 0 ? "every figure within 0.005 of its reference, or better" : $"{missed} figures miss the bar");
        return Task.FromResult(missed == 0 ? 0 : 1);
    }

    private static List<LegHit>[] RankByText(JudgedSet set)
    {
        var field = new TextField(new TextFieldSchema("text", "text"), new EpochClock());
        var clock = Stopwatch.StartNew();
        for (var row = 0; row < set.Documents.Count; row++)
            field.Add([set.Documents[row]], row);
        var built = clock.Elapsed;
        var times = new Samples(set.Queries.Count);
        var rankings = new List<LegHit>[set.Queries.Count];
        var hits = new List<SlotHit>();
        var everything = default(Everything);
        for (var query = 0; query < rankings.Length; query++)
        {
            hits.Clear();
            var start = Stopwatch.GetTimestamp();
            field.Search(set.Queries[query], Depth, null, ref everything, hits);
            times.Add(Stopwatch.GetElapsedTime(start));
            rankings[query] = [.. hits.Select(hit => new LegHit(new PointId((ulong)hit.Slot), hit.Score))];
        }

        Console.WriteLine($"{set.Name}: indexed {field.DocumentCount} documents in {built.TotalMilliseconds:F0} ms; top {Depth}: {times}");
        return rankings;
    }

    /// <summary>Exact cosine; a zero vector, of a text without a known word, is near to nothing.</summary>
    private static List<LegHit>[] RankByVector(JudgedSet set)
    {
        var norms = Enumerable.Range(0, set.DocumentVectors.Count).Select(row => Norm(set.DocumentVectors[row])).ToArray();
        var rankings = new List<LegHit>[set.Queries.Count];
        Parallel.For(0, rankings.Length, query =>
        {
            var vector = set.QueryVectors[query];
            var norm = Norm(vector);
            var hits = new List<LegHit>();
            for (var row = 0; norm > 0 && row < norms.Length; row++)
            {
                if (norms[row] > 0)
                    hits.Add(new LegHit(new PointId((ulong)row), Dot(vector, set.DocumentVectors[row]) / norm / norms[row]));
            }

            rankings[query] = [.. hits.OrderByDescending(hit => hit.Score).ThenBy(hit => hit.Id).Take(Depth)];
        });
        return rankings;
    }

    private static float Norm(ReadOnlySpan<float> vector) => MathF.Sqrt(Dot(vector, vector));

    private static float Dot(ReadOnlySpan<float> one, ReadOnlySpan<float> other)
    {
        var ones = MemoryMarshal.Cast<float, Vector<float>>(one);
        var others = MemoryMarshal.Cast<float, Vector<float>>(other);
        var sums = Vector<float>.Zero;
        for (var i = 0; i < ones.Length; i++)
            sums += ones[i] * others[i];
        var sum = Vector.Sum(sums);
        for (var i = ones.Length * Vector<float>.Count; i < one.Length; i++)
            sum += one[i] * other[i];
        return sum;
    }

    private struct Everything : ISlotFilter
    {
        public readonly bool TryAccept(ref int slot) => true;

        public readonly bool Precedes(int slot, int other) => slot < other;
    }
}
