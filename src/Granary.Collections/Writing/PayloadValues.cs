using System.Text.Json;
using Granary.Index.Payload;

namespace Granary.Collections.Writing;

/// <summary>Values of a payload at a path.</summary>
internal static class PayloadValues
{
    /// <summary>The text at a path: a string, or strings of an array, one a line; null when there is none.</summary>
    public static string? FirstText(ReadOnlySpan<byte> payload, string path)
    {
        if (payload.IsEmpty || !JsonPath.TryParse(path, out var parsed))
            return null;
        using var document = JsonDocument.Parse(payload.ToArray());
        var texts = At(document.RootElement, parsed).SelectMany(Flat).Where(v => v.ValueKind == JsonValueKind.String)
            .Select(v => v.GetString()!).Where(t => !string.IsNullOrWhiteSpace(t)).ToList();
        return texts.Count == 0 ? null : string.Join('\n', texts);
    }

    /// <summary>The values at a path; arrays are entered where the path says so (<c>a[].b</c>, <c>a[0]</c>).</summary>
    public static IEnumerable<JsonElement> At(JsonElement root, JsonPath path)
    {
        IEnumerable<JsonElement> now = [root];
        foreach (var step in path.Items)
            now = now.SelectMany(v => Enter(v, step));
        return now;
    }

    /// <summary>The value itself, or the elements of an array.</summary>
    public static IEnumerable<JsonElement> Flat(JsonElement value) =>
        value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : [value];

    private static IEnumerable<JsonElement> Enter(JsonElement value, JsonPathItem step)
    {
        if (step.Kind == JsonPathStep.Key)
            return value.ValueKind == JsonValueKind.Object && value.TryGetProperty(step.Key!, out var child) ? [child] : [];
        if (value.ValueKind != JsonValueKind.Array)
            return [];
        if (step.Kind == JsonPathStep.Wildcard)
            return value.EnumerateArray();
        return step.Index < value.GetArrayLength() ? [value[step.Index]] : [];
    }
}
