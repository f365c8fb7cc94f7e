namespace Granary.Benchmarks;

/// <summary>Resident size of the server after loading glove-100, less that of the idle server, over the raw float32 vectors.</summary>
internal static class MemoryBenchmarks
{
    public static async Task<int> RunAsync(Arguments arguments)
    {
        var set = VectorFiles.ReadVectors(Path.Combine(arguments.Data, "glove-100"), "base");
        var folder = Directory.CreateTempSubdirectory("granary-bench");
        try
        {
            await using var server = await ServerProcess.StartAsync($"file:{folder.FullName}");
            await WarmAsync(server, set);
            await SettleAsync(server);
            var (idle, idleAnonymous) = (server.ResidentBytes, server.AnonymousBytes);
            await server.SendAsync(HttpMethod.Put, "/collections/glove", new { vectors = new { size = set.Size, distance = "Cosine" } });
            await RestartBenchmarks.UpsertAllAsync(server, "glove", set);
            await server.SendAsync(HttpMethod.Post, "/collections/glove/wait?timeout=600");
            await SettleAsync(server);
            Report("loaded and linked", server, set, idle, idleAnonymous);
            await server.StopAsync();
            await using var again = await ServerProcess.StartAsync($"file:{folder.FullName}");
            await again.SendAsync(HttpMethod.Post, "/collections/glove/points/query", new { query = set[0].ToArray(), limit = 10 });
            await SettleAsync(again);
            Report("after a restart", again, set, idle, idleAnonymous);
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        return 0;
    }

    /// <summary>
    /// Runs the code that loading and searching run, on a collection that is deleted again, so that code is not counted as data.
    /// </summary>
    private static async Task WarmAsync(ServerProcess server, VectorSet set)
    {
        var few = set with { Values = set.Values[..(1_000 * set.Size)] };
        await server.SendAsync(HttpMethod.Put, "/collections/warm", new { vectors = new { size = set.Size, distance = "Cosine" } });
        await RestartBenchmarks.UpsertAllAsync(server, "warm", few);
        await server.SendAsync(HttpMethod.Post, "/collections/warm/wait?timeout=600");
        await server.SendAsync(HttpMethod.Post, "/collections/warm/points/query", new { query = set[0].ToArray(), limit = 10 });
        await server.SendAsync(HttpMethod.Delete, "/collections/warm");
    }

    /// <summary>
    /// Waits until the resident size has not fallen for 80 seconds: the server gives memory back when it is left alone, its pools a minute
    /// later.
    /// </summary>
    private static async Task SettleAsync(ServerProcess server)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        var least = long.MaxValue;
        for (var still = 0; still < 80; still++)
        {
            await timer.WaitForNextTickAsync();
            var now = server.ResidentBytes;
            if (now >= least - (1 << 20))
                continue;
            least = now;
            still = -1;
        }
    }

    private static void Report(string what, ServerProcess server, VectorSet set, long idle, long idleAnonymous)
    {
        var raw = (double)set.Values.Length * sizeof(float);
        Console.WriteLine($"{what}: resident {server.ResidentBytes >> 20} MiB (idle {idle >> 20}), anonymous "
            + $"{server.AnonymousBytes >> 20} MiB (idle {idleAnonymous >> 20}),"
            + $" raw float32 {raw / (1 << 20):F0} MiB: {(server.ResidentBytes - idle) / raw:F2}x resident, "
            + $"{(server.AnonymousBytes - idleAnonymous) / raw:F2}x anonymous");
    }
}
