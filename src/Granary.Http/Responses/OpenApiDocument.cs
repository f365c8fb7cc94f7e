using System.Text.Json.Nodes;

namespace Granary.Http.Responses;

/// <summary>An OpenAPI 3.0 document of the endpoints that are bound.</summary>
internal static class OpenApiDocument
{
    /// <summary>The document as JSON text.</summary>
    public static string Build(IEnumerable<(string Method, string Path, string Summary)> endpoints, GranaryHttpOptions options)
    {
        var paths = new JsonObject();
        foreach (var (method, path, summary) in endpoints)
        {
            paths[path] ??= new JsonObject();
            var operation = new JsonObject
            {
                ["summary"] = summary,
                ["operationId"] = method.ToLowerInvariant()
                    + string.Concat(path.Where(static c => c is not ('{' or '}')).Select(static c => c == '/' ? '_' : c)),
                ["tags"] = new JsonArray(Tag(path)),
                ["responses"] = new JsonObject
                {
                    ["200"] = Response("The result in its envelope", "Answer"),
                    ["4XX"] = Response("What was wrong", "Failure"),
                },
            };
            var names = path.Split('/').Where(static p => p.StartsWith('{')).Select(static p => p.Trim('{', '}')).ToList();
            if (names.Count > 0)
            {
                operation["parameters"] = new JsonArray([.. names.Select(static name => (JsonNode)new JsonObject
                {
                    ["name"] = name, ["in"] = "path", ["required"] = true, ["schema"] = new JsonObject { ["type"] = "string" },
                })]);
            }

            if (method is "PUT" or "POST" or "PATCH")
                operation["requestBody"] = new JsonObject { ["content"] = Content(new JsonObject { ["type"] = "object" }) };
            paths[path]![method.ToLowerInvariant()] = operation;
        }

        return new JsonObject
        {
            ["openapi"] = "3.0.1",
            ["info"] = new JsonObject
            {
                ["title"] = "Granary",
                ["version"] = options.QdrantVersion,
                ["description"] = "A hybrid search database behind the REST API of Qdrant.",
                ["license"] = new JsonObject { ["name"] = "Apache 2.0", ["url"] = "https://www.apache.org/licenses/LICENSE-2.0.html" },
            },
            ["paths"] = paths,
            ["components"] = new JsonObject { ["schemas"] = Schemas() },
        }.ToJsonString();
    }

    private static string Tag(string path) => path switch
    {
        _ when path.Contains("/index", StringComparison.Ordinal) => "Indexes",
        _ when path.Contains("alias", StringComparison.Ordinal) => "Aliases",
        _ when path.Contains("snapshots", StringComparison.Ordinal) => "Snapshots",
        _ when path.Contains("/query", StringComparison.Ordinal) || path.Contains("/search", StringComparison.Ordinal)
            || path.Contains("/recommend", StringComparison.Ordinal) || path.Contains("/discover", StringComparison.Ordinal) => "Search",
        _ when path.Contains("/points", StringComparison.Ordinal) => "Points",
        _ when path.StartsWith("/collections", StringComparison.Ordinal) => "Collections",
        _ => "Service",
    };

    private static JsonObject Response(string description, string schema) => new()
    {
        ["description"] = description,
        ["content"] = Content(new JsonObject { ["$ref"] = $"#/components/schemas/{schema}" }),
    };

    private static JsonObject Content(JsonObject schema) => new() { ["application/json"] = new JsonObject { ["schema"] = schema } };

    private static JsonObject Schemas() => JsonNode.Parse("""
        {
          "Answer": {"type": "object", "required": ["result", "status", "time"], "properties": {
            "result": {}, "status": {"type": "string", "enum": ["ok"]}, "time": {"type": "number", "description": "Seconds it took"}}},
          "Failure": {"type": "object", "required": ["status", "time"], "properties": {
            "status": {"type": "object", "properties": {"error": {"type": "string"}}},
            "time": {"type": "number"}, "result": {"nullable": true}}}
        }
        """)!.AsObject();
}
