using Granary.Cluster.Tests.Support;
using Xunit.Abstractions;

namespace Granary.Cluster.Tests;

/// <summary>Rule ReadYourWrites: a process that stood still for longer than its leases may not answer from what it knew.</summary>
public sealed class PausedSiloTests(ITestOutputHelper output)
{
    [Fact]
    public async Task ReadYourWrites_a_silo_that_was_stopped_and_goes_on_answers_nothing_stale_and_forks_no_log()
    {
        await using var cluster = await SiloCluster.StartAsync(output);
        var (paused, other) = (cluster[0], cluster[1]);
        await cluster.SettledAsync();
        await other.Rest.OkAsync("PUT", "/collections/c", Points.Collection(partitions: 4, replicas: 2));
        await cluster.SettledAsync();
        await using (var load = await Load.StartAsync(cluster.Silos, "c", readers: 1))
        {
            load.Silos = [other];
            await paused.PauseAsync();
            // Acknowledged although the paused silo held leases and, for some partitions, the writer.
            await load.ProbeAsync(other, wait: true);
            var gone = await Until.NothingIsMissingAsync(async () =>
                (await other.ClusterAsync()).Count == 1 ? null : $"{paused.Name} counts as dead");
            output.WriteLine($"Counted as dead {gone.TotalSeconds:0.0} s after the first write that did without it.");

            // Written while it stands still; asked there before it goes on, and after.
            await other.Rest.OkAsync("PUT", "/collections/c/points?wait=true", Points.Upsert(Enumerable.Range(1, 40), version: 70));
            load.Ledger.Note(Enumerable.Range(1, 40), static _ => new PointState(70, null), answered: true);
            var early = Enumerable.Range(0, 20).Select(_ => AskAsync(paused, 70, 40)).ToList();
            await paused.ResumeAsync();
            var answers = (await Task.WhenAll(early)).ToList();
            for (var round = 0; round < 20; round++)
            {
                var (version, ids) = (100 + round, Enumerable.Range(100 + (round * 10), 10).ToArray());
                await other.Rest.OkAsync("PUT", "/collections/c/points?wait=true", Points.Upsert(ids, version));
                load.Ledger.Note(ids, _ => new PointState(version, null), answered: true);
                answers.Add(await AskAsync(paused, version, 10));
            }

            Assert.DoesNotContain(answers, static a => a.StartsWith("stale", StringComparison.Ordinal));
            output.WriteLine($"The returned silo answered: {string.Join(", ", answers.CountBy(static a => a))}");
            await load.StopAsync();
            // It was declared dead, for good: a new process takes its place.
            if (paused.IsRunning)
                await paused.KillAsync();
            await paused.StartAsync();
            await FinalState.CheckAsync(cluster, "c", load);
        }
    }

    /// <summary>Whether a silo sees what was acknowledged, refuses, or does not answer.</summary>
    private static async Task<string> AskAsync(SiloProcess silo, long version, long expected)
    {
        try
        {
            var (status, text) = await silo.Rest.SendAsync(
                "POST", "/collections/c/points/count", $$"""{"exact":true,"filter":{{Points.VersionIs(version)}}}""");
            return status != 200 ? $"refused with {status}"
                : text.Contains($"\"count\":{expected}}}", StringComparison.Ordinal) ? "fresh"
                : $"stale: {text}";
        }
        catch (Exception e) when (e is HttpRequestException or IOException or TaskCanceledException)
        {
            return "no answer";
        }
    }
}
