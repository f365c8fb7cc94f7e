using System.Diagnostics;

namespace Granary.Benchmarks;

/// <summary>
/// A silo joins a cluster of one that holds 160k points of 128-d in 8 partitions: seconds until its share of them serves from it. Then,
/// with two replicas of each partition, one of two silos is killed: seconds until writes resume. Queries go through the first silo all the
/// time.
/// </summary>
internal static class ClusterJoinBenchmarks
{
    private const int Partitions = 8;
    private const int Batch = 500;
    private const double JoinBar = 30;
    private const double WriteBar = 10;

    public static async Task<int> RunAsync(Arguments arguments)
    {
        var folder = Path.Combine(arguments.Data, "sift-128");
        var set = VectorFiles.ReadVectors(folder, "base");
        var queries = VectorFiles.ReadVectors(folder, "query");
        var missed = 0;
        if (arguments.Text("part", "join,kill").Contains("join", StringComparison.Ordinal))
            missed += await JoinAsync(arguments, set, queries) ? 0 : 1;
        if (arguments.Text("part", "join,kill").Contains("kill", StringComparison.Ordinal))
            missed += await KillAsync(arguments, set, queries) ? 0 : 1;
        return missed == 0 ? 0 : 1;
    }

    private static async Task<bool> JoinAsync(Arguments arguments, VectorSet set, VectorSet queries)
    {
        var points = Math.Min(arguments.Number("points", int.MaxValue), set.Count) / Batch * Batch;
        await using var cluster = await SiloCluster.StartAsync(arguments, 1);
        var first = cluster.Silos[0];
        await FillAsync(first, set, points, replicas: 1);
        var behind = await BehindAsync(first);
        await using var load = new Asking(first, queries, points);
        var watch = Stopwatch.StartNew();
        var second = await cluster.AddAsync();
        var listening = watch.Elapsed;
        await SiloCluster.WaitServingAsync(first, "sift", serving =>
            serving.GetValueOrDefault(cluster.AddressOf(second)) >= Partitions / 2 && serving.Values.Sum() == Partitions);
        var took = watch.Elapsed;
        var asked = await load.StopAsync();
        var met = took.TotalSeconds < JoinBar && asked.Failed == 0;
        Console.WriteLine($"join: {points} points in {Partitions} partitions ({behind} operations behind their checkpoints); from the "
            + $"start of the second silo's process to listening {listening.TotalSeconds:F1} s, to its {Partitions / 2} partitions serving "
            + $"{took.TotalSeconds:F1} s; {asked.Answered} queries answered meanwhile, {asked.Failed} failed or incomplete{asked.Why}; "
            + $"{Machine.Load}; bar < {JoinBar} s, 0 failed: {(met ? "met" : "MISSED")}");
        return met;
    }

    private static async Task<bool> KillAsync(Arguments arguments, VectorSet set, VectorSet queries)
    {
        var points = Math.Min(arguments.Number("kill-points", 20_000), set.Count) / Batch * Batch;
        var rounds = arguments.Number("rounds", 3);
        await using var cluster = await SiloCluster.StartAsync(arguments, 2);
        var first = cluster.Silos[0];
        await FillAsync(first, set, points, replicas: 2);
        var worst = TimeSpan.Zero;
        var failed = 0L;
        for (var round = 0; round < rounds; round++)
        {
            await SiloCluster.WaitServingAsync(first, "sift", serving => serving.Values.Sum() == 2 * Partitions);
            await using var load = new Asking(first, queries, points);
            await load.AnsweredAsync(50);
            var watch = Stopwatch.StartNew();
            await cluster.Silos[^1].KillAsync();
            var batch = PointBodies.Make(set, 0, 100, 0);
            var tries = await ResumeAsync(first, batch, wait: false);
            var writing = watch.Elapsed;
            await ResumeAsync(first, batch, wait: true);
            var visible = watch.Elapsed;
            var asked = await load.StopAsync();
            worst = writing > worst ? writing : worst;
            failed += asked.Failed;
            Console.WriteLine($"kill -9, round {round}: a batch over all {Partitions} partitions acknowledged after "
                + $"{writing.TotalSeconds:F1} s ({tries} tries), with wait=true after {visible.TotalSeconds:F1} s; "
                + $"{asked.Answered} queries answered by the survivor meanwhile, "
                + $"{asked.Failed} failed or incomplete{asked.Why}; {Machine.Load}");
            if (round + 1 < rounds)
                await cluster.AddAsync();
        }

        var met = worst.TotalSeconds < WriteBar && failed == 0;
        Console.WriteLine($"kill -9 of one of two silos, 2 replicas, {rounds} rounds: writes resume within {worst.TotalSeconds:F1} s, "
            + $"{failed} queries failed; bar < {WriteBar} s and 0: {(met ? "met" : "MISSED")}");
        return met;
    }

    private static async Task FillAsync(ServerProcess silo, VectorSet set, int points, int replicas)
    {
        await silo.SendAsync(HttpMethod.Put, "/collections/sift", new
        {
            vectors = new { size = set.Size, distance = "Euclid" },
            shard_number = Partitions,
            replication_factor = replicas,
            indexing = new { checkpoint_operations = 1000 },
        });
        await SiloCluster.UpsertAsync(silo, "sift", points / Batch, i => PointBodies.Make(set, i * Batch, Batch, (ulong)(i * Batch)));
        await SiloCluster.WaitLinkedAsync(silo, "sift");
    }

    private static async Task<long> BehindAsync(ServerProcess silo)
    {
        var status = await silo.SendAsync(HttpMethod.Get, "/collections/sift/status");
        return status.GetProperty("partitions").EnumerateArray()
            .Sum(p => p.GetProperty("logged").GetInt64() - p.GetProperty("checkpointed").GetInt64());
    }

    /// <summary>Sends a batch until it is acknowledged.</summary>
    private static async Task<int> ResumeAsync(ServerProcess silo, byte[] batch, bool wait)
    {
        for (var tries = 1; ; tries++)
        {
            using var response = await silo.Client.PutAsync(
                $"/collections/sift/points?wait={(wait ? "true" : "false")}", PointBodies.Content(batch));
            if (response.IsSuccessStatusCode)
                return tries;
            if (tries == 100)
                throw new InvalidOperationException(await response.Content.ReadAsStringAsync());
        }
    }

    /// <summary>Asks one silo for neighbours and for counts, from two connections, until it is stopped.</summary>
    private sealed class Asking : IAsyncDisposable
    {
        private readonly ServerProcess _silo;
        private readonly byte[][] _bodies;
        private readonly int _points;
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _asking;
        private readonly SemaphoreSlim _moved = new(0);
        private long _answered;
        private long _failed;
        private string? _why;

        public Asking(ServerProcess silo, VectorSet queries, int points)
        {
            (_silo, _points) = (silo, points);
            _bodies = [.. Enumerable.Range(0, queries.Count).Select(i => QueryLoad.Body(new { query = queries[i].ToArray(), limit = 10 }))];
            _asking = Task.WhenAll(AskAsync(0), AskAsync(1));
        }

        public async Task AnsweredAsync(int count)
        {
            for (var i = 0; i < count; i++)
                await _moved.WaitAsync();
        }

        public async Task<(long Answered, long Failed, string Why)> StopAsync()
        {
            await _stop.CancelAsync();
            await _asking;
            return (_answered, _failed, _why is null ? "" : $" (the first: {_why})");
        }

        public async ValueTask DisposeAsync()
        {
            await StopAsync();
            _stop.Dispose();
            _moved.Dispose();
        }

        private async Task AskAsync(int first)
        {
            for (var i = first; !_stop.IsCancellationRequested; i += 2)
            {
                // Every tenth counts the points: a partition that is left out shows.
                var counts = i / 2 % 10 == 0;
                try
                {
                    var answer = counts
                        ? await _silo.SendAsync(HttpMethod.Post, "/collections/sift/points/count", new { exact = true })
                        : await AskAsync(_bodies[i % _bodies.Length]);
                    var complete = counts
                        ? answer.GetProperty("count").GetInt64() == _points : answer.GetProperty("points").GetArrayLength() == 10;
                    if (!complete)
                        Note($"incomplete: {answer}");
                    Interlocked.Increment(ref _answered);
                }
                catch (Exception e) when (e is InvalidOperationException or HttpRequestException)
                {
                    Note(e.Message);
                }

                _moved.Release();
            }
        }

        private async Task<System.Text.Json.JsonElement> AskAsync(byte[] body)
        {
            using var response = await _silo.Client.PostAsync("/collections/sift/points/query", PointBodies.Content(body));
            var text = await response.Content.ReadAsStringAsync();
            if (!response.IsSuccessStatusCode)
                throw new InvalidOperationException($"{(int)response.StatusCode} {text}");
            return System.Text.Json.JsonSerializer.Deserialize<System.Text.Json.JsonElement>(text).GetProperty("result");
        }

        private void Note(string why)
        {
            Interlocked.Increment(ref _failed);
            Interlocked.CompareExchange(ref _why, why, null);
        }
    }
}
