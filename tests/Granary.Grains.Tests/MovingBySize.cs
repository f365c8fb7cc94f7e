using Granary.Collections;
using Granary.Collections.Catalog;
using Granary.Collections.Partitions;
using Granary.Collections.Ports;
using Granary.Grains.Hosting;
using Granary.Grains.Interfaces;
using Granary.Grains.Tests.Support;
using Granary.Index;
using Microsoft.Extensions.DependencyInjection;

namespace Granary.Grains.Tests;

/// <summary>Collections that are measured as larger or smaller than before are placed by it.</summary>
public sealed class MovingBySize
{
    private const ulong Points = 20;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    [Fact]
    public async Task OneOfTwoCollectionsThatGrowOnASiloIsHandedOverWhileItAnswers()
    {
        await using var cluster = await TestSilos.StartAsync(2);
        var catalog = await CatalogAsync(cluster);
        var (names, keys, before, crowded) = await CrowdAsync(cluster);
        var instances = await InstancesAsync(cluster, keys);
        var configs = await ConfigsAsync(cluster, names);

        using var stop = new CancellationTokenSource();
        var asking = new[] { 0, 1 }.Select(silo => Task.Run(() => AskAsync(cluster.At(silo), names, stop.Token))).ToArray();
        var large = crowded.Select(n => keys[n]).ToHashSet();
        cluster.Enlarge(key => large.Contains(key) ? 1L << 30 : 0);
        Assert.Equal(crowded, (await catalog.MeasureAsync()).Order());
        Assert.Empty(await catalog.MeasureAsync());

        var after = names.ToDictionary(n => n, n => PlaceOf(cluster, keys[n]));
        var moved = Assert.Single(names, n => !Equals(before[n], after[n]));
        Assert.Contains(moved, crowded);
        using var late = new CancellationTokenSource(Limit);
        // Asked all the while, so that waiting for the silos is work and no sleep.
        while (!await IsOnlyAtAsync(cluster, keys[moved], after[moved]!))
            await AskOnceAsync(cluster.At(0), moved, late.Token);
        await stop.CancelAsync();
        Assert.All(await Task.WhenAll(asking), rounds => Assert.True(rounds > 0));

        // What stays is neither opened anew nor told of settings that did not change.
        var instancesAfter = await InstancesAsync(cluster, keys);
        Assert.All(names, n => Assert.Equal(n == moved, instances[n] != instancesAfter[n]));
        Assert.All(configs.Zip(await ConfigsAsync(cluster, names)), pair => Assert.Same(pair.First, pair.Second));
    }

    [Fact]
    public async Task ASiloThatMissedTheNewsLooksAtTheCatalogBeforeItTakesAReplica()
    {
        await using var cluster = await TestSilos.StartAsync(2, new DatabaseOptions { Time = new InattentiveTime() });
        await CatalogAsync(cluster);
        var (_, keys, before, crowded) = await CrowdAsync(cluster);
        using (var catalog = new CollectionCatalog(cluster.Storage.Catalog))
        {
            await catalog.LoadAsync(default);
            foreach (var name in crowded)
                Assert.True(await catalog.ClassifyAsync(name, keys[name].Incarnation, 4, default));
        }

        // The silo that has both knows; the one that should get one of them would send it back by what it knows.
        var from = Enumerable.Range(0, 2).Single(i => cluster.Silos[i].SiloAddress.Equals(before[crowded[0]]));
        Assert.All(crowded, n => Assert.Equal(before[n], PlaceOf(cluster, keys[n], 1 - from)));
        await EngineOf(cluster, from).RefreshAsync(default);
        var moved = Assert.Single(crowded, n => !Equals(before[n], PlaceOf(cluster, keys[n], from)));
        using var late = new CancellationTokenSource(Limit);
        while (!await IsOnlyAtAsync(cluster, keys[moved], cluster.Silos[1 - from].SiloAddress))
        {
            for (var silo = 0; silo < 2; silo++)
                await AskOnceAsync(cluster.At(silo), moved, late.Token);
        }
    }

    [Fact]
    public async Task ACollectionAloneStaysWhereItIsAndOpenWhateverItsSize()
    {
        await using var cluster = await TestSilos.StartAsync(2);
        var catalog = await CatalogAsync(cluster);
        await FillAsync(cluster, "c");
        var key = new PartitionKey((await EngineOf(cluster, 0).DatabaseAsync(default)).DocumentOf("c")!.Incarnation, 0);
        var keys = new Dictionary<string, PartitionKey> { ["c"] = key };
        var (place, instances) = (PlaceOf(cluster, key), await InstancesAsync(cluster, keys));
        foreach (var (bytes, expected) in new[] { (900L << 20, 4), (1000L << 30, 14), (0L, 0) })
        {
            cluster.Enlarge(_ => bytes);
            Assert.Equal(["c"], await catalog.MeasureAsync());
            var entry = await cluster.Storage.Catalog.GetAsync("collection/c", default);
            Assert.Equal(expected, CatalogJson.ReadCollection("c", entry!.Value).SizeClass);
            // Both silos were told of it before the grain answered.
            for (var silo = 0; silo < 2; silo++)
            {
                Assert.Equal(expected, (await EngineOf(cluster, silo).DatabaseAsync(default)).DocumentOf("c")!.SizeClass);
                Assert.Equal(place, PlaceOf(cluster, key, silo));
                await AskOnceAsync(cluster.At(silo), "c", default);
            }
        }

        Assert.Equal(instances, await InstancesAsync(cluster, keys));
    }

    /// <summary>The catalog grain once it has measured: it does so again in ten minutes, and until then when it is told to.</summary>
    private static async Task<ICatalogGrain> CatalogAsync(TestSilos cluster)
    {
        var catalog = cluster.Cluster.Client.GetGrain<ICatalogGrain>(0);
        await catalog.WakeAsync();
        Assert.Empty(await catalog.MeasureAsync());
        return catalog;
    }

    /// <summary>Three collections on two silos, two of which are on the same one.</summary>
    private static async Task<(string[] Names, Dictionary<string, PartitionKey> Keys, Dictionary<string, SiloAddress?> Places,
        string[] Crowded)> CrowdAsync(TestSilos cluster)
    {
        var names = new[] { "a", "b", "c" };
        foreach (var name in names)
            await FillAsync(cluster, name);
        var keys = new Dictionary<string, PartitionKey>();
        foreach (var (name, document) in (await EngineOf(cluster, 0).DatabaseAsync(default)).Documents)
            keys[name] = new PartitionKey(document.Incarnation, 0);
        var places = names.ToDictionary(n => n, n => PlaceOf(cluster, keys[n]));
        return (names, keys, places, [.. names.GroupBy(n => places[n]).First(g => g.Count() > 1).Take(2)]);
    }

    private static async Task FillAsync(TestSilos cluster, string name)
    {
        await cluster.At(0).CreateCollectionAsync(name, Configs.Plain);
        var batch = new WriteBatch();
        for (ulong id = 1; id <= Points; id++)
            batch.Upsert(id, Configs.Vector(id));
        await (await cluster.At(0).GetCollectionAsync(name)).WriteAsync(batch, new WriteOptions { Wait = true });
    }

    /// <summary>Asks until it is stopped; any answer that is an error or a wrong one fails. Returns how often all were asked.</summary>
    private static async Task<int> AskAsync(IDatabase database, string[] names, CancellationToken stop)
    {
        for (var rounds = 0; ; rounds++)
        {
            if (stop.IsCancellationRequested)
                return rounds;
            foreach (var name in names)
                await AskOnceAsync(database, name, default);
        }
    }

    private static async Task AskOnceAsync(IDatabase database, string name, CancellationToken cancellation)
    {
        var collection = await database.GetCollectionAsync(name, cancellation);
        var hits = await collection.QueryAsync(
            new QueryRequest { Query = new NearestQuery(new DenseInput(Configs.Vector(7))), Limit = (int)Points }, cancellation);
        Assert.Equal((int)Points, hits.Count);
        Assert.Equal(new PointId(7), hits[0].Id);
    }

    private static async Task<Dictionary<string, Guid>> InstancesAsync(TestSilos cluster, Dictionary<string, PartitionKey> keys)
    {
        var instances = new Dictionary<string, Guid>();
        foreach (var (name, key) in keys)
        {
            var grain = cluster.Cluster.Client.GetGrain<IIndexerGrain>(GrainKeys.Of(key, 0));
            instances[name] = (await grain.WaitAsync(WaitTarget.Applied, 1, 1, null, default)).Unwrap().Instance;
        }

        return instances;
    }

    private static async Task<List<CollectionConfig>> ConfigsAsync(TestSilos cluster, string[] names)
    {
        var configs = new List<CollectionConfig>();
        foreach (var silo in new[] { 0, 1 })
        {
            foreach (var name in names)
                configs.Add((await cluster.At(silo).GetCollectionAsync(name)).Config);
        }

        return configs;
    }

    private static SiloAddress? PlaceOf(TestSilos cluster, PartitionKey key, int silo = 0) =>
        cluster.Silos[silo].ServiceProvider.GetRequiredService<ClusterView>().PlaceOf(key, 0);

    /// <summary>Whether a partition's replica serves on a silo and nowhere else, and its writer is there as well.</summary>
    private static async Task<bool> IsOnlyAtAsync(TestSilos cluster, PartitionKey key, SiloAddress place)
    {
        for (var i = 0; i < cluster.Silos.Count; i++)
        {
            var serves = EngineOf(cluster, i).Report().Replicas.Any(
                r => r.Key == GrainKeys.Of(key, 0) && r.State == SiloReplica.Serving);
            if (serves != cluster.Silos[i].SiloAddress.Equals(place))
                return false;
        }

        var runtime = cluster.Cluster.Client.GetGrain<IManagementGrain>(0);
        var replica = cluster.Cluster.Client.GetGrain<IIndexerGrain>(GrainKeys.Of(key, 0));
        var writer = cluster.Cluster.Client.GetGrain<ICollectionGrain>(GrainKeys.Of(key));
        return place.Equals(await runtime.GetActivationAddress(replica)) && place.Equals(await runtime.GetActivationAddress(writer));
    }

    private static SiloEngine EngineOf(TestSilos cluster, int silo) =>
        cluster.Silos[silo].ServiceProvider.GetRequiredService<SiloEngine>();
}
