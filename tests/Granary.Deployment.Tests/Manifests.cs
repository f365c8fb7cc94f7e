using System.Text.Json.Nodes;

namespace Granary.Deployment.Tests;

/// <summary>Ways to what the rendered objects hold.</summary>
internal static class Manifests
{
    public static readonly string[] Overlays = ["overlays/small", "overlays/production"];

    public static IEnumerable<JsonNode> OfKind(this IEnumerable<JsonNode> objects, string kind) =>
        objects.Where(o => (string)o["kind"]! == kind);

    public static JsonNode Named(this IEnumerable<JsonNode> objects, string kind, string name) =>
        objects.OfKind(kind).Single(o => Name(o) == name);

    public static string Name(JsonNode node) => (string?)node["name"] ?? (string)node["metadata"]!["name"]!;

    /// <summary>The stateful sets, deployments and jobs, each with the template of its pods.</summary>
    public static IEnumerable<(JsonNode Workload, JsonNode Template)> Workloads(this IEnumerable<JsonNode> objects) =>
        objects.Where(static o => o["spec"]?["template"] is not null).Select(static o => (o, o["spec"]!["template"]!));

    public static IEnumerable<JsonNode> Containers(JsonNode template) =>
        Items(template["spec"]!["initContainers"]).Concat(Items(template["spec"]!["containers"]));

    public static IEnumerable<JsonNode> Items(JsonNode? list) => (list as JsonArray ?? []).Select(static i => i!);

    /// <summary>Whether a label selector (matchLabels and matchExpressions with In) takes these labels.</summary>
    public static bool Selects(JsonNode selector, JsonNode? labels) =>
        (selector["matchLabels"] as JsonObject ?? []).All(l => (string?)labels?[l.Key] == (string?)l.Value)
        && Items(selector["matchExpressions"]).All(e =>
            (string)e["operator"]! == "In" && Items(e["values"]).Any(v => (string)v! == (string?)labels?[(string)e["key"]!]));

    /// <summary>Whether a Service's selector takes these labels.</summary>
    public static bool SelectsPlainly(JsonNode selector, JsonNode? labels) =>
        selector.AsObject().All(l => (string?)labels?[l.Key] == (string?)l.Value);

    /// <summary>The number of a container's port by name or number; null: it has no such port.</summary>
    public static int? Port(JsonNode container, JsonNode port) => Items(container["ports"])
        .Where(p => port.GetValueKind() == System.Text.Json.JsonValueKind.String
            ? (string?)p["name"] == (string)port! : (int)p["containerPort"]! == (int)port)
        .Select(static p => (int?)(int)p["containerPort"]!).SingleOrDefault();

    /// <summary>The silo's container in a rendering.</summary>
    public static JsonNode Silo(IEnumerable<JsonNode> objects) =>
        Containers(objects.Named("StatefulSet", "granary-silo")["spec"]!["template"]!).Single();
}
