using System.Text;
using System.Text.Json.Nodes;
using Granary.Client;
using Granary.Collections;
using Granary.Index;

namespace Granary.Standalone.Tests.Client;

/// <summary>What every client does, whatever it talks to.</summary>
public abstract class ClientBehaviour : IAsyncLifetime
{
    private const string Name = "things";

    private static readonly CollectionConfig Config = new()
    {
        Schema = new IndexSchema
        {
            Dense = [new DenseVectorSchema("dense", 3, Distance.Cosine)],
            Text = [new TextFieldSchema("text", "text")],
            PayloadIndexes = [new PayloadIndexSchema("kind", PayloadIndexType.Keyword)],
        },
        Partitions = 2,
    };

    protected IGranaryClient Client { get; private set; } = null!;

    public async Task InitializeAsync() => Client = await OpenAsync();

    public virtual async Task DisposeAsync() => await Client.DisposeAsync();

    protected abstract Task<IGranaryClient> OpenAsync();

    [Fact]
    public async Task Collections_are_created_listed_described_and_deleted()
    {
        Assert.False(await Client.CollectionExistsAsync(Name));
        await Client.CreateCollectionAsync(Name, Config);
        Assert.True(await Client.CollectionExistsAsync(Name));
        Assert.Equal([Name], await Client.ListCollectionsAsync());
        var config = await Client.GetCollectionAsync(Name);
        Assert.Equal(("dense", 3, Distance.Cosine),
            (config.Schema.Dense[0].Name, config.Schema.Dense[0].Size, config.Schema.Dense[0].Distance));
        Assert.Equal("text", config.Schema.Text[0].Path);
        Assert.Equal(PayloadIndexType.Keyword, config.Schema.FindPayloadIndex("kind")!.Type);
        Assert.Equal(2, config.Partitions);
        Assert.True(await Client.DeleteCollectionAsync(Name));
        Assert.False(await Client.DeleteCollectionAsync(Name));
        Assert.Empty(await Client.ListCollectionsAsync());
    }

    [Fact]
    public async Task Every_setting_of_a_collection_is_read_back_as_it_was_given()
    {
        var given = EverySetting.Config;
        await Client.CreateCollectionAsync(Name, given);
        var config = await Client.GetCollectionAsync(Name);
        Assert.Equal(Encoding.UTF8.GetString(SchemaJson.Write(given.Schema)), Encoding.UTF8.GetString(SchemaJson.Write(config.Schema)));
        Assert.Equal((given.Partitions, given.Replicas, given.Ingestion), (config.Partitions, config.Replicas, config.Ingestion));
        Assert.Equal(given.Embeddings.AsEnumerable(), config.Embeddings.AsEnumerable());
        Assert.Equal(["metadata", "sparse_vectors", "strict_mode_config", "vectors"], config.Declared.Keys.Order());
        foreach (var (key, json) in given.Declared)
            Assert.True(JsonNode.DeepEquals(JsonNode.Parse(json), JsonNode.Parse(config.Declared[key])), key);
    }

    [Fact]
    public async Task What_was_written_is_found_by_id_by_page_and_by_count()
    {
        await FillAsync();
        var uuid = new PointId(Guid.Parse("6f1c1b0e-5a0e-4b6f-9d0a-7b1d6e0f4c11"));
        var points = await Client.RetrieveAsync(Name, [uuid, new PointId(2), new PointId(99)], withVectors: true);
        Assert.Equal([uuid, new PointId(2)], points.Select(static p => p.Id));
        Assert.Equal("fruit", points[1].Payload!.Text("kind"));
        Assert.Equal([0f, 1f, 0f], points[1].Vector("dense")!);

        var page = await Client.ScrollAsync(Name, new ScrollRequest { Limit = 3 });
        Assert.Equal([1, 2, 3], page.Points.Select(static p => (long)p.Id.Number));
        var rest = await Client.ScrollAsync(Name, new ScrollRequest { Limit = 3, Offset = page.Next });
        Assert.Equal(uuid, Assert.Single(rest.Points).Id);
        Assert.Null(rest.Next);

        Assert.Equal(4, await Client.CountAsync(Name));
        Assert.Equal(2, await Client.CountAsync(Name, new FilterBuilder().Must(Field.Is("kind", "fruit")).Build()));
        Assert.Equal(1, await Client.CountAsync(Name, new FilterBuilder().Must(Field.InRange("weight", gt: 1, lte: 2)).Build()));
        Assert.Equal(1, await Client.CountAsync(Name, new FilterBuilder().MustNot(Field.IsAny("kind", "fruit", "tool")).Build()));
    }

    [Fact]
    public async Task Queries_rank_by_vector_by_text_and_by_both()
    {
        await FillAsync();
        var near = await Client.QueryAsync(Name, new QueryRequest
        {
            Query = new NearestQuery(new DenseInput(new float[] { 0, 0.9f, 0.1f })),
            Using = "dense",
            Limit = 2,
            WithPayload = PayloadSelector.All,
        });
        Assert.Equal([2, 3], near.Select(static h => (long)h.Id.Number));
        Assert.Equal("green pear", near[0].Payload!.Text("text"));

        var text = await Client.QueryAsync(Name, new QueryRequest { Query = new NearestQuery(new TextInput("hammers")), Using = "text" });
        Assert.Equal(new PointId(3), Assert.Single(text).Id);

        var both = await Client.HybridAsync(Name, new HybridQuery("red")
        {
            Vector = new float[] { 0, 1, 0 },
            VectorName = "dense",
            Explain = true,
            Limit = 4,
        });
        var apple = both.Single(static h => h.Id == new PointId(1));
        Assert.Equal(0, apple.Legs[1].Rank);
        Assert.NotNull(apple.Legs[0].Rank);
        var pear = both.Single(static h => h.Id == new PointId(2));
        Assert.Equal(0, pear.Legs[0].Rank);
        Assert.Null(pear.Legs[1].Rank);

        var filtered = await Client.HybridAsync(Name, new HybridQuery("red hammer")
        {
            Vector = new float[] { 0, 1, 0 },
            VectorName = "dense",
            Filter = new FilterBuilder().Must(Field.Is("kind", "tool")).Build(),
            Fusion = HybridFusion.WeightedSum,
        });
        Assert.Equal(new PointId(3), Assert.Single(filtered).Id);
    }

    [Fact]
    public async Task Deletes_by_id_and_by_filter_are_seen_by_the_next_read()
    {
        await FillAsync();
        await Client.DeleteAsync(Name, [new PointId(3), new PointId(77)], wait: true);
        Assert.Equal(3, await Client.CountAsync(Name));
        await Client.DeleteAsync(Name, new FilterBuilder().Must(Field.Is("kind", "fruit")).Build(), wait: true);
        Assert.Equal(1, await Client.CountAsync(Name));
        Assert.True(await Client.WaitAsync(Name));
        var stats = await Client.StatsAsync(Name);
        Assert.Equal((CollectionColor.Green, 1L, 0L, 2), (stats.Color, stats.Points, stats.QueueLength, stats.Partitions));
    }

    [Fact]
    public async Task The_embedder_tells_its_name_and_size_and_an_unknown_one_is_refused()
    {
        Assert.Equal(new EmbedderInfo("builtin", 100), await Client.GetEmbedderAsync());
        Assert.Equal(new EmbedderInfo("builtin", 100), await Client.GetEmbedderAsync("builtin"));
        var error = await Assert.ThrowsAsync<GranaryException>(() => Client.GetEmbedderAsync("a b"));
        Assert.Equal((ErrorKind.BadInput, "Unknown embedding model 'a b' (known are builtin)"), (error.Kind, error.Message));
    }

    [Fact]
    public async Task Mistakes_have_the_same_kind_and_text_everywhere()
    {
        await FillAsync();
        await FailsAsync(ErrorKind.Conflict, "Collection `things` already exists!", () => Client.CreateCollectionAsync(Name, Config));
        await FailsAsync(ErrorKind.NotFound, "Collection `nothing` doesn't exist!", () => Client.CountAsync("nothing"));
        await FailsAsync(ErrorKind.BadInput, "Vector dimension error: expected dim: 3, got 2", () => Client.UpsertAsync(Name, [
            new Point(new PointId(8))
            {
                Vectors = [new NamedVector("dense", [1, 2, 3])],
            }, new Point(new PointId(9)) { Vectors = [new NamedVector("dense", [1, 2])] }]));
        await FailsAsync(ErrorKind.BadInput, "Not existing vector name error: other", () =>
            Client.UpsertAsync(Name, [new Point(new PointId(9)) { Vectors = [new NamedVector("other", [1, 2, 3])] }]));
        Assert.Equal(4, await Client.CountAsync(Name));
        await FailsAsync(ErrorKind.BadInput, "is not finite", () =>
            Client.UpsertAsync(Name, [new Point(new PointId(9)) { Vectors = [new NamedVector("dense", [1, float.NaN, 3])] }]));
    }

    private static async Task FailsAsync(ErrorKind kind, string text, Func<Task> call)
    {
        var error = await Assert.ThrowsAsync<GranaryException>(call);
        Assert.Contains(text, error.Message, StringComparison.Ordinal);
        Assert.Equal(kind, error.Kind);
    }

    private static Point Thing(PointId id, float[] vector, string text, string? kind, double weight)
    {
        var payload = new JsonObject { ["text"] = text, ["weight"] = weight };
        if (kind is not null)
            payload["kind"] = kind;
        return new Point(id) { Vectors = [new NamedVector("dense", vector)], Payload = Payload.Of(payload) };
    }

    private async Task FillAsync()
    {
        await Client.CreateCollectionAsync(Name, Config);
        var result = await Client.UpsertAsync(Name,
        [
            Thing(new PointId(1), [1, 0, 0], "red apple", "fruit", 0.5),
            Thing(new PointId(2), [0, 1, 0], "green pear", "fruit", 1),
            Thing(new PointId(3), [0, 0, 1], "heavy hammer", "tool", 2),
            Thing(new PointId(Guid.Parse("6f1c1b0e-5a0e-4b6f-9d0a-7b1d6e0f4c11")), [-1, 0, 0], "something else", null, 9),
        ], wait: true);
        Assert.Equal(UpdateStatus.Completed, result.Status);
    }
}
