using System.Text.Json.Nodes;
using Granary.Collections;
using Granary.Http.Requests;
using Granary.Index;

namespace Granary.Http.Responses;

/// <summary>Shows a collection as Qdrant does: what was declared, with Qdrant's defaults filled in.</summary>
internal static partial class CollectionView
{
    /// <summary>Qdrant's name of a payload index's type.</summary>
    public static string TypeName(PayloadIndexType type) => type switch
    {
        PayloadIndexType.Keyword => "keyword",
        PayloadIndexType.Integer => "integer",
        PayloadIndexType.Float => "float",
        PayloadIndexType.Bool => "bool",
        PayloadIndexType.Datetime => "datetime",
        PayloadIndexType.Uuid => "uuid",
        PayloadIndexType.Geo => "geo",
        _ => "text",
    };

    /// <summary>A collection's state and settings.</summary>
    public static JsonObject Info(CollectionInfo info)
    {
        var indexed = info.Config.Declared.TryGetValue("optimizers_config", out var optimizers)
            && (long?)JsonNode.Parse(optimizers)!["indexing_threshold"] == 0 ? 0 : info.Partitions.Sum(p => p.IndexedVectors);
        var view = new JsonObject
        {
            ["status"] = info.Color.ToString().ToLowerInvariant(),
            ["optimizer_status"] = info.OptimizerError is { } error ? new JsonObject { ["error"] = error } : "ok",
            ["indexed_vectors_count"] = indexed,
            ["points_count"] = info.Points,
            ["segments_count"] = Math.Max(1, info.Partitions.Length),
            ["config"] = Config(info.Config),
            ["payload_schema"] = PayloadSchema(info),
            ["update_queue"] = new JsonObject { ["length"] = info.Partitions.Sum(p => Math.Max(0, p.Depth)) },
        };
        if (Warnings(info.Config) is { Count: > 0 } warnings)
            view["warnings"] = warnings;
        return view;
    }

    /// <summary>A collection's settings.</summary>
    public static JsonObject Config(CollectionConfig config)
    {
        var parameters = new JsonObject();
        parameters["vectors"] = DeclaredVectors.Dense(config);
        parameters["shard_number"] = config.Partitions;
        if (Declared(config, "sharding_method") is { } sharding)
            parameters["sharding_method"] = sharding;
        parameters["replication_factor"] = config.Replicas;
        parameters["write_consistency_factor"] = Declared(config, "write_consistency_factor") ?? 1;
        parameters["on_disk_payload"] = Declared(config, "on_disk_payload") ?? true;
        if (Declared(config, "payload") is { } payload)
            parameters["payload"] = payload;
        if (DeclaredVectors.Sparse(config) is var sparse && (sparse.Count > 0 || config.Declared.ContainsKey("sparse_vectors")))
            parameters["sparse_vectors"] = sparse;
        foreach (var (name, value) in Declared(config, "params") as JsonObject ?? [])
            parameters[name] = value?.DeepClone();

        var view = new JsonObject
        {
            ["params"] = parameters,
            ["hnsw_config"] = Merged(config, "hnsw_config",
                """{"m":16,"ef_construct":100,"full_scan_threshold":10000,"max_indexing_threads":0,"on_disk":false}"""),
            ["optimizer_config"] = Merged(config, "optimizers_config",
                """
                {"deleted_threshold":0.2,"vacuum_min_vector_number":1000,"default_segment_number":0,"max_segment_size":null,
                 "memmap_threshold":null,"indexing_threshold":10000,"flush_interval_sec":5,"max_optimization_threads":null}
                """),
            ["wal_config"] = Merged(config, "wal_config", """{"wal_capacity_mb":32,"wal_segments_ahead":0,"wal_retain_closed":1}"""),
            ["quantization_config"] = Declared(config, "quantization_config"),
            ["strict_mode_config"] = Merged(config, "strict_mode_config", """{"enabled":false}"""),
        };
        if (Declared(config, "metadata") is { } metadata)
            view["metadata"] = metadata;
        AddOwn(view, config);
        return view;
    }

    private static JsonNode? Declared(CollectionConfig config, string key) =>
        config.Declared.TryGetValue(key, out var json) ? JsonNode.Parse(json) : null;

    private static JsonObject Merged(CollectionConfig config, string key, string defaults)
    {
        var merged = JsonNode.Parse(defaults)!.AsObject();
        foreach (var (name, value) in Declared(config, key) as JsonObject ?? [])
            merged[name] = value?.DeepClone();
        return merged;
    }

    /// <summary>What only this server has: text fields, embeddings, ingestion.</summary>
    private static void AddOwn(JsonObject view, CollectionConfig config)
    {
        if (!config.Schema.Text.IsEmpty)
        {
            var text = new JsonObject();
            foreach (var field in config.Schema.Text)
            {
                text[field.Name] = new JsonObject
                {
                    ["path"] = field.Path,
                    ["k1"] = field.K1,
                    ["b"] = field.B,
                    ["tokenizer"] = field.Analyzer.Tokenizer,
                    ["language"] = field.Analyzer.Language,
                    ["lowercase"] = field.Analyzer.Lowercase,
                    ["ascii_folding"] = field.Analyzer.AsciiFolding,
                    ["stem"] = field.Analyzer.Stem,
                };
            }

            view["text"] = text;
        }

        if (!config.Embeddings.IsEmpty)
            view["embeddings"] = ConfigView.Embeddings(config);
        view["indexing"] = ConfigView.Ingestion(config.Ingestion);
    }

    private static JsonObject PayloadSchema(CollectionInfo info)
    {
        var view = new JsonObject();
        var declared = Declared(info.Config, "payload_schema") as JsonObject;
        foreach (var index in info.Config.Schema.PayloadIndexes)
        {
            var entry = new JsonObject { ["data_type"] = TypeName(index.Type) };
            if (declared?[index.Path] is { } parameters)
                entry["params"] = parameters.DeepClone();
            entry["points"] = info.PayloadIndexPoints.GetValueOrDefault(index.Path);
            view[index.Path] = entry;
        }

        return view;
    }

    /// <summary>Qdrant's warnings about settings that cannot work together.</summary>
    private static JsonArray Warnings(CollectionConfig config)
    {
        var warnings = new JsonArray();
        foreach (var field in config.Schema.Dense)
        {
            var vectors = Declared(config, "vectors");
            var own = field.Name.Length == 0 ? vectors : vectors?[field.Name];
            if ((bool?)(own?["hnsw_config"]?["inline_storage"] ?? Declared(config, "hnsw_config")?["inline_storage"]) != true)
                continue;
            if (field.MultiVector)
                warnings.Add(
                    Warning(field.Name, "is not compatible with multivectors"));
            else if ((own?["quantization_config"] ?? Declared(config, "quantization_config")) is null)
                warnings.Add(
                    Warning(field.Name, "requires quantized vectors"));
        }

        return warnings;
    }

    private static JsonObject Warning(string vector, string what) =>
        new() { ["message"] = $"The `hnsw_config.inline_storage` option for vector '{vector}' {what}; it is ignored." };
}
