using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Granary.Collections;
using Granary.Http.Hosting;

namespace Granary.Http.Responses;

/// <summary>The state of the server, in the shape of Qdrant's telemetry.</summary>
internal static class Telemetry
{
    /// <summary>The whole document.</summary>
    public static JsonObject Build(
        ApiState state, string storage, int details, bool cluster, IReadOnlyList<CollectionInfo> collections)
    {
        var responses = new JsonObject();
        foreach (var ((method, endpoint, status), counter) in state.Responses.OrderBy(static r => r.Key))
        {
            var name = $"{method} {endpoint}";
            responses[name] ??= new JsonObject();
            responses[name]![status.ToString(System.Globalization.CultureInfo.InvariantCulture)] = new JsonObject
            {
                ["count"] = counter.Count,
                ["avg_duration_micros"] = counter.Count == 0 ? 0 : counter.Total.TotalMicroseconds / counter.Count,
                ["min_duration_micros"] = counter.Count == 0 ? 0 : counter.Minimum.TotalMicroseconds,
                ["max_duration_micros"] = counter.Maximum.TotalMicroseconds,
                ["total_duration_micros"] = (long)counter.Total.TotalMicroseconds,
            };
        }

        return new JsonObject
        {
            ["id"] = Guid.Empty.ToString(),
            ["app"] = new JsonObject
            {
                ["name"] = "qdrant",
                ["version"] = state.Options.QdrantVersion,
                ["features"] = new JsonObject
                {
                    ["debug"] = false,
                    ["service_debug_feature"] = false,
                    ["recovery_mode"] = false,
                    ["gpu"] = false,
                    ["rocksdb"] = false,
                    ["staging"] = false,
                },
                ["system"] = new JsonObject
                {
                    ["distribution"] = RuntimeInformation.OSDescription,
                    ["is_docker"] = false,
                    ["cores"] = Environment.ProcessorCount,
                    ["ram_size"] = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1024,
                    ["cpu_flags"] = RuntimeInformation.ProcessArchitecture.ToString(),
                    ["cpu_endian"] = "little",
                    ["storage"] = storage,
                },
                ["startup"] = state.StartedAt.ToString("O"),
            },
            ["collections"] = details == 0 ? new JsonObject { ["number_of_collections"] = collections.Count } : new JsonObject
            {
                ["number_of_collections"] = collections.Count,
                ["collections"] = new JsonArray([.. collections.Select(static c => (JsonNode)new JsonObject
                {
                    ["id"] = c.Name, ["vectors"] = c.Partitions.Sum(static p => p.Vectors), ["points"] = c.Points,
                    ["optimizers_status"] = c.OptimizerError is null ? "ok" : c.OptimizerError,
                    ["params"] = CollectionView.Config(c.Config)["params"]!.DeepClone(),
                })]),
            },
            ["cluster"] = new JsonObject { ["enabled"] = cluster },
            ["quota"] = new JsonObject
            {
                ["config"] = new JsonObject { ["enabled"] = false },
                ["exceeded"] = new JsonObject { ["resident_memory"] = false, ["disk_usage"] = false },
            },
            ["requests"] = new JsonObject
            {
                ["rest"] = new JsonObject { ["responses"] = responses },
                ["grpc"] = new JsonObject { ["responses"] = new JsonObject() }
            },
        };
    }
}
