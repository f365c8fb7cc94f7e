using System.Buffers;
using System.Collections.Immutable;
using System.Text.Json;

namespace Granary.Index.Filters;

public static partial class FilterJson
{
    /// <summary>Writes a filter canonically: what <see cref="Parse(JsonElement)"/> reads back as the same filter.</summary>
    public static void Write(Filter filter, IBufferWriter<byte> destination)
    {
        using var writer = new Utf8JsonWriter(destination, new JsonWriterOptions { MaxDepth = MaxJsonDepth, SkipValidation = true });
        WriteFilter(writer, filter);
    }

    private static void WriteFilter(Utf8JsonWriter writer, Filter filter)
    {
        writer.WriteStartObject();
        WriteConditions(writer, "must", filter.Must);
        WriteConditions(writer, "should", filter.Should);
        WriteConditions(writer, "must_not", filter.MustNot);
        if (filter.MinShould is { } minShould)
        {
            writer.WriteStartObject("min_should");
            writer.WriteStartArray("conditions");
            foreach (var condition in minShould.Conditions)
                WriteCondition(writer, condition);
            writer.WriteEndArray();
            writer.WriteNumber("min_count", minShould.MinCount);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    private static void WriteConditions(Utf8JsonWriter writer, string name, ImmutableArray<Condition> conditions)
    {
        if (conditions.IsEmpty)
            return;
        writer.WriteStartArray(name);
        foreach (var condition in conditions)
            WriteCondition(writer, condition);
        writer.WriteEndArray();
    }

    private static void WriteCondition(Utf8JsonWriter writer, Condition condition)
    {
        if (condition is FilterCondition inner)
        {
            WriteFilter(writer, inner.Filter);
            return;
        }

        writer.WriteStartObject();
        switch (condition)
        {
            case MatchAnyCondition { Values.Length: 1 } c:
                StartField(writer, c.Key, "match");
                writer.WritePropertyName("value");
                WriteValue(writer, c.Values[0]);
                writer.WriteEndObject();
                break;
            case MatchAnyCondition c:
                WriteValues(writer, c.Key, "any", c.Values);
                break;
            case MatchExceptCondition c:
                WriteValues(writer, c.Key, "except", c.Values);
                break;
            case MatchTextCondition c:
                StartField(writer, c.Key, "match");
                writer.WriteString(
                    c.Mode switch
                    {
                        TextMatchMode.All => "text",
                        TextMatchMode.Any => "text_any",
                        TextMatchMode.Phrase => "phrase",
                        _ =>
                        "prefix"
                    },
                    c.Text);
                writer.WriteEndObject();
                break;
            case RangeCondition c:
                StartField(writer, c.Key, "range");
                WriteBounds(writer, c.Gt, c.Gte, c.Lt, c.Lte, static (w, name, bound) => w.WriteNumber(name, bound));
                break;
            case DatetimeRangeCondition c:
                StartField(writer, c.Key, "range");
                WriteBounds(writer, c.Gt, c.Gte, c.Lt, c.Lte, static (w, name, bound) => w.WriteString(name, Instant.Format(bound)));
                break;
            case ValuesCountCondition c:
                StartField(writer, c.Key, "values_count");
                WriteBounds(writer, c.Gt, c.Gte, c.Lt, c.Lte, static (w, name, bound) => w.WriteNumber(name, bound));
                break;
            case GeoBoundingBoxCondition c:
                StartField(writer, c.Key, "geo_bounding_box");
                WritePoint(writer, "top_left", c.TopLeft);
                WritePoint(writer, "bottom_right", c.BottomRight);
                writer.WriteEndObject();
                break;
            case GeoRadiusCondition c:
                StartField(writer, c.Key, "geo_radius");
                WritePoint(writer, "center", c.Center);
                writer.WriteNumber("radius", c.RadiusMeters);
                writer.WriteEndObject();
                break;
            case GeoPolygonCondition c:
                WritePolygon(writer, c);
                break;
            case IsEmptyCondition c:
                WriteKey(writer, "is_empty", c.Key);
                break;
            case IsNullCondition c:
                WriteKey(writer, "is_null", c.Key);
                break;
            case HasIdCondition c:
                writer.WriteStartArray("has_id");
                foreach (var id in c.Ids)
                {
                    if (id.Kind == PointIdKind.Number)
                        writer.WriteNumberValue(id.Number);
                    else
                        writer.WriteStringValue(id.Uuid);
                }

                writer.WriteEndArray();
                break;
            case HasVectorCondition c:
                writer.WriteString("has_vector", c.Vector);
                break;
            case SliceCondition c:
                writer.WriteStartObject("slice");
                writer.WriteNumber("total", c.Total);
                writer.WriteNumber("index", c.Index);
                writer.WriteEndObject();
                break;
            case NestedCondition c:
                writer.WriteStartObject("nested");
                writer.WriteString("key", c.Key);
                writer.WritePropertyName("filter");
                WriteFilter(writer, c.Filter);
                writer.WriteEndObject();
                break;
            default:
                throw new InvalidOperationException($"{condition.GetType().Name} has no JSON form.");
        }

        writer.WriteEndObject();
    }

    private static void StartField(Utf8JsonWriter writer, string key, string kind)
    {
        writer.WriteString("key", key);
        writer.WriteStartObject(kind);
    }

    private static void WriteKey(Utf8JsonWriter writer, string name, string key)
    {
        writer.WriteStartObject(name);
        writer.WriteString("key", key);
        writer.WriteEndObject();
    }

    private static void WriteValues(Utf8JsonWriter writer, string key, string name, ImmutableArray<MatchValue> values)
    {
        StartField(writer, key, "match");
        writer.WriteStartArray(name);
        foreach (var value in values)
            WriteValue(writer, value);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WriteValue(Utf8JsonWriter writer, MatchValue value)
    {
        switch (value.Kind)
        {
            case MatchValueKind.Keyword:
                writer.WriteStringValue(value.Text);
                break;
            case MatchValueKind.Integer:
                writer.WriteNumberValue(value.Integer);
                break;
            default:
                writer.WriteBooleanValue(value.Boolean);
                break;
        }
    }

    private static void WriteBounds<T>(Utf8JsonWriter writer, T? gt, T? gte, T? lt, T? lte, Action<Utf8JsonWriter, string, T> write)
        where T : struct
    {
        if (gt is { } a)
            write(writer, "gt", a);
        if (gte is { } b)
            write(writer, "gte", b);
        if (lt is { } c)
            write(writer, "lt", c);
        if (lte is { } d)
            write(writer, "lte", d);
        writer.WriteEndObject();
    }

    private static void WritePoint(Utf8JsonWriter writer, string? name, GeoPoint point)
    {
        if (name is null)
            writer.WriteStartObject();
        else
            writer.WriteStartObject(name);
        writer.WriteNumber("lon", point.Longitude);
        writer.WriteNumber("lat", point.Latitude);
        writer.WriteEndObject();
    }

    private static void WritePolygon(Utf8JsonWriter writer, GeoPolygonCondition polygon)
    {
        StartField(writer, polygon.Key, "geo_polygon");
        writer.WriteStartObject("exterior");
        WriteRing(writer, polygon.Exterior);
        writer.WriteEndObject();
        if (!polygon.Interiors.IsEmpty)
        {
            writer.WriteStartArray("interiors");
            foreach (var ring in polygon.Interiors)
            {
                writer.WriteStartObject();
                WriteRing(writer, ring);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        }

        writer.WriteEndObject();
    }

    private static void WriteRing(Utf8JsonWriter writer, ImmutableArray<GeoPoint> ring)
    {
        writer.WriteStartArray("points");
        foreach (var point in ring)
            WritePoint(writer, null, point);
        writer.WriteEndArray();
    }
}
