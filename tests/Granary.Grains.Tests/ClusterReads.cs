using Granary.Collections;
using Granary.Grains.Tests.Support;
using Granary.Index;

namespace Granary.Grains.Tests;

public sealed class ClusterReads
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(4, 2)]
    public async Task WhatWasWaitedForIsSeenThroughEverySilo(short silos, int replicas)
    {
        await using var cluster = await TestSilos.StartAsync(silos);
        await cluster.At(0).CreateCollectionAsync("c", Configs.Plain with { Partitions = 4, Replicas = replicas });
        var collection = await cluster.At(0).GetCollectionAsync("c");
        var batch = new WriteBatch();
        for (ulong id = 1; id <= 300; id++)
            batch.Upsert(id, Configs.Vector(id));
        var written = await collection.WriteAsync(batch, new WriteOptions { Wait = true });
        Assert.Equal(UpdateStatus.Completed, written.Status);
        for (var silo = 0; silo < silos; silo++)
        {
            var there = await cluster.At(silo).GetCollectionAsync("c");
            Assert.Equal(300, await there.CountAsync(null));
            var hits = await there.QueryAsync(new QueryRequest
            {
                Query = new NearestQuery(new DenseInput(Configs.Vector(42))),
                Params = new SearchParams { Exact = true },
                Limit = 5,
            });
            Assert.Equal(new PointId(42), hits[0].Id);
            Assert.Equal(5, hits.Count);
        }
    }
}
