using Granary.Collections;
using Granary.Collections.Catalog;
using Granary.Collections.Ports;
using Granary.Grains.Hosting;
using Granary.Grains.Interfaces;
using Granary.Grains.Tests.Support;
using Granary.Index;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Core.Internal;

namespace Granary.Grains.Tests;

public sealed class CatalogHousekeeping
{
    [Fact]
    public async Task StorageOfNoCollectionIsDroppedByTheSecondLookAMinuteAfterTheFirst()
    {
        var time = new ShiftedTime();
        await using var cluster = await TestSilos.StartAsync(2, new DatabaseOptions { Time = time });
        await cluster.At(0).CreateCollectionAsync("kept", Configs.Plain with { Partitions = 2 });
        var catalog = cluster.Cluster.Client.GetGrain<ICatalogGrain>(0);
        await catalog.WakeAsync();
        var orphan = Guid.NewGuid();
        await (await cluster.Storage.OpenLogAsync(new PartitionKey(orphan, 0), default)).DisposeAsync();

        Assert.Empty(await catalog.SweepAsync());
        Assert.Empty(await catalog.SweepAsync());
        Assert.Contains(orphan, await cluster.Storage.ListIncarnationsAsync(default));

        // What was seen outlives the activation.
        await catalog.AsReference<IGrainManagementExtension>().DeactivateOnIdle();
        await catalog.WakeAsync();
        time.Forward(OrphanWatch.Patience);
        // The grain's own look after its activation may have begun before the time went on, and the first of these waits for it; or it is
        // the one that drops.
        Guid[] swept = [.. await catalog.SweepAsync(), .. await catalog.SweepAsync()];
        Assert.All(swept, dropped => Assert.Equal(orphan, dropped));
        Assert.DoesNotContain(orphan, await cluster.Storage.ListIncarnationsAsync(default));
        Assert.Empty(await catalog.SweepAsync());
        Assert.Equal(["kept"], await cluster.At(1).ListCollectionsAsync());
        Assert.Equal(0, await (await cluster.At(1).GetCollectionAsync("kept")).CountAsync(null));
    }

    [Fact]
    public async Task WhatACatalogEntryNamesByThenIsKept()
    {
        var time = new ShiftedTime();
        await using var cluster = await TestSilos.StartAsync(1, new DatabaseOptions { Time = time });
        var catalog = cluster.Cluster.Client.GetGrain<ICatalogGrain>(0);
        await catalog.WakeAsync();
        var incarnation = Guid.NewGuid();
        await (await cluster.Storage.OpenLogAsync(new PartitionKey(incarnation, 0), default)).DisposeAsync();
        Assert.Empty(await catalog.SweepAsync());

        await AddEntryAsync(cluster.Storage, "slow", incarnation, Configs.Plain);
        time.Forward(OrphanWatch.Patience);
        Assert.Empty(await catalog.SweepAsync());
        Assert.Contains(incarnation, await cluster.Storage.ListIncarnationsAsync(default));
    }

    [Fact]
    public async Task TheFirstActivationBringsPartitionsInLineWithTheCatalog()
    {
        await using var storage = new Granary.Storage.Memory.MemoryStorage();
        var incarnation = Guid.NewGuid();
        var index = new PayloadIndexSchema("city", PayloadIndexType.Keyword);
        // A silo died between the catalog's entry and the partition's log.
        await AddEntryAsync(
            storage, "c", incarnation, Configs.Plain with { Schema = Configs.Plain.Schema with { PayloadIndexes = [index] } },
            Configs.Plain.Schema);
        await using var cluster = await TestSilos.StartAsync(1, storage: storage);
        await cluster.Cluster.Client.GetGrain<ICatalogGrain>(0).WakeAsync();

        await using var log = await storage.OpenLogReaderAsync(new PartitionKey(incarnation, 0), default);
        Assert.Equal(2, await log.HeadAsync(default));
        var info = await (await cluster.At(0).GetCollectionAsync("c")).GetInfoAsync();
        Assert.Equal(0, info.PayloadIndexPoints["city"]);
    }

    [Fact]
    public async Task AFieldThatOnlyTheCatalogHasYetIsRefusedUntilEveryPartitionHasIt()
    {
        await using var cluster = await TestSilos.StartAsync(2);
        await cluster.At(0).CreateCollectionAsync("c", Configs.Plain with { Partitions = 4 });
        await cluster.Cluster.Client.GetGrain<ICatalogGrain>(0).WakeAsync();
        // Whoever makes a change has put it into the catalog and has logged it nowhere yet.
        using (var catalog = new CollectionCatalog(cluster.Storage.Catalog))
        {
            await catalog.LoadAsync(default);
            await catalog.UpdateAsync(
                "c", config => config with
                {
                    Schema = config.Schema with { Dense = [.. config.Schema.Dense, new DenseVectorSchema("more", 4, Distance.Dot)] },
                }, default);
        }

        foreach (var silo in cluster.Silos)
            await silo.ServiceProvider.GetRequiredService<SiloEngine>().RefreshAsync(default);
        var collection = await cluster.At(1).GetCollectionAsync("c");
        Assert.Equal(
            ErrorKind.BadInput,
            (await Assert.ThrowsAsync<GranaryException>(() => collection.WriteAsync(More(), new WriteOptions()).AsTask())).Kind);

        var database = await cluster.Silos[0].ServiceProvider.GetRequiredService<SiloEngine>().DatabaseAsync(default);
        Assert.True(await database.ReconcileAsync(default));
        await cluster.Silos[1].ServiceProvider.GetRequiredService<SiloEngine>().RefreshAsync(default);
        Assert.Equal(UpdateStatus.Completed, (await collection.WriteAsync(More(), new WriteOptions { Wait = true })).Status);
        Assert.Empty((await collection.GetInfoAsync()).Failures);

        static WriteBatch More()
        {
            var batch = new WriteBatch();
            for (ulong id = 0; id < 40; id++)
            {
                batch.Operations.Begin(Granary.Index.Operations.OperationKind.Upsert, new PointId(id));
                batch.Operations.Dense("more", [1, 2, 3, id]);
                batch.Operations.End();
            }

            return batch;
        }
    }

    private static async Task AddEntryAsync(
        IStorage storage, string name, Guid incarnation, CollectionConfig config, IndexSchema? initial = null)
    {
        using var catalog = new CollectionCatalog(storage.Catalog);
        await catalog.LoadAsync(default);
        await catalog.CreateAsync(name, new CollectionDocument(
            CollectionDocument.CurrentFormat, incarnation, config, initial ?? config.Schema,
            PlacementTable.Even(config.Partitions).Ranges), default);
    }
}
