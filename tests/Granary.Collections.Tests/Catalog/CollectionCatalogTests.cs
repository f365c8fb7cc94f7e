using Granary.Collections.Catalog;
using Granary.Index;
using Granary.Storage.Memory;

namespace Granary.Collections.Tests.Catalog;

public sealed class CollectionCatalogTests : IAsyncDisposable
{
    private readonly MemoryStorage _storage = new();

    [Fact]
    public async Task WhatWasRecordedIsThereAfterARestart()
    {
        using var catalog = await OpenAsync();
        var config = new CollectionConfig
        {
            Schema = new IndexSchema
            {
                Dense = [new DenseVectorSchema("v", 4, Distance.Euclid) { Hnsw = new HnswSettings { M = 8 } }],
                Sparse = [new SparseVectorSchema("s", true)],
                Text = [new TextFieldSchema("t", "body") { K1 = 0.9f, Analyzer = new AnalyzerSettings { StopWords = ["the"] } }],
                PayloadIndexes = [new PayloadIndexSchema("city", PayloadIndexType.Keyword) { Parameters = "{\"type\":\"keyword\"}" }],
            },
            Partitions = 3,
            Ingestion = new IngestionSettings { Mode = IndexingMode.Synchronous, BatchDelay = TimeSpan.FromMilliseconds(7) },
            Embeddings = [new EmbeddingRule("v", "body", "m")],
            Declared = System.Collections.Immutable.ImmutableDictionary<string, string>.Empty.Add("vectors", "{}"),
        };
        var document = Document(config);
        await catalog.CreateAsync("c", document, default);
        using var again = await OpenAsync();
        var read = again.Find("c")!;
        Assert.Equal(CatalogJson.Write(document), CatalogJson.Write(read));
        Assert.Equal(TimeSpan.FromMilliseconds(7), read.Config.Ingestion.BatchDelay);
        Assert.Equal("the", Assert.Single(read.Config.Schema.Text[0].Analyzer.StopWords!.Value));
        Assert.Equal(3, new PlacementTable(read.Placement).Partitions);
    }

    [Fact]
    public async Task ANameIsTakenOnce()
    {
        using var catalog = await OpenAsync();
        await catalog.CreateAsync("c", Document(), default);
        await catalog.UpdateAliasesAsync([new CreateAlias("c", "a")], default);
        var taken = await Assert.ThrowsAsync<GranaryException>(() => catalog.CreateAsync("c", Document(), default).AsTask());
        Assert.Equal((ErrorKind.Conflict, "Collection `c` already exists!"), (taken.Kind, taken.Message));
        var alias = await Assert.ThrowsAsync<GranaryException>(() => catalog.CreateAsync("a", Document(), default).AsTask());
        Assert.Equal("Can't create collection with name a. Alias with the same name already exists", alias.Message);
        var collection = await Assert.ThrowsAsync<GranaryException>(
            () => catalog.UpdateAliasesAsync([new CreateAlias("c", "c")], default).AsTask());
        Assert.Equal("Collection `c` already exists!", collection.Message);
    }

    [Fact]
    public async Task ASizeClassIsRecordedBesideSettingsThatStayTheSameObject()
    {
        using var catalog = await OpenAsync();
        var document = Document();
        await catalog.CreateAsync("c", document, default);
        using var other = await OpenAsync();
        var config = other.Find("c")!.Config;
        Assert.True(await catalog.ClassifyAsync("c", document.Incarnation, 4, default));
        Assert.Same(document.Config, catalog.Find("c")!.Config);
        Assert.True(await other.LoadAsync(default));
        Assert.Equal(4, other.Find("c")!.SizeClass);
        Assert.Same(config, other.Find("c")!.Config);

        // A change of settings keeps the class, and others follow it.
        await catalog.UpdateAsync("c", c => c with { Replicas = 2 }, default);
        Assert.True(await other.LoadAsync(default));
        Assert.Equal((4, 2), (other.Find("c")!.SizeClass, other.Find("c")!.Config.Replicas));

        Assert.False(await catalog.ClassifyAsync("c", Guid.NewGuid(), 5, default));
        Assert.False(await catalog.ClassifyAsync("gone", document.Incarnation, 5, default));
        Assert.True(await catalog.ClassifyAsync("c", document.Incarnation, 0, default));
        var stale = await Assert.ThrowsAsync<GranaryException>(
            () => other.ClassifyAsync("c", document.Incarnation, 5, default).AsTask());
        Assert.Equal(ErrorKind.Unavailable, stale.Kind);
    }

    [Fact]
    public async Task AliasesChangeAllOrNone()
    {
        using var catalog = await OpenAsync();
        await catalog.CreateAsync("c", Document(), default);
        await catalog.CreateAsync("d", Document(), default);
        await catalog.UpdateAliasesAsync([new CreateAlias("c", "a"), new RenameAlias("a", "b"), new CreateAlias("d", "e")], default);
        Assert.Equal([new AliasInfo("b", "c"), new AliasInfo("e", "d")], catalog.Aliases);
        var missing = await Assert.ThrowsAsync<GranaryException>(
            () => catalog.UpdateAliasesAsync([new DeleteAlias("b"), new RenameAlias("nothing", "f")], default).AsTask());
        Assert.Equal("Alias nothing does not exists!", missing.Message);
        Assert.Equal("c", catalog.Resolve("b"));
        await catalog.UpdateAliasesAsync([new CreateAlias("d", "b"), new DeleteAlias("e")], default);
        using var again = await OpenAsync();
        Assert.Equal([new AliasInfo("b", "d")], again.Aliases);
    }

    [Fact]
    public async Task DeletingACollectionDeletesItsAliases()
    {
        using var catalog = await OpenAsync();
        await catalog.CreateAsync("c", Document(), default);
        await catalog.UpdateAliasesAsync([new CreateAlias("c", "a")], default);
        Assert.NotNull(await catalog.DeleteAsync("c", default));
        Assert.Null(await catalog.DeleteAsync("c", default));
        using var again = await OpenAsync();
        Assert.Empty(again.Names);
        Assert.Empty(again.Aliases);
    }

    [Fact]
    public async Task TwoProcessesDoNotOverwriteEachOther()
    {
        using var one = await OpenAsync();
        await one.CreateAsync("c", Document(), default);
        using var other = await OpenAsync();
        await one.UpdateAsync("c", c => c with { Replicas = 2 }, default);
        var stale = await Assert.ThrowsAsync<GranaryException>(
            () => other.UpdateAsync("c", c => c with { Replicas = 3 }, default).AsTask());
        Assert.Equal(ErrorKind.Unavailable, stale.Kind);
    }

    [Fact]
    public void ADocumentOfANewerVersionIsRefused()
    {
        var json = CatalogJson.Write(Document() with { Format = 99 });
        var error = Assert.Throws<GranaryException>(() => CatalogJson.ReadCollection("collection/c", json));
        Assert.Contains("format 99", error.Message);
    }

    [Theory]
    [InlineData("", "must be from 1 to 255 characters")]
    [InlineData("a/b", "collection name cannot contain \"/\" char")]
    [InlineData("a\\b", "collection name cannot contain \"\\\" char")]
    [InlineData("a\"b", "collection name cannot contain \"\"\" char")]
    [InlineData("a\nb", "collection name cannot contain")]
    public void NamesThatNoPathMayHaveAreRefused(string name, string message)
    {
        var error = Assert.Throws<GranaryException>(() => CollectionName.Validate(name));
        Assert.Equal(ErrorKind.Validation, error.Kind);
        Assert.Contains(message, error.Message);
    }

    [Fact]
    public void TooLongANameIsRefused()
    {
        CollectionName.Validate(new string('a', 255));
        Assert.Throws<GranaryException>(() => CollectionName.Validate(new string('a', 256)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(1024)]
    public void SlotsAreDividedEvenly(int partitions)
    {
        var table = PlacementTable.Even(partitions);
        Assert.Equal(partitions, table.Partitions);
        var sizes = table.Ranges.Select(r => r.Last - r.First + 1).ToList();
        Assert.Equal(PointId.PlacementSlots, sizes.Sum());
        Assert.True(sizes.Max() - sizes.Min() <= 1);
    }

    public ValueTask DisposeAsync() => _storage.DisposeAsync();

    private async Task<CollectionCatalog> OpenAsync()
    {
        var catalog = new CollectionCatalog(_storage.Catalog);
        await catalog.LoadAsync(default);
        return catalog;
    }

    private static CollectionDocument Document(CollectionConfig? config = null)
    {
        config ??= new CollectionConfig();
        return new CollectionDocument(1, Guid.NewGuid(), config, config.Schema, PlacementTable.Even(config.Partitions).Ranges);
    }
}
