using System.Text.Json;
using Granary.Http.Hosting;
using Granary.Http.Json;
using Granary.Index;
using Granary.Index.Text;

namespace Granary.Http.Requests;

/// <summary>Reads the body that creates a payload index.</summary>
internal static class IndexBody
{
    /// <summary>The index, and its parameters as they were given (null for a bare type).</summary>
    public static (PayloadIndexSchema Index, string? Parameters) Read(JsonElement body)
    {
        var fields = new JsonFields(body);
        var path = fields.RequiredText("field_name");
        FieldPaths.Check(path, "field_name");
        var schema = fields["field_schema"] ?? fields["field_type"]
            ?? throw ApiException.BadRequest("can't auto-detect field type, please specify `field_schema` in the request");
        if (schema.ValueKind == JsonValueKind.String)
            return (Make(path, fields.Word(fields["field_schema"] is null ? "field_type" : "field_schema", Types)!, null), null);
        var parameters = new JsonFields(schema, "field_schema");
        var type = parameters.Word("type", Types) ?? throw ApiException.Format("field_schema: missing field `type`");
        var node = JsonText.Node(schema);
        return (Make(path, type, parameters), CollectionBody.WithoutNulls(node)!.ToJsonString());
    }

    private static readonly string[] Types = ["keyword", "integer", "float", "geo", "text", "bool", "datetime", "uuid"];

    private static PayloadIndexSchema Make(string path, string type, JsonFields? parameters)
    {
        parameters?.Flag("is_tenant");
        parameters?.Flag("is_principal");
        parameters?.Flag("on_disk");
        parameters?.Flag("enable_hnsw");
        switch (type)
        {
            case "integer":
                var lookup = parameters?.Flag("lookup") ?? true;
                var range = parameters?.Flag("range") ?? true;
                if (!lookup && !range)
                    throw ApiException.Invalid("field_schema.?",
                        "Validation error: the 'lookup' and 'range' capabilities can't be both disabled [{}]");
                return new PayloadIndexSchema(path, PayloadIndexType.Integer) { Lookup = lookup, Range = range };
            case "text":
                var analyzer = parameters?.Object("analyzer") is { } own
                    ? CollectionBody.ReadAnalyzer(own, new AnalyzerSettings())
                    : QdrantAnalyzer.ParseIndexParameters(parameters?.Element ?? JsonElement.Parse("{}"));
                return new PayloadIndexSchema(path, PayloadIndexType.Text)
                {
                    Analyzer = analyzer,
                    Phrase = parameters?.Flag("phrase_matching") ?? false
                };
            default:
                return new PayloadIndexSchema(path, Enum.Parse<PayloadIndexType>(type, ignoreCase: true));
        }
    }
}
