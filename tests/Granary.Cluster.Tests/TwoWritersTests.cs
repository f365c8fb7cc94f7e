using Granary.Cluster.Tests.Support;
using Xunit.Abstractions;

namespace Granary.Cluster.Tests;

/// <summary>
/// Two activations of every collection grain, by force: two clusters that know nothing of each other over one database. The log's fence
/// is all that keeps them apart.
/// </summary>
public sealed class TwoWritersTests(ITestOutputHelper output)
{
    [Fact]
    public async Task LogIsTruth_two_writers_of_one_partition_fence_each_other_and_neither_forks_the_log_nor_loses_a_write()
    {
        await using var cluster = await SiloCluster.StartAsync(
            output, each: static number => new() { ["GRANARY_CLUSTER_ID"] = number == 0 ? "one" : "another" });
        await Task.WhenAll(cluster.SettledAsync(cluster[0]), cluster.SettledAsync(cluster[1]));
        await cluster[0].Rest.OkAsync("PUT", "/collections/c", Points.Collection(partitions: 2, replicas: 1));
        // The other cluster is told by nobody; it looks.
        await Until.NothingIsMissingAsync(async () =>
            (await cluster[1].Rest.OkAsync("GET", "/collections/c/exists")).GetProperty("exists").GetBoolean() ? null : "the collection");
        await Task.WhenAll(cluster.Silos.Select(static s => s.ReadyAsync()));
        await using (var load = await Load.StartAsync(cluster.Silos, "c", writers: 4, waits: false, pinned: true))
        {
            // Writers are waited for, not the clock: each fences the other with what it appends.
            await Until.NothingIsMissingAsync(() => Task.FromResult(load.Writes >= 400 ? null : $"{load.Writes} of 400 writes"));
            await load.StopAsync();
            output.WriteLine($"{load.Writes} writes acknowledged, {load.Ledger.Unanswered} changes unanswered");
            Assert.True(load.FailedQueries.Count == 0, string.Join('\n', load.FailedQueries.Take(10)));
            List<string>? last = null;
            await Until.NothingIsMissingAsync(async () =>
            {
                var (one, another) = (await cluster[0].Rest.AllPointsAsync("c"), await cluster[1].Rest.AllPointsAsync("c"));
                last = [.. load.Ledger.Contradictions(one), .. load.Ledger.Contradictions(another)];
                return last.Count == 0 && one.SequenceEqual(another) ? null : $"equal replicas: {string.Join("; ", last.Take(5))}";
            });
            var points = await cluster[0].Rest.AllPointsAsync("c");
            var expected = await Answers.OfStandaloneAsync(points);
            foreach (var silo in cluster.Silos)
                Assert.Equal(expected, await Answers.OfAsync(silo.Rest, "c"));
        }
    }
}
