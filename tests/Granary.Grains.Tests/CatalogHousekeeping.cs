using Granary.Collections;
using Granary.Collections.Catalog;
using Granary.Collections.Ports;
using Granary.Grains.Interfaces;
using Granary.Grains.Tests.Support;
using Granary.Index;
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
        Assert.Equal([orphan], await catalog.SweepAsync());
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
