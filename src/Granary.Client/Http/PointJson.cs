using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Granary.Collections;
using Granary.Index;

namespace Granary.Client;

/// <summary>Points, ids, vectors and hits as the REST API writes them.</summary>
internal static class PointJson
{
    /// <summary>Writes an id: a number, or a UUID as a string.</summary>
    public static void WriteId(Utf8JsonWriter json, PointId id)
    {
        if (id.Kind == PointIdKind.Number)
            json.WriteNumberValue(id.Number);
        else if (id.Kind == PointIdKind.Uuid)
            json.WriteStringValue(id.Uuid);
        else
            throw GranaryException.BadInput("id: a number or a UUID is needed");
    }

    /// <summary>Writes a point.</summary>
    public static void WritePoint(Utf8JsonWriter json, Point point)
    {
        json.WriteStartObject();
        json.WritePropertyName("id"u8);
        WriteId(json, point.Id);
        json.WritePropertyName("vector"u8);
        if (point.Vectors is [{ Name: "" } only])
            WriteVector(json, only);
        else
        {
            json.WriteStartObject();
            foreach (var vector in point.Vectors)
            {
                json.WritePropertyName(vector.Name);
                WriteVector(json, vector);
            }

            json.WriteEndObject();
        }

        if (point.Payload is { } payload)
        {
            json.WritePropertyName("payload"u8);
            json.WriteRawValue(payload.Utf8.Span, skipInputValidation: true);
        }

        json.WriteEndObject();
    }

    /// <summary>Writes numbers as a list.</summary>
    public static void WriteValues(Utf8JsonWriter json, ReadOnlySpan<float> values)
    {
        json.WriteStartArray();
        foreach (var value in values)
        {
            if (!float.IsFinite(value))
                throw GranaryException.BadInput($"vector: value {value.ToString(CultureInfo.InvariantCulture)} is not finite");
            json.WriteNumberValue(value);
        }

        json.WriteEndArray();
    }

    /// <summary>Writes a matrix as a list of rows.</summary>
    public static void WriteRows(Utf8JsonWriter json, ReadOnlySpan<float> values, int rows)
    {
        if (rows < 1 || values.Length % rows != 0)
            throw GranaryException.BadInput($"vector: {values.Length} values do not make {rows} rows");
        json.WriteStartArray();
        for (var row = 0; row < rows; row++)
            WriteValues(json, values.Slice(row * (values.Length / rows), values.Length / rows));
        json.WriteEndArray();
    }

    /// <summary>Writes a sparse vector.</summary>
    public static void WriteSparse(Utf8JsonWriter json, ReadOnlySpan<uint> indices, ReadOnlySpan<float> values)
    {
        json.WriteStartObject();
        json.WriteStartArray("indices"u8);
        foreach (var index in indices)
            json.WriteNumberValue(index);
        json.WriteEndArray();
        json.WritePropertyName("values"u8);
        WriteValues(json, values);
        json.WriteEndObject();
    }

    /// <summary>Reads an id.</summary>
    public static PointId ReadId(JsonElement id) =>
        id.ValueKind == JsonValueKind.Number ? new PointId(id.GetUInt64()) : new PointId(id.GetGuid());

    /// <summary>Reads a point.</summary>
    public static Point ReadPoint(JsonElement point) => new(ReadId(point.GetProperty("id"u8)))
    {
        Payload = ReadPayload(point),
        Vectors = ReadVectors(point),
    };

    /// <summary>Reads a hit.</summary>
    public static Hit ReadHit(JsonElement hit) => new(ReadId(hit.GetProperty("id"u8)), hit.GetProperty("score"u8).GetSingle())
    {
        Version = hit.TryGetProperty("version"u8, out var version) ? version.GetInt64() : 0,
        Payload = ReadPayload(hit),
        Vectors = ReadVectors(hit),
        Legs = hit.TryGetProperty("legs"u8, out var legs) && legs.ValueKind == JsonValueKind.Array
            ? [.. legs.EnumerateArray().Select(ReadLeg)] : [],
    };

    private static LegRank ReadLeg(JsonElement leg) => leg.TryGetProperty("rank"u8, out var rank) && rank.ValueKind == JsonValueKind.Number
        ? new LegRank(rank.GetInt32(), leg.GetProperty("score"u8).GetSingle())
        : new LegRank(null, 0);

    private static Payload? ReadPayload(JsonElement point) =>
        point.TryGetProperty("payload"u8, out var payload) && payload.ValueKind == JsonValueKind.Object
        ? Payload.Trusted(Encoding.UTF8.GetBytes(payload.GetRawText()))
        : null;

    private static void WriteVector(Utf8JsonWriter json, NamedVector vector)
    {
        if (vector.Indices is { } indices)
            WriteSparse(json, indices, vector.Values);
        else if (vector.Rows == 1)
            WriteValues(json, vector.Values);
        else
            WriteRows(json, vector.Values, vector.Rows);
    }

    private static ImmutableArray<NamedVector> ReadVectors(JsonElement point)
    {
        if (!point.TryGetProperty("vector"u8, out var vector))
            return [];
        return vector.ValueKind switch
        {
            JsonValueKind.Array => [ReadVector("", vector)],
            JsonValueKind.Object => [.. vector.EnumerateObject().Select(v => ReadVector(v.Name, v.Value))],
            _ => [],
        };
    }

    private static NamedVector ReadVector(string name, JsonElement vector)
    {
        if (vector.ValueKind == JsonValueKind.Object)
        {
            uint[] indices = [.. vector.GetProperty("indices"u8).EnumerateArray().Select(i => i.GetUInt32())];
            return new NamedVector(name, Floats(vector.GetProperty("values"u8)), 0, indices);
        }

        if (vector.GetArrayLength() > 0 && vector[0].ValueKind == JsonValueKind.Array)
            return new NamedVector(name, [.. vector.EnumerateArray().SelectMany(Floats)], vector.GetArrayLength());
        return new NamedVector(name, Floats(vector));
    }

    private static float[] Floats(JsonElement list)
    {
        var values = new float[list.GetArrayLength()];
        var at = 0;
        foreach (var value in list.EnumerateArray())
            values[at++] = value.GetSingle();
        return values;
    }
}
