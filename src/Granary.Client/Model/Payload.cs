using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Granary.Index;

namespace Granary.Client;

/// <summary>A point's payload: a JSON object, held as UTF-8 text and parsed only when asked. Immutable.</summary>
public sealed class Payload
{
    /// <summary>Wraps the UTF-8 text of a JSON object.</summary>
    /// <exception cref="GranaryException">The text is not a JSON object.</exception>
    public Payload(ReadOnlyMemory<byte> utf8)
    {
        Check(utf8.Span);
        Utf8 = utf8;
    }

    private Payload(ReadOnlyMemory<byte> utf8, bool _) => Utf8 = utf8;

    /// <summary>The JSON object as UTF-8 text.</summary>
    public ReadOnlyMemory<byte> Utf8 { get; }

    /// <summary>Makes a payload of a JSON object.</summary>
    public static Payload Of(JsonObject value)
    {
        ArgumentNullException.ThrowIfNull(value);
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
            value.WriteTo(writer);
        return new Payload(buffer.ToArray(), true);
    }

    /// <summary>Makes a payload of a value that serialises to a JSON object.</summary>
    public static Payload Of<T>(T value, JsonTypeInfo<T> type) => new(JsonSerializer.SerializeToUtf8Bytes(value, type));

    /// <summary>The payload as a JSON tree.</summary>
    public JsonObject ToJson() => JsonNode.Parse(Utf8.Span)!.AsObject();

    /// <summary>The payload as a value.</summary>
    /// <exception cref="JsonException">It does not fit the type.</exception>
    public T? As<T>(JsonTypeInfo<T> type) => JsonSerializer.Deserialize(Utf8.Span, type);

    /// <summary>The string at a top-level key, or null.</summary>
    public string? Text(string key)
    {
        var reader = new Utf8JsonReader(Utf8.Span);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var found = reader.ValueTextEquals(key);
            reader.Read();
            if (found)
                return reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
            reader.Skip();
        }

        return null;
    }

    /// <summary>The JSON text.</summary>
    public override string ToString() => System.Text.Encoding.UTF8.GetString(Utf8.Span);

    /// <summary>Wraps what the engine or a server sent, which is a JSON object already.</summary>
    internal static Payload Trusted(ReadOnlyMemory<byte> utf8) => new(utf8.IsEmpty ? "{}"u8.ToArray() : utf8, true);

    private static void Check(ReadOnlySpan<byte> utf8)
    {
        try
        {
            var reader = new Utf8JsonReader(utf8);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                throw GranaryException.BadInput("payload: a JSON object is needed");
            while (reader.Read())
            {
            }
        }
        catch (JsonException e)
        {
            throw new GranaryException(ErrorKind.BadInput, $"payload: {e.Message}", e);
        }
    }
}
