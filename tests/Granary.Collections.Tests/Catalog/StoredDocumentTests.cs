using System.Text;
using System.Text.Json.Nodes;
using Granary.Collections.Catalog;
using Granary.Index;

namespace Granary.Collections.Tests.Catalog;

public sealed class StoredDocumentTests
{
    private const string Analyzer = """
        {"tokenizer":"word","language":"english","lowercase":true,"ascii_folding":true,"stem":true,"stemmer_language":null,
         "stop_words":null,"min_token_length":null,"max_token_length":null,"version":1}
        """;

    private const string Hnsw = """{"m":16,"ef_construct":200,"ef":0,"full_scan_threshold":2000}""";

    private const string Ingestion = """
        {"mode":"Asynchronous","queue_capacity":10000,"batch_size":100,"batch_delay":"00:00:00.0500000","admission_timeout":"00:00:10",
         "link_parallelism":0,"checkpoint_operations":200000,"checkpoint_log_bytes":268435456}
        """;

    private const string Schema = """{"dense":[],"sparse":[],"text":[],"payload_indexes":[]}""";

    // What the documentation says each property is when nothing is said; what is not listed is required.
    private static readonly Dictionary<string, string> Documented = new()
    {
        ["config"] = $$"""{"schema":{{Schema}},"partitions":1,"replicas":1,"ingestion":{{Ingestion}},"embeddings":[],"declared":{} }""",
        ["embeddings"] = """{"model":null}""",
        ["ingestion"] = Ingestion,
        ["schema"] = Schema,
        ["initial_schema"] = Schema,
        ["dense"] = $$"""{"hnsw":{{Hnsw}},"storage":"Float32WithCodes","on_disk":false,"multi_vector":false}""",
        ["hnsw"] = Hnsw,
        ["text"] = $$"""{"k1":1.2,"b":0.75,"analyzer":{{Analyzer}} }""",
        ["analyzer"] = Analyzer,
        ["payload_indexes"] = """{"analyzer":null,"phrase":false,"lookup":true,"range":true,"parameters":null}""",
    };

    private static readonly AnalyzerSettings OtherAnalyzer = new()
    {
        Tokenizer = "whitespace",
        Language = "french",
        Lowercase = false,
        AsciiFolding = false,
        Stem = false,
        StemmerLanguage = "german",
        StopWords = ["le"],
        MinTokenLength = 2,
        MaxTokenLength = 9,
        Version = 2,
    };

    private static readonly IndexSchema Everything = new()
    {
        Dense =
        [
            new DenseVectorSchema("v", 8, Distance.Dot)
            {
                Hnsw = new HnswSettings
                {
                    M = 5,
                    EfConstruct = 6,
                    Ef = 7,
                    FullScanThreshold = 8,
                }, Storage = VectorStorage.Float32, OnDisk = true, MultiVector = true,
            },
        ],
        Sparse = [new SparseVectorSchema("s", true)],
        Text = [new TextFieldSchema("t", "p") { K1 = 2, B = 0.5f, Analyzer = OtherAnalyzer }],
        PayloadIndexes =
        [
            new PayloadIndexSchema("i", PayloadIndexType.Text)
            {
                Analyzer = OtherAnalyzer,
                Phrase = true,
                Lookup = false,
                Range = false,
                Parameters = "{}",
            },
        ],
    };

    private static readonly CollectionDocument Document = new(
        CollectionDocument.CurrentFormat,
        Guid.NewGuid(),
        new CollectionConfig
        {
            Schema = Everything,
            Partitions = 3,
            Replicas = 2,
            Ingestion = new IngestionSettings
            {
                Mode = IndexingMode.Synchronous,
                QueueCapacity = 1,
                BatchSize = 2,
                BatchDelay = TimeSpan.FromSeconds(3),
                AdmissionTimeout = TimeSpan.FromSeconds(4),
                LinkParallelism = 5,
                CheckpointOperations = 6,
                CheckpointLogBytes = 7,
            },
            Embeddings = [new EmbeddingRule("v", "p", "m")],
            Declared = Fixture(),
        },
        Everything,
        PlacementTable.Even(3).Ranges);

    [Fact]
    public void AMissingPropertyIsWhatItsDocumentationSaysAndAMissingParameterIsDamage()
    {
        var full = JsonNode.Parse(CatalogJson.Write(Document))!;
        var optional = 0;
        foreach (var (path, shape) in Properties(full, ""))
        {
            var name = path[(path.LastIndexOf('/') + 1)..];
            var given = full.DeepClone();
            var parent = (JsonObject)At(given, path[..path.LastIndexOf('/')])!;
            parent.Remove(name);
            var documented = Documented.TryGetValue(shape, out var all) ? (JsonObject)JsonNode.Parse(all)! : null;
            if (documented is null || !documented.ContainsKey(name))
            {
                Assert.Equal(ErrorKind.Corrupted, Assert.Throws<GranaryException>(() => Read(given)).Kind);
                continue;
            }

            optional++;
            var read = Read(given);
            parent[name] = documented[name]?.DeepClone();
            Assert.True(JsonNode.DeepEquals(given, JsonNode.Parse(CatalogJson.Write(read))), path);
        }

        // Each twice where it is in both schemas.
        Assert.Equal(6 + 8 + 1 + (2 * (4 + 4 + 4 + 3 + 10 + 5 + 10)), optional);
    }

    [Fact]
    public void ASizeClassIsWrittenWhereThereIsOneAndADocumentWithoutItHasNone()
    {
        var without = JsonNode.Parse(CatalogJson.Write(Document))!.AsObject();
        Assert.False(without.ContainsKey("size_class"));
        Assert.Equal(0, Read(without).SizeClass);
        var with = JsonNode.Parse(CatalogJson.Write(Document with { SizeClass = 3 }))!.AsObject();
        Assert.Equal(CollectionDocument.CurrentFormat, (int)with["format"]!);
        Assert.Equal(3, Read(with).SizeClass);
        Assert.True(with.Remove("size_class"));
        Assert.True(JsonNode.DeepEquals(without, with));
        // What a version does not know it passes over.
        with["later"] = 1;
        Assert.True(JsonNode.DeepEquals(without, JsonNode.Parse(CatalogJson.Write(Read(with)))));
    }

    [Fact]
    public void ALoggedSchemaAndIndexAreCompletedToo()
    {
        var schema = SchemaJson.ReadSchema("""{"dense":[{"name":"","size":4,"distance":"Dot","hnsw":{"m":8}}],"text":null}"""u8);
        var dense = Assert.Single(schema.Dense);
        Assert.Equal(new HnswSettings { M = 8 }, dense.Hnsw);
        Assert.Equal(new DenseVectorSchema("", 4, Distance.Dot) { Hnsw = dense.Hnsw }, dense);
        Assert.Empty(schema.Text);
        Assert.Empty(schema.PayloadIndexes);
        Assert.Equal(new PayloadIndexSchema("n", PayloadIndexType.Integer),
            SchemaJson.ReadPayloadIndex("""{"path":"n","type":"Integer","later":1}"""u8));
        Assert.Throws<GranaryException>(() => SchemaJson.ReadPayloadIndex("""{"path":"n"}"""u8));
        Assert.Throws<GranaryException>(() => SchemaJson.ReadPayloadIndex("""{"path":"n","path":"m","type":"Integer"}"""u8));
    }

    private static System.Collections.Immutable.ImmutableDictionary<string, string> Fixture() =>
        System.Collections.Immutable.ImmutableDictionary<string, string>.Empty.Add("metadata", "{}");

    private static CollectionDocument Read(JsonNode document) =>
        CatalogJson.ReadCollection("collection/c", Encoding.UTF8.GetBytes(document.ToJsonString()));

    /// <summary>The path of every property, and the name under which its owner stands.</summary>
    private static IEnumerable<(string Path, string Shape)> Properties(JsonNode? node, string path)
    {
        var shape = path.Split('/').Last(p => !int.TryParse(p, out _));
        if (node is JsonArray array)
            return array.SelectMany((item, i) => Properties(item, $"{path}/{i}"));
        if (node is not JsonObject value || shape == "declared")
            return [];
        return value.SelectMany(p => Properties(p.Value, $"{path}/{p.Key}").Prepend(($"{path}/{p.Key}", shape)));
    }

    private static JsonNode? At(JsonNode? node, string path) => path.Split('/', StringSplitOptions.RemoveEmptyEntries)
        .Aggregate(node, (at, step) => at is JsonArray array
            ? array[int.Parse(step, System.Globalization.CultureInfo.InvariantCulture)] : at![step]);
}
