using System.Text.Json.Nodes;
using Granary.Collections;

namespace Granary.Http.Responses;

/// <summary>The state of a collection's ingestion, partition by partition.</summary>
internal static class StatusView
{
    /// <summary>The whole document.</summary>
    public static JsonObject Build(CollectionInfo info) => new()
    {
        ["name"] = info.Name,
        ["status"] = info.Color.ToString().ToLowerInvariant(),
        ["points"] = info.Points,
        ["partitions"] = new JsonArray([.. info.Partitions.Select(static p => (JsonNode)new JsonObject
        {
            ["number"] = p.Number, ["logged"] = p.Logged, ["applied"] = p.Applied, ["linked"] = p.Linked, ["checkpointed"] = p.Checkpointed,
            ["depth"] = p.Depth, ["capacity"] = p.Capacity, ["utilisation"] = p.Capacity == 0 ? 0 : (double)p.Depth / p.Capacity,
            ["lag_ms"] = p.LagMilliseconds, ["points"] = p.Points, ["vectors"] = p.Vectors, ["indexed_vectors"] = p.IndexedVectors,
            ["log_bytes"] = p.LogBytes, ["index_bytes"] = p.IndexBytes, ["failed"] = p.Failed, ["fault"] = p.Fault,
                ["recovery_note"] = p.RecoveryNote,
        })]),
        ["timings"] = new JsonArray([.. info.Timings.Select(static t => (JsonNode)new JsonObject
        {
            ["phase"] = t.Phase, ["count"] = t.Count, ["total_us"] = t.TotalMicroseconds,
            ["p50_us"] = t.P50Microseconds, ["p95_us"] = t.P95Microseconds, ["p99_us"] = t.P99Microseconds,
        })]),
        ["failures"] = new JsonArray([.. info.Failures.Select(static f => (JsonNode)new JsonObject
        {
            ["partition"] = f.Partition, ["operation"] = f.Operation, ["point"] = f.Point, ["reason"] = f.Reason,
                ["at"] = f.At.ToString("O"),
        })]),
        ["embedding_queue"] = info.EmbeddingQueue,
        ["embedding_failures"] = info.EmbeddingFailures,
    };
}
