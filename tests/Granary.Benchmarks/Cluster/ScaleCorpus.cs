using System.Text.Json;

namespace Granary.Benchmarks;

/// <summary>What <c>cluster-scale</c> fills a collection with and asks it, for one kind of query.</summary>
/// <param name="Title">What is measured.</param>
/// <param name="Judged">Whether the bar holds for it.</param>
/// <param name="Schema">The collection without its partitions.</param>
/// <param name="Bodies">How many upserts.</param>
/// <param name="Body">One of them.</param>
/// <param name="Load">The queries.</param>
internal sealed record ScaleCorpus(
    string Title, bool Judged, Dictionary<string, object> Schema, int Bodies, Func<int, byte[]> Body, QueryLoad Load)
{
    private const int Batch = 250;
    private const int Queries = 200;
    private const int QueryWords = 24;

    public static ScaleCorpus Of(string kind, Arguments arguments) => kind switch
    {
        "exact" => Vectors(arguments, exact: true),
        "hnsw" => Vectors(arguments, exact: false),
        "bm25" => Texts(arguments),
        _ => throw new ArgumentException($"--kinds: {kind} is none of exact, bm25, hnsw"),
    };

    public async Task FillAsync(ServerProcess server, string name, int partitions, int bodies)
    {
        await server.SendAsync(HttpMethod.Put, $"/collections/{name}", new Dictionary<string, object>(Schema)
        {
            ["shard_number"] = partitions,
        });
        await SiloCluster.UpsertAsync(server, name, bodies, Body);
        await SiloCluster.WaitLinkedAsync(server, name);
    }

    private static ScaleCorpus Vectors(Arguments arguments, bool exact)
    {
        var folder = Path.Combine(arguments.Data, "sift-128");
        var (set, queries) = (VectorFiles.ReadVectors(folder, "base"), VectorFiles.ReadVectors(folder, "query"));
        var points = Math.Min(arguments.Number(exact ? "points" : "hnsw-points", exact ? int.MaxValue : 40_000), set.Count);
        return new ScaleCorpus(
            $"{(exact ? "exact kNN" : "HNSW")}, {points} x {set.Size}",
            exact,
            new Dictionary<string, object>
            {
                ["vectors"] = new { dense = new { size = set.Size, distance = "Euclid", hnsw_config = new { m = exact ? 0 : 16 } } },
            },
            (points + Batch - 1) / Batch,
            i => PointBodies.MakeNamed(set, null, i * Batch, Math.Min(Batch, points - (i * Batch))),
            exact ? QueryLoad.Exact(queries) : QueryLoad.Near(queries));
    }

    /// <summary>Short texts cut from the descriptions at random, so that there may be many, and queries of many words cut alike.</summary>
    private static ScaleCorpus Texts(Arguments arguments)
    {
        var words = JudgedSet.Open(arguments.Data, "debian-384").Documents
            .Select(d => d.Split((char[])[' ', '\n', '\t'], StringSplitOptions.RemoveEmptyEntries)).Where(w => w.Length > 0).ToArray();
        var points = arguments.Number("texts", 300_000);
        return new ScaleCorpus(
            $"BM25, {points} texts of 20 to 60 words, queries of {QueryWords} words",
            true,
            new Dictionary<string, object> { ["vectors"] = new { }, ["text"] = new { text = new { path = "text" } } },
            (points + Batch - 1) / Batch,
            i =>
            {
                var random = new Random(i);
                return JsonSerializer.SerializeToUtf8Bytes(new
                {
                    points = Enumerable.Range(i * Batch, Math.Min(Batch, points - (i * Batch))).Select(id => new
                    {
                        id,
                        vector = new { },
                        payload = new { text = Cut(words, random, random.Next(20, 61)) },
                    }),
                });
            },
            Ask("BM25", new Random(-1), random => Cut(words, random, QueryWords)));
    }

    private static QueryLoad Ask(string name, Random random, Func<Random, string> text) => new(
        name,
        [.. Enumerable.Range(0, Queries).Select(_ =>
            QueryLoad.Body(new { query = new { text = text(random) }, @using = "text", limit = 10 }))]);

    private static string Cut(string[][] words, Random random, int count)
    {
        var cut = new List<string>(count);
        while (cut.Count < count)
        {
            var document = words[random.Next(words.Length)];
            var from = random.Next(document.Length);
            cut.AddRange(document.Skip(from).Take(Math.Min(count - cut.Count, 12)));
        }

        return string.Join(' ', cut);
    }
}
