using System.Text.Json;
using Granary.Collections;
using Granary.Http.Hosting;
using Granary.Http.Json;
using Granary.Index;

namespace Granary.Http.Requests;

/// <summary>Reads <c>with_payload</c> and <c>with_vector</c>.</summary>
internal static class SelectorBody
{
    /// <summary>Which payload is wanted: a boolean, a list of paths, <c>{"include"}</c> or <c>{"exclude"}</c>.</summary>
    public static PayloadSelector Payload(JsonElement? value, PayloadSelector absent)
    {
        switch (value)
        {
            case null:
                return absent;
            case { ValueKind: JsonValueKind.True }:
                return PayloadSelector.All;
            case { ValueKind: JsonValueKind.False }:
                return PayloadSelector.None;
            case { ValueKind: JsonValueKind.Array } list:
                return new PayloadSelector(true, [.. Paths(list)], []);
            case { ValueKind: JsonValueKind.Object } selector:
                var fields = new JsonFields(selector, "with_payload");
                if (fields["include"] is { } include)
                    return new PayloadSelector(true, [.. Paths(include)], []);
                if (fields["exclude"] is { } exclude)
                    return new PayloadSelector(true, [], [.. Paths(exclude)]);
                break;
        }

        throw ApiException.Format("with_payload: data did not match any variant of untagged enum WithPayloadInterface");
    }

    /// <summary>All of the payload, or none.</summary>
    public static PayloadSelector Payload(bool wanted) => wanted ? PayloadSelector.All : PayloadSelector.None;

    /// <summary>All vectors, or none.</summary>
    public static VectorSelector Vectors(bool wanted) => wanted ? new VectorSelector(true) : VectorSelector.None;

    /// <summary>Which vectors are wanted: a boolean or a list of names.</summary>
    public static VectorSelector Vectors(JsonFields fields) => (fields["with_vector"] ?? fields["with_vectors"]) switch
    {
        null => VectorSelector.None,
        { ValueKind: JsonValueKind.True } => new VectorSelector(true),
        { ValueKind: JsonValueKind.False } => VectorSelector.None,
        { ValueKind: JsonValueKind.Array } list => new VectorSelector(false, [.. Strings(list, "with_vector")]),
        { ValueKind: JsonValueKind.String } name => new VectorSelector(false, [JsonFields.Read(name)]),
        _ => throw ApiException.Format("with_vector: data did not match any variant of untagged enum WithVector"),
    };

    /// <summary>Refuses vectors that the collection does not have.</summary>
    public static void Check(VectorSelector selector, IndexSchema schema)
    {
        foreach (var name in selector.Names ?? [])
        {
            if (schema.FindDense(name) is null && schema.FindSparse(name) is null)
                throw Errors.VectorNotFound(name);
        }
    }

    private static IEnumerable<string> Paths(JsonElement list)
    {
        foreach (var path in Strings(list, "with_payload"))
        {
            FieldPaths.Check(path, "with_payload");
            yield return path;
        }
    }

    private static IEnumerable<string> Strings(JsonElement list, string field)
    {
        if (list.ValueKind != JsonValueKind.Array)
            throw JsonFields.Wrong(field, list, "a sequence");
        foreach (var item in list.EnumerateArray())
            yield return item.ValueKind == JsonValueKind.String ? JsonFields.Read(item) : throw JsonFields.Wrong(field, item, "a string");
    }
}
