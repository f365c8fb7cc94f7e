using System.Diagnostics;

namespace Granary.Benchmarks;

/// <summary>
/// Time from starting the server on 160k points of 128-d to its first correct answer, after a graceful stop and after kill -9.
/// </summary>
internal static class RestartBenchmarks
{
    public static async Task<int> RunAsync(Arguments arguments)
    {
        var path = Path.Combine(arguments.Data, "sift-128");
        var set = VectorFiles.ReadVectors(path, "base");
        var queries = VectorFiles.ReadVectors(path, "query");
        var truth = VectorFiles.ReadNeighbours(Path.Combine(path, "groundtruth.ivecs"));
        var folder = Directory.CreateTempSubdirectory("granary-bench");
        try
        {
            await using (var server = await ServerProcess.StartAsync($"file:{folder.FullName}"))
            {
                await server.SendAsync(HttpMethod.Put, "/collections/sift", new { vectors = new { size = set.Size, distance = "Euclid" } });
                await UpsertAllAsync(server, "sift", set);
                await server.SendAsync(HttpMethod.Post, "/collections/sift/wait?timeout=600");
                await server.StopAsync();
            }

            await FirstAnswerAsync(folder.FullName, queries, truth, "after a graceful stop", async server =>
            {
                // Leave a tail that no checkpoint has, then kill.
                await UpsertAllAsync(server, "sift", set with { Values = set.Values[..(5_000 * set.Size)] });
                await server.KillAsync();
            });
            await FirstAnswerAsync(folder.FullName, queries, truth, "after kill -9 with 5,000 operations behind the checkpoint", s =>
                s.StopAsync());
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        return 0;
    }

    /// <summary>Upserts a whole set in batches of 500 with row numbers as ids.</summary>
    public static async Task UpsertAllAsync(ServerProcess server, string collection, VectorSet set)
    {
        for (var from = 0; from < set.Count; from += 500)
        {
            var body = PointBodies.Make(set, from, Math.Min(500, set.Count - from), (ulong)from);
            while (true)
            {
                using var response = await server.Client.PutAsync($"/collections/{collection}/points", PointBodies.Content(body));
                if ((int)response.StatusCode == 429)
                    continue;
                response.EnsureSuccessStatusCode();
                break;
            }
        }
    }

    private static async Task FirstAnswerAsync(
        string folder, VectorSet queries, int[][] truth, string what, Func<ServerProcess, Task> after)
    {
        var watch = Stopwatch.StartNew();
        await using var server = await ServerProcess.StartAsync($"file:{folder}");
        var listening = watch.Elapsed;
        var answer = await server.SendAsync(
            HttpMethod.Post, "/collections/sift/points/query", new { query = queries[0].ToArray(), limit = 1 });
        var first = watch.Elapsed;
        var id = answer.GetProperty("points")[0].GetProperty("id").GetInt32();
        var right = id == truth[0][0];
        Console.WriteLine($"{what}: listening after {listening.TotalMilliseconds:F0} ms, first answer after {first.TotalMilliseconds:F0} "
            + $"ms, {(right ? "correct" : $"wrong: {id} instead of {truth[0][0]}")}");
        await after(server);
    }
}
