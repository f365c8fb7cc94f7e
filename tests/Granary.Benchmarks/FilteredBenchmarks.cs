using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Granary.Collections;
using Granary.Index;
using Granary.Index.Filters;
using Granary.Index.Operations;

namespace Granary.Benchmarks;

/// <summary>
/// Filtered recall@10 on debian-384's 500 filters, in process, with payload indexes, by share of points that match; and queries a second
/// under filters over those without.
/// </summary>
internal static class FilteredBenchmarks
{
    public static async Task<int> RunAsync(Arguments arguments)
    {
        var path = Path.Combine(arguments.Data, "debian-384");
        var set = VectorFiles.ReadVectors(path, "base");
        var queries = VectorFiles.ReadVectors(path, "query");
        var truth = VectorFiles.ReadNeighbours(Path.Combine(path, "groundtruth.filtered.ivecs"));
        await using var database = await EmbeddedDatabase.OpenAsync();
        var collection = await LoadAsync(database, path, set);
        var cases = File.ReadLines(Path.Combine(path, "filters.jsonl")).Select(l => JsonDocument.Parse(l).RootElement).ToArray();
        foreach (var exact in arguments.Text("only", "").Length > 0 ? [] : new[] { false, true })
        {
            var recalls = new List<(double Share, double Recall)>();
            var samples = new Samples(cases.Length);
            for (var i = 0; i < cases.Length; i++)
            {
                var request = new QueryRequest
                {
                    Query = new NearestQuery(new DenseInput(queries.Row(cases[i].GetProperty("query").GetInt32()))),
                    Filter = new Filter { Must = [.. Conditions(cases[i].GetProperty("filter"))] },
                    Params = new SearchParams { Exact = exact },
                };
                var began = Stopwatch.GetTimestamp();
                var hits = await collection.QueryAsync(request);
                samples.Add(Stopwatch.GetElapsedTime(began));
                recalls.Add(((double)cases[i].GetProperty("matching").GetInt32() / set.Count,
                    Recall.Of(set, Distance.Cosine, queries[cases[i].GetProperty("query").GetInt32()], truth[i], 10, hits)));
            }

            Console.WriteLine($"{(exact ? "exact" : "default")}: recall@10 {recalls.Average(r => r.Recall):F4}; {samples}");
            foreach (var group in recalls.GroupBy(
                r => r.Share switch { < 0.003 => "below 0.3 %", < 0.03 => "0.3 to 3 %", < 0.1 => "3 to 10 %", _ => "above 10 %" }))
                Console.WriteLine($"  {group.Key}: recall@10 {group.Average(r => r.Recall):F4}, worst {group.Min(r => r.Recall):F2} "
                    + $"({group.Count()} filters)");
        }

        Ratios(arguments, collection, path, set, queries, truth, cases);
        return 0;
    }

    private static void Ratios(
        Arguments arguments, ICollection collection, string path, VectorSet set, VectorSet queries, int[][] truth, JsonElement[] cases)
    {
        var plain = VectorFiles.ReadNeighbours(Path.Combine(path, "groundtruth.ivecs"));
        var ratio = new FilteredRatio(collection, set, queries, plain, arguments.Number("rounds", 5), arguments.Number("all", 0) > 0,
            arguments.Text("only", ""));
        var all = cases.Select((c, i) => new FilteredCase(
            string.Join('+', c.GetProperty("filter").EnumerateObject().Select(m => m.Name)), c.GetProperty("query").GetInt32(),
            new Filter { Must = [.. Conditions(c.GetProperty("filter"))] }, (double)c.GetProperty("matching").GetInt32() / set.Count,
            truth[i])).ToArray();
        Console.WriteLine("queries/s at recall@10 >= 0.95 through the collection, against the same queries without the filter:");
        ratio.Print("the set's own, all", all);
        ratio.Print("the set's own, 0.5 to 2 %", [.. all.Where(c => c.Share is >= 0.005 and < 0.02)]);
        ratio.Print("the set's own, 7 to 14 %", [.. all.Where(c => c.Share is >= 0.07 and < 0.14)]);
        ratio.Print("the set's own, 14 to 20 %", [.. all.Where(c => c.Share is >= 0.14 and < 0.2)]);
        ratio.Print("the set's own, 20 to 28 %", [.. all.Where(c => c.Share is >= 0.2 and < 0.28)]);
        ratio.Print("the set's own, above 28 %", [.. all.Where(c => c.Share >= 0.28)]);
        ratio.Print("the set's own, above 14 %", [.. all.Where(c => c.Share >= 0.14)]);
        var count = arguments.Number("synthetic", 100);
        foreach (var percent in arguments.Text("percent", "1,10").Split(',').Select(p => int.Parse(p, CultureInfo.InvariantCulture)))
        {
            // A word that 1 % of the rows have, or as many words that 10 % have as make up the share.
            var (word, tag, groups, some) = percent < 10 ? ("one", 'h', 100, percent) : ("ten", 'd', 10, percent / 10);
            ImmutableArray<MatchValue> Words(char first, int i) =>
                [.. Enumerable.Range(0, some).Select(j => MatchValue.Of($"{first}{(i + j) % groups}"))];
            bool Has(int i, int row) => (FilteredRatio.Draw(row) - (i % groups) + groups) % groups < some;
            ratio.Print($"synthetic {percent} %, keyword", [.. ratio.Synthetic("keyword", i => (
                new MatchAnyCondition(word, Words('k', i)), row => Has(i, row)), count)]);
            ratio.Print($"synthetic {percent} %, integer range", [.. ratio.Synthetic("range", i => (
                new RangeCondition("number", null, i * 50, (i * 50) + (100 * percent), null),
                row => FilteredRatio.Draw(row) is var n && n >= i * 50 && n < (i * 50) + (100 * percent)), count)]);
            ratio.Print($"synthetic {percent} %, tags", [.. ratio.Synthetic("tags", i => (
                new MatchAnyCondition("marks", Words(tag, i)), row => Has(i, row)), count)]);
        }
    }

    private static async Task<ICollection> LoadAsync(EmbeddedDatabase database, string path, VectorSet set)
    {
        var collection = await database.CreateAsync("debian", set.Size, Distance.Cosine);
        foreach (var (name, type) in new[] { ("section", PayloadIndexType.Keyword), ("tags", PayloadIndexType.Keyword),
            ("installed_kb", PayloadIndexType.Integer), ("one", PayloadIndexType.Keyword), ("ten", PayloadIndexType.Keyword),
            ("number", PayloadIndexType.Integer), ("marks", PayloadIndexType.Keyword) })
            await collection.CreatePayloadIndexAsync(new PayloadIndexSchema(name, type), new WriteOptions { Wait = true });
        var row = 0;
        foreach (var lines in File.ReadLines(Path.Combine(path, "corpus.jsonl")).Chunk(500))
        {
            var batch = new WriteBatch();
            foreach (var line in lines)
            {
                using var document = JsonDocument.Parse(line);
                batch.Operations.Begin(OperationKind.Upsert, new PointId((ulong)row));
                var payload = JsonNode.Parse(FilteredRatio.Payload(row))!.AsObject();
                foreach (var member in document.RootElement.GetProperty("meta").EnumerateObject())
                    payload[member.Name] = JsonNode.Parse(member.Value.GetRawText());
                batch.Operations.Payload(JsonSerializer.SerializeToUtf8Bytes(payload));
                batch.Operations.Dense("", set[row++]);
                batch.Operations.End();
            }

            await collection.WriteAsync(batch, new WriteOptions());
        }

        await collection.WaitAsync();
        return collection;
    }

    private static IEnumerable<Condition> Conditions(JsonElement filter)
    {
        foreach (var member in filter.EnumerateObject())
        {
            if (member.Name == "and")
            {
                foreach (var condition in member.Value.EnumerateArray().SelectMany(Conditions))
                    yield return condition;
                continue;
            }

            var how = member.Value;
            if (how.TryGetProperty("eq", out var one) || how.TryGetProperty("contains", out one))
                yield return new MatchAnyCondition(member.Name, [MatchValue.Of(one.GetString()!)]);
            else if (how.TryGetProperty("in", out var many))
                yield return new MatchAnyCondition(member.Name, [.. many.EnumerateArray().Select(v => MatchValue.Of(v.GetString()!))]);
            else
                yield return new RangeCondition(member.Name, null, Bound(how, "gte"), Bound(how, "lt"), null);
        }
    }

    private static double? Bound(JsonElement range, string name) => range.TryGetProperty(name, out var bound) ? bound.GetDouble() : null;
}
