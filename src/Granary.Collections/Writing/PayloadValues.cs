using System.Text.Json;

namespace Granary.Collections.Writing;

/// <summary>Values of a payload at a path.</summary>
internal static class PayloadValues
{
    /// <summary>The text at a path: a string, or strings of an array, one a line; null when there is none.</summary>
    public static string? FirstText(ReadOnlySpan<byte> payload, string path)
    {
        if (payload.IsEmpty)
            return null;
        using var document = JsonDocument.Parse(payload.ToArray());
        var texts = At(document.RootElement, path).SelectMany(Flat).Where(v => v.ValueKind == JsonValueKind.String)
            .Select(v => v.GetString()!).Where(t => !string.IsNullOrWhiteSpace(t)).ToList();
        return texts.Count == 0 ? null : string.Join('\n', texts);
    }

    /// <summary>The values at a path; arrays are entered where the path says so (<c>a[].b</c>, <c>a[0]</c>).</summary>
    public static IEnumerable<JsonElement> At(JsonElement root, string path)
    {
        IEnumerable<JsonElement> now = [root];
        foreach (var step in Steps(path))
            now = now.SelectMany(v => Enter(v, step));
        return now;
    }

    /// <summary>The value itself, or the elements of an array.</summary>
    public static IEnumerable<JsonElement> Flat(JsonElement value) => value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : [value];

    private static IEnumerable<JsonElement> Enter(JsonElement value, Step step)
    {
        if (step.Key is { } key)
            return value.ValueKind == JsonValueKind.Object && value.TryGetProperty(key, out var child) ? [child] : [];
        if (value.ValueKind != JsonValueKind.Array)
            return [];
        if (step.Index is not { } index)
            return value.EnumerateArray();
        return index < value.GetArrayLength() ? [value[index]] : [];
    }

    private static IEnumerable<Step> Steps(string path)
    {
        for (var i = 0; i < path.Length;)
        {
            if (path[i] == '.')
            {
                i++;
            }
            else if (path[i] == '[')
            {
                var end = path.IndexOf(']', i);
                if (end < 0)
                    end = path.Length;
                yield return new Step(null, int.TryParse(path.AsSpan(i + 1, end - i - 1), out var index) ? index : null);
                i = end + 1;
            }
            else if (path[i] == '"')
            {
                var end = path.IndexOf('"', i + 1);
                if (end < 0)
                    end = path.Length;
                yield return new Step(path[(i + 1)..end], null);
                i = end + 1;
            }
            else
            {
                var end = path.AsSpan(i).IndexOfAny('.', '[');
                end = end < 0 ? path.Length : i + end;
                yield return new Step(path[i..end], null);
                i = end;
            }
        }
    }

    private readonly record struct Step(string? Key, int? Index);
}
