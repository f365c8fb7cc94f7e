using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace Granary.Benchmarks;

/// <summary>Query bodies of one kind, sent on a few connections.</summary>
/// <param name="Name">The kind.</param>
/// <param name="Bodies">The bodies.</param>
internal sealed record QueryLoad(string Name, byte[][] Bodies)
{
    /// <summary>kNN over <c>dense</c>, BM25 over <c>text</c>, and both fused, as the judged set asks.</summary>
    public static QueryLoad[] Of(JudgedSet set)
    {
        var rows = Enumerable.Range(0, set.Queries.Count).ToArray();
        return
        [
            new("kNN", [.. rows.Select(i => Body(new { query = set.QueryVectors[i].ToArray(), @using = "dense", limit = 10 }))]),
            new("BM25", [.. rows.Select(i => Body(new { query = new { text = set.Queries[i] }, @using = "text", limit = 10 }))]),
            new("hybrid", [.. rows.Select(i => Body(new
            {
                prefetch = new object[]
                {
                    new { query = set.QueryVectors[i].ToArray(), @using = "dense", limit = 100 },
                    new { query = new { text = set.Queries[i] }, @using = "text", limit = 100 },
                },
                query = new { fusion = "rrf" },
                limit = 10,
            }))]),
        ];
    }

    public static QueryLoad Exact(VectorSet queries) => new("exact kNN",
        [.. Enumerable.Range(0, queries.Count).Select(i => Body(new
        {
            query = queries[i].ToArray(), @using = "dense", limit = 10, @params = new { exact = true },
        }))]);

    public static QueryLoad Near(VectorSet queries) => new("kNN",
        [.. Enumerable.Range(0, queries.Count).Select(i => Body(new { query = queries[i].ToArray(), @using = "dense", limit = 10 }))]);

    public static byte[] Body(object query) => JsonSerializer.SerializeToUtf8Bytes(query);

    /// <summary>Sends so many queries and waits for all answers.</summary>
    public async Task<(double PerSecond, TimeSpan Elapsed)> RunAsync(ServerProcess server, string collection, int count, int connections)
    {
        var next = -1;
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, connections).Select(async _ =>
        {
            while (Interlocked.Increment(ref next) is var i && i < count)
            {
                using var response = await server.Client.PostAsync(
                    $"/collections/{collection}/points/query", PointBodies.Content(Bodies[i % Bodies.Length]));
                var answer = await response.Content.ReadAsByteArrayAsync();
                if (!response.IsSuccessStatusCode)
                    throw new InvalidOperationException($"{Name}: {(int)response.StatusCode} {Encoding.UTF8.GetString(answer)}");
            }
        }));
        return (count / watch.Elapsed.TotalSeconds, watch.Elapsed);
    }
}
