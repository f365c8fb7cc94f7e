using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Granary.Collections;
using Granary.Index;

namespace Granary.Client;

/// <summary>A collection's settings as the REST API writes them.</summary>
internal static class CollectionJson
{
    /// <summary>The settings with what the REST API shows again of them, where the caller declared nothing.</summary>
    public static CollectionConfig WithDeclared(CollectionConfig config)
    {
        if (config.Declared.ContainsKey("vectors") || (config.Schema.Dense.IsEmpty && config.Schema.Sparse.IsEmpty))
            return config;
        var declared = config.Declared;
        if (!config.Schema.Dense.IsEmpty)
            declared = declared.Add("vectors", Vectors(config.Schema).ToJsonString());
        if (!config.Schema.Sparse.IsEmpty && !declared.ContainsKey("sparse_vectors"))
            declared = declared.Add("sparse_vectors", Sparse(config.Schema).ToJsonString());
        return config with { Declared = declared };
    }

    /// <summary>The body that creates a collection (payload indexes are created by calls of their own).</summary>
    public static JsonObject CreateBody(CollectionConfig config)
    {
        var body = new JsonObject { ["shard_number"] = config.Partitions, ["replication_factor"] = config.Replicas };
        if (config.Ingestion != new IngestionSettings())
            body["indexing"] = Ingestion(config.Ingestion);
        if (!config.Schema.Dense.IsEmpty)
            body["vectors"] = Vectors(config.Schema);
        if (!config.Schema.Sparse.IsEmpty)
            body["sparse_vectors"] = Sparse(config.Schema);
        if (!config.Schema.Text.IsEmpty)
            body["text"] = Text(config.Schema);
        if (!config.Embeddings.IsEmpty)
        {
            body["embeddings"] = new JsonArray([.. config.Embeddings.Select(static rule =>
                (JsonNode)new JsonObject { ["vector"] = rule.Vector, ["path"] = rule.Path, ["model"] = rule.Model })]);
        }

        foreach (var (key, value) in config.Declared)
            body[key] = JsonNode.Parse(value);
        return body;
    }

    /// <summary>Reads what <c>GET /collections/{name}</c> shows.</summary>
    public static CollectionConfig Read(JsonElement result)
    {
        var config = result.GetProperty("config");
        var parameters = config.GetProperty("params");
        var schema = new IndexSchema
        {
            Dense = parameters.TryGetProperty("vectors", out var vectors) ? ReadVectors(vectors) : [],
            Sparse = parameters.TryGetProperty("sparse_vectors", out var sparse)
                ? [.. sparse.EnumerateObject()
                    .Select(v => new SparseVectorSchema(v.Name, v.Value.TryGetProperty("modifier", out var m) && m.ValueEquals("idf")))]
                : [],
            Text = config.TryGetProperty("text", out var text)
                ? [.. text.EnumerateObject().Select(f => new TextFieldSchema(f.Name, f.Value.GetProperty("path").GetString()!))]
                : [],
            PayloadIndexes = result.TryGetProperty("payload_schema", out var indexes)
                ? [.. indexes.EnumerateObject().Select(
                    i => new PayloadIndexSchema(i.Name, Enum.Parse<PayloadIndexType>(i.Value.GetProperty("data_type").GetString()!, true)))]
                : [],
        };
        return new CollectionConfig
        {
            Schema = schema,
            Partitions = parameters.TryGetProperty("shard_number", out var partitions) ? partitions.GetInt32() : 1,
            Replicas = parameters.TryGetProperty("replication_factor", out var replicas) ? replicas.GetInt32() : 1,
            Embeddings = config.TryGetProperty("embeddings", out var rules) ? [.. rules.EnumerateArray().Select(ReadRule)] : [],
        };
    }

    private static EmbeddingRule ReadRule(JsonElement rule) => new(
        rule.TryGetProperty("vector", out var vector) ? vector.GetString() ?? "" : "",
        rule.GetProperty("path").GetString()!,
        rule.TryGetProperty("model", out var model) ? model.GetString() : null);

    private static ImmutableArray<DenseVectorSchema> ReadVectors(JsonElement vectors) =>
        vectors.TryGetProperty("size", out var size) && size.ValueKind == JsonValueKind.Number
        ? [ReadVector("", vectors)]
        : [.. vectors.EnumerateObject().Select(v => ReadVector(v.Name, v.Value))];

    private static DenseVectorSchema ReadVector(string name, JsonElement vector) =>
        new(name, vector.GetProperty("size").GetInt32(), Enum.Parse<Distance>(vector.GetProperty("distance").GetString()!))
        {
            MultiVector = vector.TryGetProperty("multivector_config", out var multi) && multi.ValueKind == JsonValueKind.Object,
        };

    private static JsonObject Vectors(IndexSchema schema) => schema.Dense is [{ Name: "" } only]
        ? Vector(only)
        : new JsonObject(schema.Dense.Select(v => KeyValuePair.Create(v.Name, (JsonNode?)Vector(v))));

    private static JsonObject Vector(DenseVectorSchema vector)
    {
        var json = new JsonObject { ["size"] = vector.Size, ["distance"] = vector.Distance.ToString() };
        if (vector.Hnsw != new HnswSettings())
            json["hnsw_config"] = new JsonObject { ["m"] = vector.Hnsw.M, ["ef_construct"] = vector.Hnsw.EfConstruct };
        if (vector.MultiVector)
            json["multivector_config"] = new JsonObject { ["comparator"] = "max_sim" };
        return json;
    }

    private static JsonObject Sparse(IndexSchema schema) => new(schema.Sparse.Select(v =>
        KeyValuePair.Create(v.Name, (JsonNode?)(v.Idf ? new JsonObject { ["modifier"] = "idf" } : new JsonObject()))));

    private static JsonObject Text(IndexSchema schema) => new(schema.Text.Select(f =>
    {
        var json = new JsonObject
        {
            ["path"] = f.Path, ["k1"] = f.K1, ["b"] = f.B, ["tokenizer"] = f.Analyzer.Tokenizer, ["language"] = f.Analyzer.Language,
            ["lowercase"] = f.Analyzer.Lowercase, ["ascii_folding"] = f.Analyzer.AsciiFolding, ["stem"] = f.Analyzer.Stem,
            ["min_token_len"] = f.Analyzer.MinTokenLength, ["max_token_len"] = f.Analyzer.MaxTokenLength,
        };
        if (f.Analyzer.StopWords is { } words)
            json["stopwords"] = new JsonArray([.. words.Select(w => (JsonNode)w)]);
        return KeyValuePair.Create(f.Name, (JsonNode?)json);
    }));

    private static JsonObject Ingestion(IngestionSettings settings) => new()
    {
        ["mode"] = settings.Mode == IndexingMode.Synchronous ? "synchronous" : "asynchronous",
        ["queue_capacity"] = settings.QueueCapacity,
        ["batch_size"] = settings.BatchSize,
        ["batch_delay_ms"] = (int)settings.BatchDelay.TotalMilliseconds,
        ["admission_timeout_ms"] = (int)settings.AdmissionTimeout.TotalMilliseconds,
        ["link_parallelism"] = settings.LinkParallelism,
        ["checkpoint_operations"] = settings.CheckpointOperations,
        ["checkpoint_log_bytes"] = settings.CheckpointLogBytes,
    };
}
