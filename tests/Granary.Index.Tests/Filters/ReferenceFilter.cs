using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Granary.Index.Filters;
using Granary.Index.Payload;

namespace Granary.Index.Tests.Filters;

/// <summary>Filters by their definition, over parsed payloads.</summary>
internal static class ReferenceFilter
{
    public static bool Matches(Filter filter, JsonNode root, PointId? id) =>
        filter.Must.All(c => Holds(c, root, id))
        && !filter.MustNot.Any(c => Holds(c, root, id))
        && (filter.Should.IsEmpty || filter.Should.Any(c => Holds(c, root, id)))
        && (filter.MinShould is not { } min || min.Conditions.Count(c => Holds(c, root, id)) >= min.MinCount);

    private static bool Holds(Condition condition, JsonNode root, PointId? id) => condition switch
    {
        FilterCondition c => Matches(c.Filter, root, id),
        HasIdCondition c => id is { } own && c.Ids.Contains(own),
        NestedCondition c => Values(root, JsonPath.Parse(c.Key).WithWildcard()).Any(v => v is JsonObject && Matches(c.Filter, v, null)),
        IsNullCondition c => Values(root, JsonPath.Parse(c.Key)).Any(v => v is null),
        IsEmptyCondition c => Values(root, JsonPath.Parse(c.Key)).All(v => v is null or JsonArray { Count: 0 }),
        ValuesCountCondition c =>
            Values(root, JsonPath.Parse(c.Key)) is { Count: > 0 } values ? values.Any(v => InRange(c, Count(v))) : InRange(c, 0),
        MatchAnyCondition c => Any(root, c.Key, v => c.Values.Any(m => Same(m, v))),
        MatchExceptCondition c => Any(root, c.Key, v => v is not null && !c.Values.Any(m => Same(m, v))),
        MatchTextCondition { Mode: TextMatchMode.Prefix } c =>
            Any(root, c.Key, v => Text(v)?.StartsWith(c.Text, StringComparison.Ordinal) == true),
        MatchTextCondition c => Tokens(c.Text) is { Count: > 0 } wanted
            && Any(root, c.Key, v => Text(v) is { } t && HasTokens(c.Mode, wanted, Tokens(t))),
        RangeCondition c => Any(root, c.Key, v => Number(v) is { } n
            && !(n <= c.Gt) && !(n < c.Gte) && !(n >= c.Lt) && !(n > c.Lte)),
        DatetimeRangeCondition c => Any(root, c.Key, v => Text(v) is { } t
            && DateTimeOffset.TryParseExact(
                t, "yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
            && !(at <= c.Gt) && !(at < c.Gte) && !(at >= c.Lt) && !(at > c.Lte)),
        GeoBoundingBoxCondition c => Any(root, c.Key, v => v is JsonObject o && Number(o["lon"]) is { } x && Number(o["lat"]) is { } y
            && GeoTests.Contains(c, x, y)),
        GeoRadiusCondition c => Any(root, c.Key, v => v is JsonObject o && Number(o["lon"]) is { } x && Number(o["lat"]) is { } y
            && GeoTests.Distance(c.Center, x, y) < c.RadiusMeters),
        GeoPolygonCondition c => Any(root, c.Key, v => v is JsonObject o && Number(o["lon"]) is { } x && Number(o["lat"]) is { } y
            && GeoTests.Contains(c, x, y)),
        SliceCondition c => id is { } own && SliceHash.Contains(c, own),
        HasVectorCondition c => c.Vector == "even" && id is { } own && own.Number % 2 == 0,
        _ => throw new InvalidOperationException(condition.ToString()),
    };

    private static List<string> Tokens(string text) => [.. Regex.Matches(text, @"[\p{L}\p{N}]+").Select(m => m.Value.ToLowerInvariant())];

    private static bool HasTokens(TextMatchMode mode, List<string> wanted, List<string> stored) => mode switch
    {
        TextMatchMode.All => wanted.All(stored.Contains),
        TextMatchMode.Any => wanted.Any(stored.Contains),
        _ => Enumerable.Range(0, stored.Count).Any(i => stored.Skip(i).Take(wanted.Count).SequenceEqual(wanted)),
    };

    private static bool InRange(ValuesCountCondition c, int n) => !(n <= c.Gt) && !(n < c.Gte) && !(n >= c.Lt) && !(n > c.Lte);

    private static int Count(JsonNode? value) => value switch { null => 0, JsonArray a => a.Count, _ => 1 };

    private static bool Any(JsonNode root, string key, Func<JsonNode?, bool> test) =>
        Values(root, JsonPath.Parse(key)).Any(v => v is JsonArray array ? array.Any(test) : test(v));

    private static string? Text(JsonNode? value) => value?.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : null;

    private static double? Number(JsonNode? value) => value?.GetValueKind() == JsonValueKind.Number ? value.GetValue<double>() : null;

    private static bool Same(MatchValue match, JsonNode? value) => match.Kind switch
    {
        MatchValueKind.Keyword => Text(value) == match.Text,
        MatchValueKind.Bool => value?.GetValueKind() is JsonValueKind.True or JsonValueKind.False
            && value.GetValue<bool>() == match.Boolean,
        _ => value?.GetValueKind() == JsonValueKind.Number && value.ToJsonString() == match.Integer.ToString(CultureInfo.InvariantCulture),
    };

    private static List<JsonNode?> Values(JsonNode root, JsonPath path)
    {
        List<JsonNode?> values = [root];
        foreach (var step in path.Items)
        {
            values = step.Kind switch
            {
                JsonPathStep.Key => [.. values.OfType<JsonObject>().Where(o => o.ContainsKey(step.Key!)).Select(o => o[step.Key!])],
                JsonPathStep.Index => [.. values.OfType<JsonArray>().Where(a => a.Count > step.Index).Select(a => a[step.Index])],
                _ => [.. values.OfType<JsonArray>().SelectMany(a => a)],
            };
        }

        return values;
    }
}
