using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Granary.Benchmarks;

/// <summary>
/// Vectors whose originals are larger than the memory the server may use (<c>on_disk: true</c>, a control group as the limit): loads
/// them, restarts within the limit, and compares the answers and their times with those of a server without a limit.
/// <c>--count 150000 --size 768 --limit MB --load free|limited --control 1</c>.
/// </summary>
internal static class LargerThanMemoryBenchmarks
{
    private const int K = 10;
    private const int Queries = 500;
    private const int Judged = 200;
    private const int ExactQueries = 5;

    public static async Task<int> RunAsync(Arguments arguments)
    {
        var set = ClusteredVectors.Make(arguments.Number("count", 150_000), arguments.Number("size", 768), seed: 7);
        var queries = ClusteredVectors.Make(Queries, set.Size, seed: 8);
        var truth = ClusteredVectors.Truth(set, queries with { Values = queries.Values[..(Judged * set.Size)] }, K);
        var raw = set.Values.Length * 4L;
        var limit = arguments.Number("limit", (int)((raw >> 20) * 4 / 5)) * (1L << 20);
        using var probe = MemoryLimit.TryCreate(limit, out var reason);
        Console.WriteLine($"{set.Count} x {set.Size}: {Mega(raw)} of originals; "
            + (probe is null ? $"NO LIMIT COULD BE SET ({reason})"
                : $"limit {Mega(limit)}, page cache included, {MemoryLimit.HeapPercent} % for the managed heap"));
        if (probe is null)
            return 1;
        var folder = Directory.CreateTempSubdirectory("granary-bench");
        try
        {
            await LoadAsync(folder.FullName, set, arguments.Text("load", "free") == "limited" ? limit : 0,
                arguments.Text("checkpoint-log-mb", "32"));
            var free = await AskAsync(folder.FullName, "no limit", 0, set, queries, truth);
            var limited = await AskAsync(folder.FullName, "with the limit", limit, set, queries, truth);
            var again = await AskAsync(folder.FullName, "no limit", 0, set, queries, truth);
            var equal = free.SequenceEqual(limited) && again.SequenceEqual(limited);
            Console.WriteLine($"answers with the limit equal to those without: {equal} "
                + $"({limited.Count} queries of {K} hits, ids and scores, {ExactQueries} of them exact)");
            if (arguments.Number("control", 1) != 0)
                await ControlAsync(folder.FullName, limit, queries);
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        return 0;
    }

    private static async Task LoadAsync(string folder, VectorSet set, long bytes, string checkpoint)
    {
        using var limit = bytes > 0 ? MemoryLimit.TryCreate(bytes, out _) : null;
        await using var server = await ServerProcess.StartAsync(limit, $"file:{folder}", "--checkpoint-log-mb", checkpoint);
        await using var watch = new ResidentWatch(server);
        var began = Stopwatch.GetTimestamp();
        await server.SendAsync(HttpMethod.Put, "/collections/large",
            new { vectors = new { size = set.Size, distance = "Cosine", on_disk = true } });
        try
        {
            await RestartBenchmarks.UpsertAllAsync(server, "large", set);
            await server.SendAsync(HttpMethod.Post, "/collections/large/wait?timeout=3600");
        }
        catch (HttpRequestException)
        {
            Console.WriteLine($"the server did not live through loading; {watch}; counted at most {Mega(limit?.Peak ?? 0)}");
            throw;
        }

        var loaded = Stopwatch.GetElapsedTime(began);
        Console.WriteLine($"loaded and linked over HTTP {(limit is null ? "without a limit" : "within the limit")} in "
            + $"{loaded.TotalSeconds:F0} s ({set.Count / loaded.TotalSeconds:F0} points/s); {watch}; counted at most "
            + $"{Mega(limit?.Peak ?? 0)}");
        await server.StopAsync();
    }

    private static async Task<List<string>> AskAsync(
        string folder, string what, long bytes, VectorSet set, VectorSet queries, int[][] truth)
    {
        await ForgetAsync(folder);
        using var limit = bytes > 0 ? MemoryLimit.TryCreate(bytes, out _) : null;
        var began = Stopwatch.GetTimestamp();
        await using var server = await ServerProcess.StartAsync(limit, $"file:{folder}");
        await using var watch = new ResidentWatch(server);
        await AskAsync(server, queries, 0, exact: false);
        Console.WriteLine($"{what}: first answer {Stopwatch.GetElapsedTime(began).TotalMilliseconds:F0} ms after starting");
        var answers = new List<string>();
        for (var round = 0; round < 3; round++)
        {
            var samples = new Samples(queries.Count);
            var faults = server.MajorFaults;
            var found = 0;
            answers.Clear();
            for (var i = 0; i < queries.Count; i++)
            {
                var start = Stopwatch.GetTimestamp();
                var answer = await AskAsync(server, queries, i, exact: false);
                samples.Add(Stopwatch.GetElapsedTime(start));
                answers.Add(answer.GetRawText());
                if (i < truth.Length)
                    found += answer.GetProperty("points").EnumerateArray().Count(p => truth[i].Contains(p.GetProperty("id").GetInt32()));
            }

            Console.WriteLine($"  round {round + 1}: recall@{K} {found / (double)(truth.Length * K):F4}; {samples}; "
                + $"{(server.MajorFaults - faults) / (double)queries.Count:F1} reads of the disk a query");
        }

        var exact = Stopwatch.GetTimestamp();
        for (var i = 0; i < ExactQueries; i++)
            answers.Add((await AskAsync(server, queries, i, exact: true)).GetRawText());
        Console.WriteLine($"  exact: {Stopwatch.GetElapsedTime(exact).TotalMilliseconds / ExactQueries:F0} ms a query; {watch}; counted at "
            + $"most {Mega(limit?.Peak ?? 0)}, the limit met {limit?.Met ?? 0} times");
        await server.StopAsync();
        return answers;
    }

    /// <summary>The same with the originals in memory: what the limit does to a server that needs more.</summary>
    private static async Task ControlAsync(string folder, long bytes, VectorSet queries)
    {
        await using (var server = await ServerProcess.StartAsync($"file:{folder}"))
        {
            await server.SendAsync(HttpMethod.Patch, "/collections/large",
                new { vectors = new Dictionary<string, object> { [""] = new { on_disk = false } } });
            await server.StopAsync();
        }

        using var limit = MemoryLimit.TryCreate(bytes, out _);
        if (limit is null)
            return;
        try
        {
            await using var server = await ServerProcess.StartAsync(limit, $"file:{folder}");
            await AskAsync(server, queries, 0, exact: false);
            Console.WriteLine($"on_disk: false within the limit: answers, {Mega(server.AnonymousBytes)} anonymous");
        }
        catch (Exception e) when (e is HttpRequestException or InvalidOperationException)
        {
            Console.WriteLine($"on_disk: false within the limit: does not start or answer ({e.Message})");
        }
    }

    private static Task<JsonElement> AskAsync(ServerProcess server, VectorSet queries, int query, bool exact) => server.SendAsync(
        HttpMethod.Post, "/collections/large/points/query",
        new { query = queries[query].ToArray(), limit = K, @params = new { exact } });

    /// <summary>Takes a folder's files out of the page cache, where they would count for nobody, or for who read them first.</summary>
    private static async Task ForgetAsync(string folder)
    {
        foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            using var process = Process.Start(new ProcessStartInfo("dd", [$"if={file}", "iflag=nocache", "count=0", "status=none"]));
            await process!.WaitForExitAsync();
        }
    }

    private static string Mega(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 20):F0} MiB");

    /// <summary>The most a server had resident, looked at ten times a second.</summary>
    private sealed class ResidentWatch : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _watching;
        private long _anonymous;
        private long _files;

        public ResidentWatch(ServerProcess server) => _watching = WatchAsync(server);

        public override string ToString() => $"at most {Mega(_anonymous)} anonymous and {Mega(_files)} of files resident";

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _watching;
            _stop.Dispose();
        }

        private async Task WatchAsync(ServerProcess server)
        {
            using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
            try
            {
                while (await timer.WaitForNextTickAsync(_stop.Token) && !server.HasEnded)
                {
                    var anonymous = server.AnonymousBytes;
                    _anonymous = Math.Max(_anonymous, anonymous);
                    _files = Math.Max(_files, server.ResidentBytes - anonymous);
                }
            }
            catch (Exception e) when (e is OperationCanceledException or IOException or InvalidOperationException)
            {
                // Stopped, or the server has.
            }
        }
    }
}
