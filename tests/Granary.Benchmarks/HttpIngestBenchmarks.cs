using System.Diagnostics;
using System.Text.Json;

namespace Granary.Benchmarks;

/// <summary>Upserts over HTTP: 384-d, batches of 100, 4 connections, client on the same machine.</summary>
internal static class HttpIngestBenchmarks
{
    private const int Batch = 100;

    public static async Task<int> RunAsync(Arguments arguments)
    {
        var set = VectorFiles.ReadVectors(Path.Combine(arguments.Data, "debian-384"), "base");
        var seconds = arguments.Number("seconds", 60);
        var connections = arguments.Number("connections", 4);
        var bodies = Enumerable.Range(0, set.Count / Batch).Select(i => PointBodies.Make(set, i * Batch, Batch, (ulong)(i * Batch)))
            .ToArray();
        var folder = Directory.CreateTempSubdirectory("granary-bench");
        try
        {
            await using var server = await ServerProcess.StartAsync($"file:{folder.FullName}");
            for (var round = 0; round < 3; round++)
                await BurstAsync(server, bodies, connections, arguments.Number("burst", 10_000));
            await SustainAsync(server, set, bodies, connections, TimeSpan.FromSeconds(seconds));
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        await Console.Out.WriteLineAsync("linking alone, in process, the same points (the share above is against this):");
        await LinkAloneBenchmarks.RunAsync(set, arguments.Number("link-points", 60_000));
        return 0;
    }

    private static async Task CreateAsync(ServerProcess server, string name) =>
        await server.SendAsync(HttpMethod.Put, $"/collections/{name}", new { vectors = new { size = 384, distance = "Cosine" } });

    private static async Task BurstAsync(ServerProcess server, byte[][] bodies, int connections, int points)
    {
        await CreateAsync(server, "warm");
        await UpsertAsync(server, "warm", bodies, connections, i => i < 200);
        await server.SendAsync(HttpMethod.Post, "/collections/warm/wait");
        await server.SendAsync(HttpMethod.Delete, "/collections/warm");
        await CreateAsync(server, "burst");
        var watch = Stopwatch.StartNew();
        var sent = await UpsertAsync(server, "burst", bodies, connections, i => i < points / Batch);
        Console.WriteLine($"burst of {sent} points (the queue's capacity): {sent / watch.Elapsed.TotalSeconds:F0} points/s acknowledged");
        await server.SendAsync(HttpMethod.Post, "/collections/burst/wait");
        Console.WriteLine($"  linked after {watch.Elapsed.TotalSeconds:F2} s: {sent / watch.Elapsed.TotalSeconds:F0} points/s");
        await server.SendAsync(HttpMethod.Delete, "/collections/burst");
    }

    private static async Task SustainAsync(ServerProcess server, VectorSet set, byte[][] bodies, int connections, TimeSpan time)
    {
        await CreateAsync(server, "sustained");
        var before = server.ProcessorTime;
        var watch = Stopwatch.StartNew();
        // Ids go on rising; the vectors repeat after the set's end with other ids.
        var acknowledged = await UpsertAsync(
            server, "sustained", bodies, connections, _ => watch.Elapsed < time, i =>
                PointBodies.Make(set, i * Batch, Batch, (ulong)(i * Batch)));
        var elapsed = watch.Elapsed.TotalSeconds;
        var info = await server.SendAsync(HttpMethod.Get, "/collections/sustained");
        var linked = info.GetProperty("indexed_vectors_count").GetInt64();
        Console.WriteLine($"sustained {elapsed:F0} s: {acknowledged / elapsed:F0} points/s acknowledged, {linked / elapsed:F0} points/s "
            + "linked"
            + $" ({acknowledged} and {linked}); server's processor time {(server.ProcessorTime - before).TotalSeconds:F0} s; the client "
            + "makes its JSON on the same cores");
        var status = await server.SendAsync(HttpMethod.Get, "/collections/sustained/status");
        Console.WriteLine(JsonSerializer.Serialize(status));
    }

    private static async Task<int> UpsertAsync(
        ServerProcess server, string collection, byte[][] bodies, int connections, Func<int, bool> goOn, Func<int, byte[]>? make = null)
    {
        var next = -1;
        var sent = 0;
        await Task.WhenAll(Enumerable.Range(0, connections).Select(async _ =>
        {
            while (true)
            {
                var i = Interlocked.Increment(ref next);
                if (!goOn(i))
                    return;
                var body = i < bodies.Length ? bodies[i] : make!(i);
                using var response = await server.Client.PutAsync($"/collections/{collection}/points", PointBodies.Content(body));
                if ((int)response.StatusCode == 429)
                    continue;
                response.EnsureSuccessStatusCode();
                Interlocked.Add(ref sent, Batch);
            }
        }));
        return sent;
    }
}
