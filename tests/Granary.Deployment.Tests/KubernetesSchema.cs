using System.Text.Json.Nodes;

namespace Granary.Deployment.Tests;

/// <summary>The schemas in Schemas/kubernetes.json, which Schemas/build.mjs wrote and tells the origin of.</summary>
internal static class KubernetesSchema
{
    private static readonly JsonObject Root =
        JsonNode.Parse(Repository.Text("tests/Granary.Deployment.Tests/Schemas/kubernetes.json"))!.AsObject();

    /// <summary>What is wrong with an object; empty: nothing.</summary>
    public static IReadOnlyList<string> Validate(JsonNode manifest)
    {
        var kind = $"{manifest["apiVersion"]}/{manifest["kind"]}";
        return Root["kinds"]![kind] is JsonObject schema
            ? new JsonSchema(Root).Validate(manifest, schema, $"{manifest["kind"]} {manifest["metadata"]?["name"]}")
            : [$"{kind}: no schema; add it to Schemas/build.mjs if Kubernetes knows it"];
    }
}
