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
            declared = declared.Add("vectors", DeclaredSchema.Vectors(config.Schema).ToJsonString());
        if (!config.Schema.Sparse.IsEmpty && !declared.ContainsKey("sparse_vectors"))
            declared = declared.Add("sparse_vectors", DeclaredSchema.Sparse(config.Schema).ToJsonString());
        return config with { Declared = declared };
    }

    /// <summary>The body that creates a collection (payload indexes are created by calls of their own).</summary>
    public static JsonObject CreateBody(CollectionConfig config)
    {
        var body = new JsonObject { ["shard_number"] = config.Partitions, ["replication_factor"] = config.Replicas };
        if (config.Ingestion != new IngestionSettings())
            body["indexing"] = Ingestion(config.Ingestion);
        if (!config.Schema.Dense.IsEmpty)
            body["vectors"] = DeclaredSchema.Vectors(config.Schema);
        if (!config.Schema.Sparse.IsEmpty)
            body["sparse_vectors"] = DeclaredSchema.Sparse(config.Schema);
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

    /// <summary>Reads what <c>GET /collections/{name}/config</c> shows.</summary>
    public static CollectionConfig Read(JsonElement result) => new()
    {
        Schema = SchemaJson.ReadSchema(System.Text.Encoding.UTF8.GetBytes(result.GetProperty("schema").GetRawText())),
        Partitions = result.GetProperty("partitions").GetInt32(),
        Replicas = result.GetProperty("replicas").GetInt32(),
        Ingestion = ReadIngestion(result.GetProperty("indexing")),
        Embeddings = [.. result.GetProperty("embeddings").EnumerateArray().Select(ReadRule)],
        // What stands above already is not the caller's own declaration.
        Declared = result.GetProperty("declared").EnumerateObject()
            .Where(static d => d.Name is not ("payload_schema" or "shard_number" or "replication_factor"))
            .ToImmutableDictionary(static d => d.Name, static d => d.Value.GetRawText()),
    };

    /// <summary>The body that creates a payload index.</summary>
    public static JsonObject IndexBody(PayloadIndexSchema index)
    {
        var type = index.Type.ToString().ToLowerInvariant();
        JsonNode schema = index switch
        {
            { Parameters: { } parameters } => JsonNode.Parse(parameters)!,
            { Type: PayloadIndexType.Integer } when !index.Lookup || !index.Range =>
                new JsonObject { ["type"] = type, ["lookup"] = index.Lookup, ["range"] = index.Range },
            { Type: PayloadIndexType.Text, Analyzer: { } analyzer } =>
                new JsonObject { ["type"] = type, ["phrase_matching"] = index.Phrase, ["analyzer"] = Analyzer(analyzer) },
            { Type: PayloadIndexType.Text, Phrase: true } => new JsonObject { ["type"] = type, ["phrase_matching"] = true },
            _ => type,
        };
        return new JsonObject { ["field_name"] = index.Path, ["field_schema"] = schema };
    }

    private static IngestionSettings ReadIngestion(JsonElement indexing) => new()
    {
        Mode = indexing.GetProperty("mode").ValueEquals("synchronous") ? IndexingMode.Synchronous : IndexingMode.Asynchronous,
        QueueCapacity = indexing.GetProperty("queue_capacity").GetInt32(),
        BatchSize = indexing.GetProperty("batch_size").GetInt32(),
        BatchDelay = TimeSpan.FromMilliseconds(indexing.GetProperty("batch_delay_ms").GetDouble()),
        AdmissionTimeout = TimeSpan.FromMilliseconds(indexing.GetProperty("admission_timeout_ms").GetDouble()),
        LinkParallelism = indexing.GetProperty("link_parallelism").GetInt32(),
        CheckpointOperations = indexing.GetProperty("checkpoint_operations").GetInt64(),
        CheckpointLogBytes = indexing.GetProperty("checkpoint_log_bytes").GetInt64(),
    };

    private static EmbeddingRule ReadRule(JsonElement rule) => new(
        rule.GetProperty("vector").GetString()!, rule.GetProperty("path").GetString()!, rule.GetProperty("model").GetString());

    private static JsonObject Text(IndexSchema schema) => new(schema.Text.Select(f =>
    {
        var json = Analyzer(f.Analyzer);
        json["path"] = f.Path;
        json["k1"] = f.K1;
        json["b"] = f.B;
        return KeyValuePair.Create(f.Name, (JsonNode?)json);
    }));

    private static JsonObject Analyzer(AnalyzerSettings analyzer)
    {
        var json = new JsonObject
        {
            ["tokenizer"] = analyzer.Tokenizer,
            ["language"] = analyzer.Language,
            ["lowercase"] = analyzer.Lowercase,
            ["ascii_folding"] = analyzer.AsciiFolding,
            ["stem"] = analyzer.Stem,
            ["stemmer_language"] = analyzer.StemmerLanguage,
            ["min_token_len"] = analyzer.MinTokenLength,
            ["max_token_len"] = analyzer.MaxTokenLength,
        };
        if (analyzer.StopWords is { } words)
            json["stopwords"] = new JsonArray([.. words.Select(w => (JsonNode)w)]);
        return json;
    }

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
