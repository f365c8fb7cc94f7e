using Granary.Index;
using Granary.Index.Memory;
using Granary.Index.Search;
using Granary.Index.Text;

namespace Granary.Benchmarks;

/// <summary>nDCG@10 and Recall@100 of BM25 by analyser, k1 and b, on the judged sets: what the defaults are chosen by.</summary>
internal static class AnalyserBenchmarks
{
    private const int Depth = 100;

    public static Task<int> RunAsync(Arguments arguments)
    {
        string[] names = ["cranfield", "cisi", "med", "cacm", "debian-384"];
        var sets = names.Select(name => JudgedSet.Open(arguments.Data, name)).ToList();
        Console.WriteLine("nDCG@10 at even places, at odd places, Recall@100 of all: " + string.Join(", ", names)
            + "; mean nDCG of even, of odd");
        foreach (var (kind, schema) in Kinds())
        {
            var figures = sets.Select(set => Measure(set, schema)).ToList();
            Console.WriteLine($"{kind,-32} "
                + string.Join("  ", figures.Select(f => $"{f.Even.Ndcg:F3} {f.Odd.Ndcg:F3} {f.All.Recall:F3}"))
                + $"  {figures.Average(f => f.Even.Ndcg):F4} {figures.Average(f => f.Odd.Ndcg):F4}");
        }

        return Task.FromResult(0);
    }

    private static IEnumerable<(string Kind, TextFieldSchema Schema)> Kinds()
    {
        var plain = new TextFieldSchema("text", "text");
        yield return ("default", plain);
        yield return ("no stop words", plain with { Analyzer = plain.Analyzer with { StopWords = [] } });
        yield return ("no stemmer", plain with { Analyzer = plain.Analyzer with { Stem = false } });
        yield return ("no stop words, no stemmer", plain with { Analyzer = plain.Analyzer with { Stem = false, StopWords = [] } });
        yield return ("no folding", plain with { Analyzer = plain.Analyzer with { AsciiFolding = false } });
        yield return ("whitespace", plain with { Analyzer = plain.Analyzer with { Tokenizer = "whitespace" } });
        foreach (var k1 in new[] { 0.9f, 1.2f, 1.6f, 2f })
        {
            foreach (var b in new[] { 0.4f, 0.6f, 0.75f, 0.9f })
                yield return ($"k1 {k1:F1}, b {b:F2}", plain with { K1 = k1, B = b });
        }
    }

    private static (Quality All, Quality Even, Quality Odd) Measure(JudgedSet set, TextFieldSchema schema)
    {
        var field = new TextField(schema, new EpochClock());
        for (var row = 0; row < set.Documents.Count; row++)
            field.Add([set.Documents[row]], row);
        var rankings = new int[set.Queries.Count][];
        var hits = new List<SlotHit>();
        var everything = default(Everything);
        for (var query = 0; query < rankings.Length; query++)
        {
            hits.Clear();
            field.Search(set.Queries[query], Depth, null, ref everything, hits);
            rankings[query] = [.. hits.Select(hit => hit.Slot)];
        }

        return (set.Measure(rankings), set.Measure(rankings, 0), set.Measure(rankings, 1));
    }

    private struct Everything : ISlotFilter
    {
        public readonly bool TryAccept(ref int slot) => true;

        public readonly bool Precedes(int slot, int other) => slot < other;
    }
}
