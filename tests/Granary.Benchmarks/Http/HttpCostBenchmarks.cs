using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Granary.Collections;
using Granary.Index.Operations;

namespace Granary.Benchmarks;

/// <summary>
/// Where the time of a query through HTTP goes, from socket to socket: requests of growing cost, from a thread that answers with blocking
/// calls to a query with payloads, and the same search in process. The servers take turns in every round; <c>--before</c> names another
/// build's <c>granary.dll</c> that is asked the same.
/// </summary>
internal static class HttpCostBenchmarks
{
    private const int Limit = 10;
    private const int Batch = 1000;
    private const string Before = "before: ";

    public static async Task<int> RunAsync(Arguments arguments)
    {
        var set = JudgedSet.Open(arguments.Data, "debian-384");
        var (rounds, count, warm) = (arguments.Number("rounds", 5), arguments.Number("requests", 4000), arguments.Number("warm", 10_000));
        var points = Math.Min(arguments.Number("points", 30_000), set.Documents.Count);
        var settings = $"\"params\":{{\"hnsw_ef\":{arguments.Number("ef", 42)}}},\"limit\":{Limit}";
        var ids = Bodies(set, settings);
        var payloads = Bodies(set, settings + ",\"with_payload\":true");
        var folders = new List<DirectoryInfo>();
        var servers = new List<ServerProcess>();
        var targets = new List<HttpCostTarget>();
        try
        {
            foreach (var kind in (string[])["sockets", "kestrel"])
            {
                var bare = await ServerProcess.ListenAsync(Start(arguments, [
                    Path.Combine(AppContext.BaseDirectory, "Granary.Benchmarks.dll"), "bare-server", "--kind", kind, "--answer", "800"]));
                servers.Add(bare);
                targets.Add(new HttpCostTarget(
                    $"{kind}, a constant", bare, [.. ids.Select(static b => WireConnection.Request("POST", "/", b))], false));
            }

            foreach (var (name, program) in Builds(arguments))
            {
                folders.Add(Directory.CreateTempSubdirectory("granary-bench"));
                var start = Start(arguments, [
                    program, "--urls", "http://127.0.0.1:0", "--storage", $"file:{folders[^1].FullName}"]);
                foreach (var variable in arguments.Text(name.Length == 0 ? "environment" : "before-environment", "")
                    .Split(',', StringSplitOptions.RemoveEmptyEntries))
                    start.Environment.Add(variable[..variable.IndexOf('=', StringComparison.Ordinal)], variable.Split('=', 2)[1]);
                var began = Stopwatch.GetTimestamp();
                var server = await ServerProcess.ListenAsync(start);
                servers.Add(server);
                var (listened, started) = (Stopwatch.GetElapsedTime(began), server.ProcessorTime);
                await LoadAsync(server, set, points);
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{name}listened after {listened.TotalMilliseconds:N0} ms and {started.TotalMilliseconds:N0} ms of processor time; "
                    + $"{points:N0} points, the first of the process, took {(server.ProcessorTime - started).TotalSeconds:0.00} s more"));
                targets.AddRange(Targets(name, server, ids, payloads));
            }

            // A kind of request to one build is followed by the same to the other.
            targets = [.. targets.OrderBy(t => targets.FindIndex(u => Kind(u) == Kind(t)))];
            if (arguments.Text("only", "") is { Length: > 0 } only)
                targets.RemoveAll(t => !t.Name.Contains(only, StringComparison.Ordinal));
            foreach (var connections in arguments.Text("connections", "1,4,8").Split(','))
                await RunAsync(targets, int.Parse(connections, CultureInfo.InvariantCulture), rounds, count, warm);
        }
        finally
        {
            foreach (var server in servers)
                await server.DisposeAsync();
            foreach (var folder in folders)
                folder.Delete(recursive: true);
        }

        if (arguments.Number("in-process", 1) != 0)
            await InProcessAsync(set, points, arguments.Number("ef", 42), rounds, count);
        return 0;
    }

    private static string Kind(HttpCostTarget target) => target.Name.Replace(Before, "", StringComparison.Ordinal);

    private static IEnumerable<(string Name, string Program)> Builds(Arguments arguments)
    {
        if (arguments.Text("before", "") is { Length: > 0 } before)
            yield return (Before, before);
        yield return ("", arguments.Text("server", Path.Combine(AppContext.BaseDirectory, "granary.dll")));
    }

    private static ProcessStartInfo Start(Arguments arguments, string[] command)
    {
        var cpus = arguments.Text("server-cpus", "");
        var start = cpus.Length == 0 ? new ProcessStartInfo("dotnet", command)
            : new ProcessStartInfo("taskset", ["-c", cpus, "dotnet", .. command]);
        start.RedirectStandardOutput = true;
        return start;
    }

    private static IEnumerable<HttpCostTarget> Targets(string build, ServerProcess server, byte[][] ids, byte[][] payloads)
    {
        const string Query = "/collections/all/points/query";
        yield return new HttpCostTarget(build + "GET /healthz", server, [WireConnection.Request("GET", "/healthz")], true);
        yield return new HttpCostTarget(build + "query of one point", server,
            [.. ids.Select(static b => WireConnection.Request("POST", "/collections/one/points/query", b))], true);
        yield return new HttpCostTarget(build + "query, ids alone", server,
            [.. ids.Select(static b => WireConnection.Request("POST", Query, b))], true);
        yield return new HttpCostTarget(build + "query, payloads", server,
            [.. payloads.Select(static b => WireConnection.Request("POST", Query, b))], true);
        yield return new HttpCostTarget(build + "query, payloads, gzip accepted", server,
            [.. payloads.Select(static b => WireConnection.Request("POST", Query, b, "Accept-Encoding: gzip\r\n"))], true);
    }

    private static async Task RunAsync(List<HttpCostTarget> targets, int connections, int rounds, int count, int warm)
    {
        var each = Math.Max(1, count / connections);
        foreach (var target in targets)
        {
            target.Clear();
            await target.RunAsync(connections, Math.Max(1, warm / connections), keep: false);
        }

        for (var round = 0; round < rounds; round++)
        {
            // There and back: of two builds each is first as often, whatever else the machine does.
            for (var i = 0; i < targets.Count; i++)
                await targets[round % 2 == 0 ? i : targets.Count - 1 - i].RunAsync(connections, each, keep: true);
        }

        Console.WriteLine();
        Console.WriteLine($"{connections} connection(s), {rounds} rounds of {each * connections} requests each in turn; {Machine.Load}");
        Console.WriteLine();
        Console.WriteLine("| request | p50 us | p99 us | requests/s | server's processor us | client's | bytes allocated a request "
            + "| collections in 1,000 requests | pauses: us a request, longest |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|---|");
        foreach (var target in targets)
            Console.WriteLine(target.Row(each * connections));
    }

    /// <summary>Numbers as clients send them that calculate with doubles.</summary>
    private static byte[][] Bodies(JudgedSet set, string settings) =>
    [
        .. Enumerable.Range(0, set.QueryVectors.Count).Select(i => Encoding.UTF8.GetBytes(
            $"{{\"query\":[{string.Join(',', set.QueryVectors[i].ToArray()
                .Select(static v => ((double)v).ToString("R", CultureInfo.InvariantCulture)))}],{settings}}}")),
    ];

    private static async Task LoadAsync(ServerProcess server, JudgedSet set, int points)
    {
        var vectors = new { size = set.DocumentVectors.Size, distance = "Cosine" };
        foreach (var (name, count) in ((string, int)[])[("one", 1), ("all", points)])
        {
            await server.SendAsync(HttpMethod.Put, $"/collections/{name}", new { vectors });
            for (var from = 0; from < count; from += Batch)
            {
                var rows = Enumerable.Range(from, Math.Min(Batch, count - from)).Select(row => new
                {
                    id = row,
                    vector = set.DocumentVectors[row].ToArray(),
                    payload = new { text = set.Documents[row] },
                });
                using var response = await server.Client.PutAsync($"/collections/{name}/points",
                    PointBodies.Content(JsonSerializer.SerializeToUtf8Bytes(new { points = rows })));
                response.EnsureSuccessStatusCode();
            }

            await server.SendAsync(HttpMethod.Post, $"/collections/{name}/wait");
        }
    }

    private static async Task InProcessAsync(JudgedSet set, int points, int ef, int rounds, int count)
    {
        await using var database = await EmbeddedDatabase.OpenAsync();
        var collection = await database.CreateAsync("all", set.DocumentVectors.Size, Index.Distance.Cosine);
        for (var from = 0; from < points; from += Batch)
        {
            var batch = new WriteBatch();
            for (var row = from; row < Math.Min(from + Batch, points); row++)
            {
                batch.Operations.Begin(OperationKind.Upsert, new Index.PointId((ulong)row));
                batch.Operations.Payload(JsonSerializer.SerializeToUtf8Bytes(new { text = set.Documents[row] }));
                batch.Operations.Dense("", set.DocumentVectors[row]);
                batch.Operations.End();
            }

            await collection.WriteAsync(batch, new WriteOptions());
        }

        await collection.WaitAsync();
        foreach (var payload in (bool[])[false, true])
        {
            var requests = Enumerable.Range(0, set.QueryVectors.Count).Select(i => new QueryRequest
            {
                Query = new NearestQuery(new DenseInput(set.QueryVectors.Row(i))),
                Params = new SearchParams { HnswEf = ef },
                Limit = Limit,
                WithPayload = payload ? PayloadSelector.All : PayloadSelector.None,
            }).ToArray();
            var samples = new Samples(rounds * count);
            for (var i = -count; i < rounds * count; i++)
            {
                var began = Stopwatch.GetTimestamp();
                await collection.QueryAsync(requests[(i + count) % requests.Length]);
                if (i >= 0)
                    samples.Add(Stopwatch.GetElapsedTime(began));
            }

            Console.WriteLine($"in process, {(payload ? "payloads" : "ids alone")}: {samples}; {Machine.Load}");
        }
    }
}
