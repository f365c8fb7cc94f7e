using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Granary.Deployment.Tests;

/// <summary>
/// As much of JSON Schema as Kubernetes' own schemas use: references, types, required and unknown fields, items, enumerations, patterns and
/// the formats int32, int64, date-time.
/// </summary>
internal sealed class JsonSchema(JsonObject root)
{
    /// <summary>What is wrong with a value, each with the path to it; empty: nothing.</summary>
    public IReadOnlyList<string> Validate(JsonNode? value, JsonObject schema, string path)
    {
        var errors = new List<string>();
        Check(value, schema, path, errors);
        return errors;
    }

    private void Check(JsonNode? value, JsonObject schema, string path, List<string> errors)
    {
        while (schema["$ref"] is { } reference)
            schema = Resolve((string)reference!);
        if (value is null)
        {
            errors.Add($"{path}: is null; leave the field out");
            return;
        }

        if (schema["type"] is { } type && !Types(type).Any(t => IsOf(value, t)))
        {
            errors.Add($"{path}: must be {string.Join(" or ", Types(type))}, not {value.ToJsonString()}");
            return;
        }

        if (schema["enum"] is JsonArray allowed && !allowed.Any(a => JsonNode.DeepEquals(a, value)))
            errors.Add($"{path}: must be one of {allowed.ToJsonString()}, not {value.ToJsonString()}");
        switch (value)
        {
            case JsonObject fields:
                CheckFields(fields, schema, path, errors);
                break;
            case JsonArray items when schema["items"] is JsonObject item:
                for (var i = 0; i < items.Count; i++)
                    Check(items[i], item, $"{path}[{i}]", errors);
                break;
            case JsonValue:
                CheckText(value, schema, path, errors);
                break;
        }
    }

    private void CheckFields(JsonObject fields, JsonObject schema, string path, List<string> errors)
    {
        foreach (var name in (schema["required"] as JsonArray ?? []).Select(static n => (string)n!).Where(n => !fields.ContainsKey(n)))
            errors.Add($"{path}: lacks {name}");
        var known = schema["properties"] as JsonObject ?? [];
        foreach (var (name, value) in fields)
        {
            if (known[name] is JsonObject field)
                Check(value, field, $"{path}.{name}", errors);
            else if (schema["additionalProperties"] is JsonObject other)
                Check(value, other, $"{path}.{name}", errors);
            else if (schema["additionalProperties"] is JsonValue none && !none.GetValue<bool>())
                errors.Add($"{path}: knows no field {name}");
        }
    }

    private static void CheckText(JsonNode value, JsonObject schema, string path, List<string> errors)
    {
        var text = value.ToString();
        if (schema["pattern"] is { } pattern && !Regex.IsMatch(text, (string)pattern!, RegexOptions.CultureInvariant))
            errors.Add($"{path}: {text} does not match {pattern}");
        var fits = (string?)schema["format"] switch
        {
            "int32" => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _),
            "int64" => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _),
            "date-time" => DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, out _),
            _ => true,
        };
        if (!fits)
            errors.Add($"{path}: {text} is no {schema["format"]}");
    }

    private static IEnumerable<string> Types(JsonNode type) =>
        type is JsonArray several ? several.Select(static t => (string)t!) : [(string)type!];

    private static bool IsOf(JsonNode value, string type) => (type, value.GetValueKind()) switch
    {
        ("object", JsonValueKind.Object) or ("array", JsonValueKind.Array) or ("string", JsonValueKind.String)
            or ("number", JsonValueKind.Number) or ("boolean", JsonValueKind.True or JsonValueKind.False) => true,
        ("integer", JsonValueKind.Number) => double.IsInteger(double.Parse(value.ToJsonString(), CultureInfo.InvariantCulture)),
        _ => false,
    };

    private JsonObject Resolve(string reference)
    {
        JsonNode node = root;
        foreach (var part in reference.TrimStart('#', '/').Split('/'))
            node = node[part] ?? throw new InvalidDataException($"the schema lacks {reference}");
        return node.AsObject();
    }
}
