using System.Collections.Immutable;
using System.Text.Json;

namespace Granary.Index.Filters;

public static partial class FilterJson
{
    /// <summary>
    /// A field condition. Several in one object: one must hold, but <c>values_count</c>, then <c>is_empty</c>, then <c>is_null</c> silence
    /// the others, as in Qdrant.
    /// </summary>
    private static Condition ParseField(string key, JsonElement element)
    {
        Condition? count = null, empty = null, isNull = null;
        var values = ImmutableArray.CreateBuilder<Condition>();
        foreach (var member in element.EnumerateObject())
        {
            var value = member.Value;
            if (value.ValueKind == JsonValueKind.Null)
                continue;
            switch (member.Name)
            {
                case "match":
                    values.Add(ParseMatch(key, value));
                    break;
                case "range":
                    values.Add(ParseRange(key, value));
                    break;
                case "geo_bounding_box":
                    values.Add(new GeoBoundingBoxCondition(
                        key, ParsePoint(Need(value, "top_left")), ParsePoint(Need(value, "bottom_right"))));
                    break;
                case "geo_radius":
                    values.Add(new GeoRadiusCondition(key, ParsePoint(Need(value, "center")), ParseDouble(Need(value, "radius"))));
                    break;
                case "geo_polygon":
                    values.Add(ParsePolygon(key, value));
                    break;
                case "values_count":
                    count = new ValuesCountCondition(key, Bound(value, "gt"), Bound(value, "gte"), Bound(value, "lt"), Bound(value, "lte"));
                    break;
                case "is_empty":
                    empty = ParseBool(value) ? new IsEmptyCondition(key) : Not(new IsEmptyCondition(key));
                    break;
                case "is_null":
                    isNull = ParseBool(value) ? new FilterCondition(new Filter { Should = NullValues(key) })
                        : new FilterCondition(new Filter { MustNot = NullValues(key) });
                    break;
            }
        }

        if ((count ?? empty ?? isNull) is { } whole)
            return whole;
        return values.Count switch
        {
            0 => throw GranaryException.Validation($"At least one field condition must be specified for the key '{key}'"),
            1 => values[0],
            _ => new FilterCondition(new Filter { Should = values.ToImmutable() }),
        };
    }

    // In this syntax a null inside an array counts too.
    private static ImmutableArray<Condition> NullValues(string key) =>
        [new IsNullCondition(key), new IsNullCondition(Payload.JsonPath.Parse(key).WithWildcard().ToString())];

    private static FilterCondition Not(Condition condition) => new(new Filter { MustNot = [condition] });

    private static Condition ParseMatch(string key, JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Object)
            throw NoMatch(element);
        if (element.TryGetProperty("value", out var value))
            return new MatchAnyCondition(key, [ParseValue(value, true)]);
        foreach (var member in element.EnumerateObject())
        {
            switch (member.Name)
            {
                case "text":
                    return new MatchTextCondition(key, Text(member.Value), TextMatchMode.All);
                case "text_any":
                    return new MatchTextCondition(key, Text(member.Value), TextMatchMode.Any);
                case "phrase":
                    return new MatchTextCondition(key, Text(member.Value), TextMatchMode.Phrase);
                case "prefix":
                    return new MatchTextCondition(key, Text(member.Value), TextMatchMode.Prefix);
                case "any":
                    return new MatchAnyCondition(key, ParseValues(member.Value));
                case "except":
                    return new MatchExceptCondition(key, ParseValues(member.Value));
            }
        }

        throw NoMatch(element);

        static string Text(JsonElement text) => text.ValueKind == JsonValueKind.String ? text.GetString()! : throw NoMatch(text);
    }

    private static ImmutableArray<MatchValue> ParseValues(JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Array)
            throw NoMatch(element);
        var values = ImmutableArray.CreateBuilder<MatchValue>(element.GetArrayLength());
        foreach (var item in element.EnumerateArray())
        {
            var value = ParseValue(item, false);
            if (values.Count > 0 && values[0].Kind != value.Kind)
                throw GranaryException.BadInput("Mixed types are not allowed in a match: the values must be all strings or all integers");
            values.Add(value);
        }

        return values.MoveToImmutable();
    }

    private static MatchValue ParseValue(JsonElement element, bool allowBool) => element.ValueKind switch
    {
        JsonValueKind.String => MatchValue.Of(element.GetString()!),
        JsonValueKind.Number when element.TryGetInt64(out var integer) && element.GetRawText().AsSpan().IndexOfAny('.', 'e', 'E') < 0 =>
            MatchValue.Of(integer),
        JsonValueKind.True or JsonValueKind.False when allowBool => MatchValue.Of(element.GetBoolean()),
        _ => throw NoMatch(element),
    };

    private static Condition ParseRange(string key, JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Object)
            throw Invalid(element, "struct Range");
        string[] names = ["gt", "gte", "lt", "lte"];
        if (!names.Any(name => element.TryGetProperty(name, out var bound) && bound.ValueKind == JsonValueKind.String))
            return new RangeCondition(key, Number("gt"), Number("gte"), Number("lt"), Number("lte"));
        return new DatetimeRangeCondition(key, Time("gt"), Time("gte"), Time("lt"), Time("lte"));

        double? Number(string name) =>
            element.TryGetProperty(name, out var bound) && bound.ValueKind != JsonValueKind.Null ? ParseDouble(bound) : null;

        DateTimeOffset? Time(string name)
        {
            if (!element.TryGetProperty(name, out var bound) || bound.ValueKind == JsonValueKind.Null)
                return null;
            if (bound.ValueKind == JsonValueKind.String && Instant.TryParse(bound.GetString()!, out var instant))
                return instant;
            throw GranaryException.BadInput(
                $"'{(bound.ValueKind == JsonValueKind.String ? bound.GetString() : Show(bound))}' does not match accepted datetime format "
                    + "(RFC3339). "
                + "Example: 2014-01-01T00:00:00Z");
        }
    }

    private static GeoPolygonCondition ParsePolygon(string key, JsonElement element)
    {
        var exterior = ParseRing(Need(element, "exterior"));
        var interiors = ImmutableArray<ImmutableArray<GeoPoint>>.Empty;
        if (element.TryGetProperty("interiors", out var rings) && rings.ValueKind != JsonValueKind.Null)
        {
            if (rings.ValueKind != JsonValueKind.Array)
                throw Invalid(rings, "a sequence");
            interiors = [.. rings.EnumerateArray().Select(ParseRing)];
        }

        return new GeoPolygonCondition(key, exterior, interiors);
    }

    private static ImmutableArray<GeoPoint> ParseRing(JsonElement element)
    {
        var points = Need(element, "points");
        if (points.ValueKind != JsonValueKind.Array)
            throw Invalid(points, "a sequence");
        ImmutableArray<GeoPoint> ring = [.. points.EnumerateArray().Select(ParsePoint)];
        if (ring.Length < 4)
            throw GranaryException.BadInput($"polygon invalid, the size must be at least 4, got {ring.Length}");
        if (Math.Abs(ring[0].Latitude - ring[^1].Latitude) > double.Epsilon
            || Math.Abs(ring[0].Longitude - ring[^1].Longitude) > double.Epsilon)
            throw GranaryException.BadInput("polygon invalid, the first and the last points should be the same to form a closed line");
        return ring;
    }

    private static GeoPoint ParsePoint(JsonElement element)
    {
        var point = new GeoPoint(ParseDouble(Need(element, "lon")), ParseDouble(Need(element, "lat")));
        if (point.Longitude is >= -180 and <= 180 && point.Latitude is >= -90 and <= 90)
            return point;
        var (latitude, longitude) = (point.Latitude, point.Longitude);
        throw GranaryException.BadInput(FormattableString.Invariant(
            $"Wrong format of GeoPoint payload: expected `lat` = {latitude} within [-90;90] and `lon` = {longitude} within [-180;180]"));
    }

    private static JsonElement Need(JsonElement element, string field)
    {
        if (element.ValueKind != JsonValueKind.Object)
            throw Invalid(element, $"an object with `{field}`");
        return element.TryGetProperty(field, out var value) && value.ValueKind != JsonValueKind.Null ? value : throw Missing(field);
    }

    private static double ParseDouble(JsonElement element) =>
        element.ValueKind == JsonValueKind.Number && element.TryGetDouble(out var number) && double.IsFinite(number)
            ? number
            : throw Invalid(element, "f64");

    private static bool ParseBool(JsonElement element) =>
        element.ValueKind is JsonValueKind.True or JsonValueKind.False ? element.GetBoolean() : throw Invalid(element, "a boolean");

    private static int? Bound(JsonElement element, string name)
    {
        if (element.ValueKind != JsonValueKind.Object)
            throw Invalid(element, "struct ValuesCount");
        if (!element.TryGetProperty(name, out var bound) || bound.ValueKind == JsonValueKind.Null)
            return null;
        return bound.ValueKind == JsonValueKind.Number && bound.TryGetUInt64(out var count)
            ? (int)Math.Min(count, int.MaxValue)
            : throw Invalid(bound, "usize");
    }

    private static GranaryException NoMatch(JsonElement element) =>
        GranaryException.BadInput($"data did not match any variant of untagged enum MatchInterface: {Show(element)}");
}
