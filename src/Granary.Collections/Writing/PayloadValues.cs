using System.Text.Json;
using Granary.Index.Payload;

namespace Granary.Collections.Writing;

/// <summary>Values of a payload at a path.</summary>
internal static class PayloadValues
{
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
