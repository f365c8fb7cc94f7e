using System.Text.Json.Nodes;
using Granary.Collections;
using Granary.Index;

namespace Granary.Http.Responses;

/// <summary>Shows every setting of a collection as it is in force, where Qdrant's view shows what was declared.</summary>
internal static class ConfigView
{
    /// <summary>The settings.</summary>
    public static JsonObject Build(CollectionConfig config) => new()
    {
        ["schema"] = JsonNode.Parse(SchemaJson.Write(config.Schema)),
        ["partitions"] = config.Partitions,
        ["replicas"] = config.Replicas,
        ["indexing"] = Ingestion(config.Ingestion),
        ["embeddings"] = Embeddings(config),
        ["declared"] = new JsonObject(config.Declared.Select(static d => KeyValuePair.Create(d.Key, JsonNode.Parse(d.Value)))),
    };

    /// <summary>How the collection ingests, as the create body writes it.</summary>
    public static JsonObject Ingestion(IngestionSettings settings) => new()
    {
        ["mode"] = settings.Mode == IndexingMode.Synchronous ? "synchronous" : "asynchronous",
        ["queue_capacity"] = settings.QueueCapacity,
        ["batch_size"] = settings.BatchSize,
        ["batch_delay_ms"] = settings.BatchDelay.TotalMilliseconds,
        ["admission_timeout_ms"] = settings.AdmissionTimeout.TotalMilliseconds,
        ["link_parallelism"] = settings.LinkParallelism,
        ["checkpoint_operations"] = settings.CheckpointOperations,
        ["checkpoint_log_bytes"] = settings.CheckpointLogBytes,
    };

    /// <summary>The rules by which vectors are computed from text.</summary>
    public static JsonArray Embeddings(CollectionConfig config) => new([.. config.Embeddings.Select(static rule =>
        (JsonNode)new JsonObject { ["vector"] = rule.Vector, ["path"] = rule.Path, ["model"] = rule.Model })]);
}
