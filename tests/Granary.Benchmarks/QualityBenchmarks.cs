using Granary.Client;
using Granary.Collections;

namespace Granary.Benchmarks;

/// <summary>
/// nDCG@10, Recall@100 and MRR@10 of BM25, dense (exact cosine) and their fusions, through a collection, on five judged sets. BM25, dense
/// and RRF stand beside reference figures that Lucene's BM25 agrees with, and may be 0.005 below them at most; the default fusion may
/// not be below the better leg less 0.005 nor below RRF in nDCG, nor below RRF less 0.005 in recall.
/// </summary>
internal static class QualityBenchmarks
{
    private const int Depth = 100;
    private const int TenHits = 5;
    private const double Bar = 0.005;

    private static readonly (string Name, double[] Reference)[] Sets =
    [
        ("cranfield", [.359, .732, .379, .751, .396, .771]),
        ("cisi", [.384, .445, .363, .425, .409, .469]),
        ("med", [.692, .793, .646, .771, .703, .813]),
        ("cacm", [.476, .645, .315, .572, .440, .665]),
        ("debian-384", [.763, .949, .609, .920, .699, .956]),
    ];

    public static async Task<int> RunAsync(Arguments arguments)
    {
        var depth = arguments.Number("depth", Depth);
        var partitions = arguments.Number("partitions", 1);
        Console.WriteLine("nDCG@10 / Recall@100 / MRR@10: over all queries; over those at even places; at odd places");
        var missed = 0;
        foreach (var (name, reference) in Sets)
        {
            if (!arguments.Text("sets", name).Split(',').Contains(name))
                continue;
            var set = JudgedSet.Open(arguments.Data, name);
            await using var database = await EmbeddedDatabase.OpenAsync();
            var collection = await HybridBenchmarks.LoadAsync(database.Database, set, partitions);
            var figures = new List<Quality>();
            foreach (var (kind, request) in Kinds(depth))
            {
                var rankings = new int[set.Queries.Count][];
                for (var query = 0; query < rankings.Length; query++)
                {
                    var hits = await collection.QueryAsync(request(set.QueryVectors.Row(query), set.Queries[query]));

                    // A text without a known word has a zero vector, which is near to nothing.
                    rankings[query] = [.. hits.Where(hit => kind != "dense" || hit.Score != 0).Select(static hit => (int)hit.Id.Number)];
                }

                figures.Add(set.Measure(rankings));
                Console.WriteLine($"{name,-10} {kind,-12} {figures[^1]}; {set.Measure(rankings, 0)}; {set.Measure(rankings, 1)}");
            }

            missed += Judge(name, figures, reference);
        }

        Console.WriteLine(missed == 0 ? "every bar is reached" : $"{missed} figures miss their bar");
        return missed == 0 ? 0 : 1;
    }

    private static IEnumerable<(string Kind, Func<ReadOnlyMemory<float>, string, QueryRequest> Request)> Kinds(int depth)
    {
        yield return ("BM25", (_, text) => new QueryRequest
        {
            Query = new NearestQuery(new TextInput(text)),
            Using = "text",
            Limit = Depth,
        });
        yield return ("dense", (vector, _) => new QueryRequest
        {
            Query = new NearestQuery(new DenseInput(vector)),
            Params = new SearchParams { Exact = true },
            Limit = Depth,
        });
        yield return ("RRF, k = 60", (vector, text) => Hybrid(vector, text, depth, new RrfQuery(60, [])));
        yield return ("RRF, k = 2", (vector, text) => Hybrid(vector, text, depth, new RrfQuery(2, [])));
        yield return ("DBSF", (vector, text) => Hybrid(vector, text, depth, new DbsfQuery()));
        yield return ("default, 10", (vector, text) => new HybridQuery(text)
        {
            Vector = vector,
            WithPayload = false,
        }.ToRequest());
        yield return ("no feedback", (vector, text) => Hybrid(vector, text, depth, new ConvexQuery([]) { Feedback = 0 }));
        yield return ("default", (vector, text) => Hybrid(vector, text, depth, null));
    }

    private static QueryRequest Hybrid(ReadOnlyMemory<float> vector, string text, int depth, Query? fusion)
    {
        var request = new HybridQuery(text) { Vector = vector, Limit = Depth, WithPayload = false }.ToRequest();
        return request with
        {
            Query = fusion ?? request.Query,
            Prefetches =
            [
                .. request.Prefetches.Select(p => p with { Params = new SearchParams { Exact = true }, Limit = depth }),
            ],
        };
    }

    private static int Judge(string name, List<Quality> figures, double[] reference)
    {
        var missed = 0;
        Check($"{name}: BM25", figures[0].Ndcg, reference[0] - Bar, figures[0].Recall, reference[1] - Bar);
        Check($"{name}: dense", figures[1].Ndcg, reference[2] - Bar, figures[1].Recall, reference[3] - Bar);
        Check($"{name}: RRF", figures[2].Ndcg, reference[4] - Bar, figures[2].Recall, reference[5] - Bar);
        var single = Math.Max(figures[0].Ndcg, figures[1].Ndcg) - Bar;
        Check($"{name}: default, 10 hits", figures[TenHits].Ndcg, Math.Max(single, figures[2].Ndcg), 1, 1);
        Check($"{name}: default", figures[^1].Ndcg, Math.Max(single, figures[2].Ndcg), figures[^1].Recall, figures[2].Recall - Bar);
        return missed;

        void Check(string what, double ndcg, double least, double recall, double leastRecall)
        {
            if (ndcg >= least && recall >= leastRecall)
                return;
            missed++;
            Console.WriteLine($"{what} misses its bar: {ndcg:F4} of {least:F4} and {recall:F4} of {leastRecall:F4}");
        }
    }
}
