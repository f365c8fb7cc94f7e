using Granary.Collections;
using Granary.Grains.Hosting;
using Granary.Grains.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Granary.Grains.Tests;

public sealed class HandingOver
{
    [Fact]
    public async Task WritersOfADroppedCollectionDoNotKeepASiloFromLeaving()
    {
        await using var cluster = await TestSilos.StartAsync(2);
        await cluster.At(0).CreateCollectionAsync("c", Configs.Plain with { Partitions = 4 });
        var collection = await cluster.At(0).GetCollectionAsync("c");
        var batch = new WriteBatch();
        for (ulong id = 1; id <= 50; id++)
            batch.Upsert(id, Configs.Vector(id));
        await collection.WriteAsync(batch, new WriteOptions { Wait = true });
        Assert.True(await cluster.At(0).DeleteCollectionAsync("c"));

        // It ends when everything is handed over, and gives up with an exception otherwise.
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        await EngineOf(cluster, 0).LeaveAsync(limit.Token);
        await EngineOf(cluster, 1).LeaveAsync(limit.Token);
        Assert.Empty(await cluster.Storage.ListIncarnationsAsync(default));
    }

    [Fact]
    public async Task ASiloThatIsReadyStaysSoWhileItOpensMore()
    {
        await using var cluster = await TestSilos.StartAsync(1);
        var engine = EngineOf(cluster, 0);
        await engine.DatabaseAsync(default);
        Assert.Null(engine.NotReady);
        await cluster.At(0).CreateCollectionAsync("c", Configs.Plain with { Partitions = 8 });
        Assert.Null(engine.NotReady);
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        var leaving = engine.LeaveAsync(limit.Token);
        Assert.NotNull(engine.NotReady);
        await leaving;
    }

    [Fact]
    public async Task AnIndexIsRebuiltAndACheckpointTakenThroughTheReplicasGrains()
    {
        await using var cluster = await TestSilos.StartAsync(2);
        await cluster.At(0).CreateCollectionAsync("c", Configs.Plain with { Partitions = 2, Replicas = 2 });
        var collection = await cluster.At(1).GetCollectionAsync("c");
        await collection.WriteAsync(
            new WriteBatch().Upsert(1, Configs.Vector(1)).Upsert(2, Configs.Vector(2)), new WriteOptions { Wait = true });
        await collection.RebuildAsync();
        await collection.CheckpointAsync();
        Assert.Equal(2, await collection.CountAsync(null));
        Assert.Contains((await collection.GetInfoAsync()).Partitions, p => p.Checkpointed > 0);
    }

    private static SiloEngine EngineOf(TestSilos cluster, int silo) =>
        cluster.Silos[silo].ServiceProvider.GetRequiredService<SiloEngine>();
}
