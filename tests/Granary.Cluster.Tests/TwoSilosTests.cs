using Granary.Cluster.Tests.Support;
using Xunit.Abstractions;

namespace Granary.Cluster.Tests;

public sealed class TwoSilosTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Two_silos_serve_one_collection_and_a_stopped_one_hands_over_and_comes_back()
    {
        await using var cluster = await SiloCluster.StartAsync(output);
        await cluster.SettledAsync();
        await cluster[0].Rest.OkAsync("PUT", "/collections/c", Points.Collection(partitions: 4, replicas: 2));
        await WriteThroughBothAsync(cluster);
        await cluster.SettledAsync();
        await TellsTheTruthAsync(cluster);
        await StopOneUnderLoadAsync(cluster);
        await ComeBackAsync(cluster);
    }

    private static async Task WriteThroughBothAsync(SiloCluster cluster)
    {
        for (var round = 0; round < 10; round++)
        {
            var silo = cluster[round % 2];
            await silo.Rest.OkAsync("PUT", "/collections/c/points?wait=true", Points.Upsert(Ids(round), version: round));
            // What was waited for is seen through every silo.
            foreach (var other in cluster.Silos)
            {
                Assert.Equal((round + 1) * 20, await other.Rest.CountAsync("c"));
                Assert.Equal(20, await other.Rest.CountAsync("c", Points.VersionIs(round)));
            }
        }
    }

    private static async Task TellsTheTruthAsync(SiloCluster cluster)
    {
        var status = await cluster[0].Rest.OkAsync("GET", "/collections/c/status");
        var logged = status.GetProperty("partitions").EnumerateArray()
            .ToDictionary(static p => p.GetProperty("number").GetInt32(), static p => p.GetProperty("logged").GetInt64());
        Assert.Equal(200, logged.Values.Sum());
        foreach (var silo in cluster.Silos)
        {
            var members = await silo.ClusterAsync();
            Assert.Equal(2, members.Count);
            // Two replicas of each of four partitions, no two of one partition on one silo.
            var everywhere = members.SelectMany(static m => m.Replicas).Select(static r => r.Replica).Order(StringComparer.Ordinal);
            Assert.Equal(Enumerable.Range(0, 8).Select(static i => $"c/{i / 2}/{i % 2}"), everywhere);
            foreach (var member in members)
            {
                Assert.Equal("active", member.State);
                Assert.Equal(4, member.Replicas.Select(static r => r.Replica.Split('/')[1]).Distinct().Count());
                Assert.All(member.Replicas, r =>
                {
                    Assert.Equal("serves", r.State);
                    Assert.Equal(logged[r.Replica[2] - '0'], r.Applied);
                });
            }
        }
    }

    /// <summary>One silo hands over while the other is asked and written to: nothing fails there, nothing is lost.</summary>
    private async Task StopOneUnderLoadAsync(SiloCluster cluster)
    {
        var survivor = cluster[1];
        using var over = new CancellationTokenSource();
        var queries = 0;
        var writes = 0;
        var asking = Task.Run(async () =>
        {
            while (!over.IsCancellationRequested)
            {
                Assert.Equal(20, await survivor.Rest.CountAsync("c", Points.VersionIs(3)));
                queries++;
            }
        });
        var writing = Task.Run(async () =>
        {
            while (!over.IsCancellationRequested)
            {
                await survivor.Rest.OkAsync("PUT", "/collections/c/points", Points.Upsert([1000 + writes], version: 1000));
                writes++;
            }
        });
        await Until.NothingIsMissingAsync(() => Task.FromResult(queries > 20 && writes > 20 ? null : "queries and writes"));
        Assert.Equal(0, await cluster[0].StopAsync());
        var (queried, written) = (queries, writes);
        await Until.NothingIsMissingAsync(
            () => Task.FromResult(asking.IsCompleted || writing.IsCompleted || (queries > queried + 20 && writes > written + 20)
                ? null : "queries and writes after the stop"));
        await over.CancelAsync();
        await Task.WhenAll(asking, writing);
        output.WriteLine($"While one of two silos stopped, the other answered {queries} queries and {writes} writes.");
        await cluster.SettledAsync(survivor);
        // A write that was only acknowledged is not searchable yet. Points for every partition, waited for, come after all of them.
        await survivor.Rest.OkAsync("PUT", "/collections/c/points?wait=true", Points.Upsert(Enumerable.Range(201, 40), version: 1000));
        Assert.Equal(200 + 40 + writes, await survivor.Rest.CountAsync("c"));
    }

    private static async Task ComeBackAsync(SiloCluster cluster)
    {
        var expected = await cluster[1].Rest.AllPointsAsync("c");
        await cluster[0].StartAsync();
        await cluster.SettledAsync();
        Assert.Equal(expected, await cluster[0].Rest.AllPointsAsync("c"));
        // Alone it has everything, too.
        Assert.Equal(0, await cluster[1].StopAsync());
        await cluster.SettledAsync(cluster[0]);
        Assert.Equal(expected, await cluster[0].Rest.AllPointsAsync("c"));
    }

    private static IEnumerable<int> Ids(int round) => Enumerable.Range((round * 20) + 1, 20);
}
