using System.Globalization;
using System.Text.Json;

namespace Granary.Benchmarks;

/// <summary>How good rankings are, as means over queries.</summary>
internal readonly record struct Quality(double Ndcg, double Recall, double Reciprocal)
{
    public override string ToString() => $"{Ndcg:F3} / {Recall:F3} / {Reciprocal:F3}";
}

/// <summary>A collection with queries and relevance judgements: corpus.jsonl, queries.jsonl, qrels.tsv and the vectors of both.</summary>
internal sealed class JudgedSet
{
    private JudgedSet(string name, string folder, string corpusStem, string queryStem)
    {
        Name = name;
        (DocumentIds, Documents) = ReadTexts(Path.Combine(folder, "corpus.jsonl"));
        (QueryIds, Queries) = ReadTexts(Path.Combine(folder, "queries.jsonl"));
        DocumentVectors = VectorFiles.ReadVectors(folder, corpusStem);
        QueryVectors = VectorFiles.ReadVectors(folder, queryStem);
        foreach (var line in File.ReadLines(Path.Combine(folder, "qrels.tsv")).Skip(1))
        {
            var parts = line.Split('\t');
            if (!Judgements.TryGetValue(parts[0], out var grades))
                Judgements[parts[0]] = grades = [];
            grades[parts[1]] = int.Parse(parts[2], CultureInfo.InvariantCulture);
        }
    }

    public string Name { get; }

    public IReadOnlyList<string> DocumentIds { get; }

    /// <summary>Title and text of each document, one behind the other.</summary>
    public IReadOnlyList<string> Documents { get; }

    public IReadOnlyList<string> QueryIds { get; }

    public IReadOnlyList<string> Queries { get; }

    public VectorSet DocumentVectors { get; }

    public VectorSet QueryVectors { get; }

    /// <summary>For each query the grades of its judged documents.</summary>
    public Dictionary<string, Dictionary<string, int>> Judgements { get; } = [];

    /// <summary>Opens a set by name in the folder of data sets.</summary>
    public static JudgedSet Open(string data, string name) => name == "debian-384"
        ? new JudgedSet(name, Path.Combine(data, name), "base", "query")
        : new JudgedSet(name, Path.Combine(data, "retrieval", name), "corpus", "queries");

    /// <summary>
    /// Mean nDCG@10 (linear gains), Recall@100 and MRR@10 over the judged queries, of rankings of document rows (of the first
    /// queries, where there are fewer rankings).
    /// </summary>
    /// <param name="rankings">One a query.</param>
    /// <param name="half">0 or 1 for only the queries at even or odd places; null for all.</param>
    public Quality Measure(IReadOnlyList<IReadOnlyList<int>> rankings, int? half = null)
    {
        double ndcg = 0, recall = 0, reciprocal = 0;
        var judged = 0;
        for (var query = 0; query < Math.Min(QueryIds.Count, rankings.Count); query++)
        {
            if ((half is { } parity && query % 2 != parity) || Measure(query, rankings[query]) is not { } quality)
                continue;
            judged++;
            ndcg += quality.Ndcg;
            recall += quality.Recall;
            reciprocal += quality.Reciprocal;
        }

        return new Quality(ndcg / judged, recall / judged, reciprocal / judged);
    }

    /// <summary>The same of one query; null where nothing is judged relevant to it.</summary>
    public Quality? Measure(int query, IReadOnlyList<int> ranking)
    {
        const int Cut = 10;
        const int RecallCut = 100;
        if (!Judgements.TryGetValue(QueryIds[query], out var grades) || !grades.Values.Any(grade => grade > 0))
            return null;
        var gained = ranking.Take(Cut).Select((row, rank) => grades.GetValueOrDefault(DocumentIds[row]) / Math.Log2(rank + 2)).Sum();
        var ideal = grades.Values.OrderDescending().Take(Cut).Select((grade, rank) => grade / Math.Log2(rank + 2)).Sum();
        var first = ranking.Take(Cut).ToList().FindIndex(row => grades.GetValueOrDefault(DocumentIds[row]) > 0);
        var found = ranking.Take(RecallCut).Count(row => grades.GetValueOrDefault(DocumentIds[row]) > 0);
        return new Quality(
            gained / ideal, found / (double)grades.Values.Count(grade => grade > 0), first < 0 ? 0 : 1.0 / (first + 1));
    }

    private static (List<string> Ids, List<string> Texts) ReadTexts(string path)
    {
        List<string> ids = [], texts = [];
        foreach (var line in File.ReadLines(path))
        {
            using var document = JsonDocument.Parse(line);
            var root = document.RootElement;
            ids.Add(root.GetProperty("_id").GetString()!);
            var title = root.TryGetProperty("title", out var given) ? given.GetString() : null;
            texts.Add($"{title} {root.GetProperty("text").GetString()}");
        }

        return (ids, texts);
    }
}
