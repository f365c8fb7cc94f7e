using Granary.Collections;
using Granary.Collections.Catalog;
using Granary.Grains.Hosting;
using Granary.Grains.Tests.Support;
using Granary.Index;
using Granary.Index.Operations;
using Microsoft.Extensions.DependencyInjection;

namespace Granary.Grains.Tests;

public sealed class CatalogChanges
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task OthersDoNotWaitBehindAnIndexThatIsBeingBuilt()
    {
        await using var cluster = await TestSilos.StartAsync(2);
        await cluster.At(0).CreateCollectionAsync("c", Configs.Plain with { Partitions = 2 });
        var collection = await cluster.At(0).GetCollectionAsync("c");
        await collection.WriteAsync(new WriteBatch().Upsert(1, Configs.Vector(1)), new WriteOptions { Wait = true });

        // Nothing is applied by any replica until the gate opens: the index cannot be built.
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        cluster.Hold(gate.Task);
        var building = collection.CreatePayloadIndexAsync(
            new PayloadIndexSchema("city", PayloadIndexType.Keyword), new WriteOptions { Wait = true }).AsTask();
        var there = await cluster.At(1).GetCollectionAsync("c");
        using var late = new CancellationTokenSource(Limit);
        while (!there.Config.Schema.PayloadIndexes.Any(i => i.Path == "city"))
            await there.RefreshAsync(late.Token);

        await cluster.At(1).CreateCollectionAsync("other", Configs.Plain).AsTask().WaitAsync(Limit);
        await cluster.At(1).UpdateAliasesAsync([new CreateAlias("other", "alias")]).AsTask().WaitAsync(Limit);
        Assert.False(building.IsCompleted);

        // Waiting ends as the caller asks.
        var limited = await there.CreatePayloadIndexAsync(
            new PayloadIndexSchema("town", PayloadIndexType.Keyword),
            new WriteOptions { Wait = true, Timeout = TimeSpan.FromMilliseconds(50) }).AsTask().WaitAsync(Limit);
        Assert.Equal(UpdateStatus.WaitTimeout, limited.Status);
        using var stop = new CancellationTokenSource();
        var cancelled = there.DeletePayloadIndexAsync("town", new WriteOptions { Wait = true }, stop.Token).AsTask();
        await cluster.At(1).UpdateAliasesAsync([new DeleteAlias("alias")]).AsTask().WaitAsync(Limit);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled.WaitAsync(Limit));

        gate.SetResult();
        Assert.Equal(UpdateStatus.Completed, (await building.WaitAsync(Limit)).Status);
        Assert.Contains("city", (await there.GetInfoAsync()).PayloadIndexPoints.Keys);

        // Nobody waited for the removal, and it is made.
        while (there.Config.Schema.PayloadIndexes.Any(i => i.Path == "town"))
            await there.RefreshAsync(late.Token);
    }

    [Fact]
    public async Task ASiloThatMissedTheNewsLooksAtTheCatalogBeforeItRefusesAWrite()
    {
        await using var cluster = await TestSilos.StartAsync(2, new DatabaseOptions { Time = new InattentiveTime() });
        await cluster.At(0).CreateCollectionAsync("c", Configs.Plain with { Partitions = 2 });
        await cluster.Cluster.Client.GetGrain<Interfaces.ICatalogGrain>(0).WakeAsync();
        var stale = await cluster.At(1).GetCollectionAsync("c");

        // Somebody puts a field into the catalog and into the logs, and tells nobody.
        var elsewhere = await cluster.Silos[0].ServiceProvider.GetRequiredService<SiloEngine>().DatabaseAsync(default);
        await elsewhere.UpdateCollectionAsync("c", WithMore);
        Assert.DoesNotContain(stale.Config.Schema.Dense, d => d.Name == "more");

        Assert.Equal(UpdateStatus.Completed, (await stale.WriteAsync(More("more"), new WriteOptions { Wait = true })).Status);
        Assert.Contains(stale.Config.Schema.Dense, d => d.Name == "more");
        Assert.Empty((await stale.GetInfoAsync()).Failures);
        var refused = await Assert.ThrowsAsync<GranaryException>(() => stale.WriteAsync(More("less"), new WriteOptions()).AsTask());
        Assert.Equal(ErrorKind.BadInput, refused.Kind);
        Assert.Contains("less", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task SettingsAreChangedWhileAFieldIsBuiltAndTheFieldIsKnownWhenItIs(int asked)
    {
        await using var cluster = await TestSilos.StartAsync(2, new DatabaseOptions { Time = new InattentiveTime() });
        await cluster.At(0).CreateCollectionAsync("c", Configs.Plain with { Partitions = 2 });
        var collections = new[] { await cluster.At(0).GetCollectionAsync("c"), await cluster.At(1).GetCollectionAsync("c") };
        await collections[0].WriteAsync(new WriteBatch().Upsert(1, Configs.Vector(1)), new WriteOptions { Wait = true });

        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        cluster.Hold(gate.Task);
        var building = cluster.At(asked).UpdateCollectionAsync("c", WithMore).AsTask();
        var engine = cluster.Silos[asked].ServiceProvider.GetRequiredService<SiloEngine>();
        using var late = new CancellationTokenSource(Limit);
        while (!(await engine.DatabaseAsync(late.Token)).Documents.Single().Document.Config.Schema.Dense.Any(d => d.Name == "more"))
            await engine.RefreshAsync(late.Token);

        // Both silos have looked, and gave up waiting for the field, by the time that these are made.
        for (var silo = 0; silo < 2; silo++)
            await cluster.At(silo).UpdateCollectionAsync("c", Patient).AsTask().WaitAsync(Limit);
        Assert.False(building.IsCompleted);

        gate.SetResult();
        await building.WaitAsync(Limit);
        Assert.All(collections, c => Assert.Contains(c.Config.Schema.Dense, d => d.Name == "more"));
        Assert.All(collections, c => Assert.Equal(
            Configs.Plain.Ingestion.AdmissionTimeout + TimeSpan.FromSeconds(2), c.Config.Ingestion.AdmissionTimeout));
    }

    [Fact]
    public async Task ARefusedChangeOfSettingsLeavesTheCatalogAlone()
    {
        await using var cluster = await TestSilos.StartAsync(1);
        await cluster.At(0).CreateCollectionAsync("c", Configs.Plain);
        var before = await cluster.Storage.Catalog.GetAsync("collection/c", default);
        var config = new Interfaces.Bytes(CatalogJson.Write(Patient(Configs.Plain)));
        var reply = await cluster.Cluster.Client.GetGrain<Interfaces.ICatalogGrain>(0).UpdateAsync("c", config, config);
        Assert.Null(reply.Unwrap());
        Assert.Equal(before!.Version, (await cluster.Storage.Catalog.GetAsync("collection/c", default))!.Version);
    }

    [Fact]
    public async Task ARefusalLooksAtItsOwnCollectionOnly()
    {
        await using var cluster = await TestSilos.StartAsync(2, new DatabaseOptions { Time = new InattentiveTime() });
        await cluster.At(0).CreateCollectionAsync("c", Configs.Plain);
        await cluster.At(0).CreateCollectionAsync("quiet", Configs.Plain);
        await cluster.Cluster.Client.GetGrain<Interfaces.ICatalogGrain>(0).WakeAsync();
        var stale = await cluster.At(1).GetCollectionAsync("c");
        var quiet = await cluster.At(1).GetCollectionAsync("quiet");
        var elsewhere = await cluster.Silos[0].ServiceProvider.GetRequiredService<SiloEngine>().DatabaseAsync(default);
        await elsewhere.UpdateCollectionAsync("c", WithMore);

        await Assert.ThrowsAsync<GranaryException>(() => quiet.WriteAsync(More("less"), new WriteOptions()).AsTask());
        Assert.DoesNotContain(stale.Config.Schema.Dense, d => d.Name == "more");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ARefusalDoesNotNeedTheCatalog(bool fails)
    {
        await using var cluster = await TestSilos.StartAsync(1, new DatabaseOptions { Time = new InattentiveTime() });
        await cluster.At(0).CreateCollectionAsync("c", Configs.Plain);
        var collection = await cluster.At(0).GetCollectionAsync("c");
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        cluster.HoldCatalog(fails ? Task.FromException(new GranaryException(ErrorKind.Unavailable, "away")) : gate.Task);
        try
        {
            var refused = await Assert.ThrowsAsync<GranaryException>(
                () => collection.WriteAsync(More("less"), new WriteOptions()).AsTask().WaitAsync(Limit));
            Assert.Equal(ErrorKind.BadInput, refused.Kind);
            Assert.Contains("less", refused.Message, StringComparison.Ordinal);
        }
        finally
        {
            gate.SetResult();
            cluster.HoldCatalog(Task.CompletedTask);
        }
    }

    private static CollectionConfig WithMore(CollectionConfig config) => config with
    {
        Schema = config.Schema with { Dense = [.. config.Schema.Dense, new DenseVectorSchema("more", 4, Distance.Dot)] },
    };

    private static CollectionConfig Patient(CollectionConfig config) => config with
    {
        Ingestion = config.Ingestion with { AdmissionTimeout = config.Ingestion.AdmissionTimeout + TimeSpan.FromSeconds(1) },
    };

    private static WriteBatch More(string vector)
    {
        var batch = new WriteBatch();
        for (ulong id = 0; id < 40; id++)
        {
            batch.Operations.Begin(OperationKind.Upsert, new PointId(id));
            batch.Operations.Dense(vector, [1, 2, 3, id]);
            batch.Operations.End();
        }

        return batch;
    }
}
