using Granary.Collections.Tests.Support;
using Granary.Index;
using Granary.Storage.Memory;

namespace Granary.Collections.Tests.Rules;

public sealed class CatalogSurvives
{
    [Fact]
    public async Task WhatACrashLeftBetweenStorageAndCatalogIsDropped()
    {
        await using var fixture = await Fixture.CreateAsync();
        await fixture.Collection.WriteAsync(new WriteBatch().Upsert(1, new float[8]), Batches.Wait);
        // As when the process died after the storage was made and before the catalog knew, or the other way round on deleting.
        await using (var orphan =
            await fixture.Storage.OpenLogAsync(new Granary.Collections.Ports.PartitionKey(Guid.NewGuid(), 0), default))
            Assert.Equal(2, (await fixture.Storage.ListIncarnationsAsync(default)).Count);
        await fixture.KillAndRestartAsync();
        Assert.Single(await fixture.Storage.ListIncarnationsAsync(default));
        Assert.Equal(1, await fixture.Collection.CountAsync(null));
    }

    [Fact]
    public async Task ACollectionMadeAgainUnderItsNameIsEmpty()
    {
        await using var fixture = await Fixture.CreateAsync();
        await fixture.Collection.WriteAsync(new WriteBatch().Upsert(1, new float[8]), Batches.Wait);
        await fixture.Database.UpdateAliasesAsync([new CreateAlias("c", "a")]);
        Assert.True(await fixture.Database.DeleteCollectionAsync("c"));
        Assert.False(await fixture.Database.DeleteCollectionAsync("c"));
        Assert.False(await fixture.Database.CollectionExistsAsync("a"));
        Assert.Equal(ErrorKind.NotFound,
            (await Assert.ThrowsAsync<GranaryException>(() => fixture.Database.GetCollectionAsync("c").AsTask())).Kind);
        await fixture.Database.CreateCollectionAsync("c", Fixture.Plain);
        Assert.Equal(0, await (await fixture.Database.GetCollectionAsync("c")).CountAsync(null));
        Assert.Single(await fixture.Storage.ListIncarnationsAsync(default));
    }

    [Fact]
    public async Task AnAliasLeadsToItsCollectionAndMayBeSwitched()
    {
        await using var fixture = await Fixture.CreateAsync();
        await fixture.Database.CreateCollectionAsync("d", Fixture.Plain);
        await fixture.Database.UpdateAliasesAsync([new CreateAlias("c", "a")]);
        Assert.Equal("c", (await fixture.Database.GetCollectionAsync("a")).Name);
        await fixture.Database.UpdateAliasesAsync([new DeleteAlias("a"), new CreateAlias("d", "a")]);
        await fixture.KillAndRestartAsync();
        Assert.Equal("d", (await fixture.Database.GetCollectionAsync("a")).Name);
        Assert.Equal([new AliasInfo("a", "d")], await fixture.Database.ListAliasesAsync("d"));
    }

    [Fact]
    public async Task SchemaChangesAreThereAfterAKill()
    {
        await using var fixture = await Fixture.CreateAsync(Fixture.Plain with { Partitions = 2 });
        for (ulong id = 0; id < 20; id++)
            await fixture.Collection.WriteAsync(new WriteBatch().Upsert(id, new float[8], $$"""{"n":{{id % 4}}}"""), Batches.NoWait);
        var created = await fixture.Collection.CreatePayloadIndexAsync(new PayloadIndexSchema("n", PayloadIndexType.Integer), Batches.Wait);
        Assert.Equal(UpdateStatus.Completed, created.Status);
        await fixture.Database.UpdateCollectionAsync(
            "c", c => c with { Schema = c.Schema with { Dense = c.Schema.Dense.Add(new DenseVectorSchema("extra", 2, Distance.Dot)) } });
        await fixture.Collection.WriteAsync(new WriteBatch().Upsert(50, [1, 2], """{"n":1}""", "extra"), Batches.Wait);
        for (var restart = 0; restart < 2; restart++)
        {
            var info = await fixture.Collection.GetInfoAsync();
            Assert.Equal(21, info.PayloadIndexPoints["n"]);
            Assert.NotNull(info.Config.Schema.FindDense("extra"));
            var hits = await fixture.Collection.QueryAsync(new QueryRequest
            {
                Query = new NearestQuery(new DenseInput(new float[] { 1, 0 })),
                Using = "extra",
            });
            Assert.Equal(50UL, Assert.Single(hits).Id.Number);
            await fixture.KillAndRestartAsync();
            await fixture.Collection.CountAsync(null);
        }

        await fixture.Collection.DeletePayloadIndexAsync("n", Batches.Wait);
        Assert.Empty((await fixture.Collection.GetInfoAsync()).PayloadIndexPoints);
    }

    [Fact]
    public async Task AnIndexTheCatalogKnowsAndTheLogDoesNotIsMadeAtTheNextStart()
    {
        await using var fixture = await Fixture.CreateAsync();
        await fixture.Collection.WriteAsync(new WriteBatch().Upsert(1, new float[8], """{"n":1}"""), Batches.Wait);
        fixture.Storage.Faults.FailAppends(AppendFault.BeforeEffect);
        await Assert.ThrowsAsync<GranaryException>(
            () => fixture.Collection.CreatePayloadIndexAsync(new PayloadIndexSchema("n", PayloadIndexType.Integer), Batches.Wait).AsTask());
        await fixture.KillAndRestartAsync();
        // Any later change of the schema waits for the reconciliation.
        await fixture.Collection.CreatePayloadIndexAsync(new PayloadIndexSchema("m", PayloadIndexType.Integer), Batches.Wait);
        Assert.Equal(["m", "n"], (await fixture.Collection.GetInfoAsync()).PayloadIndexPoints.Keys.Order());
    }

    [Fact]
    public async Task SettingsThatAreFixedCannotBeChanged()
    {
        await using var fixture = await Fixture.CreateAsync();
        await Assert.ThrowsAsync<GranaryException>(
            () => fixture.Database.UpdateCollectionAsync("c", c => c with { Partitions = 2 }).AsTask());
        await Assert.ThrowsAsync<GranaryException>(
            () => fixture.Database.CreateCollectionAsync("bad", Fixture.Plain with { Partitions = 0 }).AsTask());
        var size = new CollectionConfig { Schema = new IndexSchema { Dense = [new DenseVectorSchema("", 70_000, Distance.Dot)] } };
        Assert.Contains("70000", (await Assert.ThrowsAsync<GranaryException>(
            () => fixture.Database.CreateCollectionAsync("bad", size).AsTask())).Message);
    }
}
