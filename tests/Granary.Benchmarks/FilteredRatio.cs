using Granary.Collections;
using Granary.Index;
using Granary.Index.Filters;

namespace Granary.Benchmarks;

/// <summary>One filtered question: its query's vector, its filter, what share matches, and the true neighbours.</summary>
internal sealed record FilteredCase(string Kind, int Query, Filter Filter, double Share, int[] Truth);

/// <summary>
/// Queries a second through the collection under filters, over those without, both where recall@10 reaches 0.95: the same query vectors, ef
/// swept, query by query in turn.
/// </summary>
internal sealed class FilteredRatio(
    ICollection collection, VectorSet set, VectorSet queries, int[][] truth, int rounds, bool details, string only)
{
    private const int K = 10;
    private static readonly int[] Widths = [10, 15, 20, 30, 40, 60, 80, 160];

    public void Print(string name, IReadOnlyList<FilteredCase> cases)
    {
        if (cases.Count == 0 || !name.Contains(only, StringComparison.Ordinal))
            return;
        var sweep = new Sweep(cases.Count, rounds);
        IReadOnlyList<ScoredPoint> hits = [];
        foreach (var ef in Widths)
        {
            sweep.Add($"plain {ef}", i => hits = Ask(cases[i].Query, null, ef), i => RecallOf(cases[i].Query, truth[cases[i].Query], hits));
            sweep.Add($"under {ef}", i => hits = Ask(cases[i].Query, cases[i].Filter, ef),
                i => RecallOf(cases[i].Query, cases[i].Truth, hits));
        }

        sweep.Run();
        foreach (var (way, recall, micros) in details ? sweep.Results("") : [])
            Console.WriteLine($"    {way,-9} recall@10 {recall:F4} mean {micros,8:F1} us");
        var (plain, under) = (sweep.QueriesAt("plain ", 0.95), sweep.QueriesAt("under ", 0.95));
        Console.WriteLine($"  {name,-34} {cases.Count,4} filters, share {cases.Average(c => c.Share),6:P1}: {under,7:F0}/s under filters, "
            + $"{plain,7:F0}/s without: {under / plain:F2}x");
    }

    /// <summary>
    /// Questions whose filters have nothing to do with the vectors, over payload of <see cref="Payload"/>: the true neighbours by
    /// brute force over float64.
    /// </summary>
    public IEnumerable<FilteredCase> Synthetic(string kind, Func<int, (Condition Condition, Func<int, bool> Accepts)> make, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var query = i * (queries.Count / count);
            var (condition, accepts) = make(i);
            var rows = Enumerable.Range(0, set.Count).Where(accepts).ToArray();
            var nearest = rows.Select(row => (Row: row, Cosine: Cosine(queries[query], set[row]))).OrderByDescending(r => r.Cosine).Take(K);
            yield return new FilteredCase(kind, query, new Filter { Must = [condition] }, (double)rows.Length / set.Count,
                [.. nearest.Select(r => r.Row)]);
        }
    }

    /// <summary>The values that synthetic filters ask for: a number below 10,000 that is random to the row.</summary>
    public static int Draw(int row) => (int)(((ulong)row * 0x9E37_79B9_7F4A_7C15 >> 33) % 10_000);

    /// <summary>Payload of a row for the synthetic filters: keywords, an integer and tags that 1 % and 10 % of the rows have.</summary>
    public static string Payload(int row)
    {
        var draw = Draw(row);
        return $$"""{"one":"k{{draw % 100}}","ten":"k{{draw % 10}}","number":{{draw}},"marks":["h{{draw % 100}}","d{{draw % 10}}"]}""";
    }

    public IReadOnlyList<ScoredPoint> Ask(int query, Filter? filter, int? ef) => collection.QueryAsync(new QueryRequest
    {
        Query = new NearestQuery(new DenseInput(queries.Row(query))),
        Filter = filter,
        Limit = K,
        Params = new SearchParams { HnswEf = ef },
    }).GetAwaiter().GetResult();

    private double RecallOf(int query, int[] neighbours, IReadOnlyList<ScoredPoint> hits) =>
        Recall.Of(set, Distance.Cosine, queries[query], neighbours, K, hits);

    private static double Cosine(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double dot = 0, length = 0;
        for (var i = 0; i < a.Length; i++)
            (dot, length) = (dot + ((double)a[i] * b[i]), length + ((double)b[i] * b[i]));
        return length == 0 ? 0 : dot / Math.Sqrt(length);
    }
}
