using Granary.Cluster.Tests.Support;
using Xunit.Abstractions;

namespace Granary.Cluster.Tests;

public sealed class PostgresStreamsTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Doorbells_may_go_through_streams_in_the_database()
    {
        await using var cluster = await SiloCluster.StartAsync(output, each: static _ => new() { ["GRANARY_STREAMS"] = "postgres" });
        await cluster.SettledAsync();
        await cluster[0].Rest.OkAsync("PUT", "/collections/c", Points.Collection(partitions: 4, replicas: 2));
        await cluster.SettledAsync();
        await using (var load = await Load.StartAsync(cluster.Silos, "c", waits: false))
        {
            await Until.NothingIsMissingAsync(() => Task.FromResult(load.Writes >= 200 ? null : $"{load.Writes} of 200 writes"));
            await load.StopAsync();
            await FinalState.CheckAsync(cluster, "c", load);
        }
    }
}
