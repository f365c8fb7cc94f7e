using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Granary.Index;

/// <summary>
/// Schemas as UTF-8 JSON: the payload of <see cref="Operations.OperationKind.ChangeSchema"/> (the whole schema) and of
/// <see cref="Operations.OperationKind.CreatePayloadIndex"/> (the one index), and what checkpoints and the catalog hold.
/// <see cref="Operations.OperationKind.DropPayloadIndex"/> carries the path as its key.
/// </summary>
public static class SchemaJson
{
    /// <summary>Writes a schema.</summary>
    public static byte[] Write(IndexSchema schema) => JsonSerializer.SerializeToUtf8Bytes(schema, SchemaContext.Default.IndexSchema);

    /// <summary>Writes a payload index.</summary>
    public static byte[] Write(PayloadIndexSchema index) => JsonSerializer.SerializeToUtf8Bytes(index, SchemaContext.Default.PayloadIndexSchema);

    /// <summary>Reads a schema.</summary>
    /// <exception cref="GranaryException">It is damaged (<see cref="ErrorKind.Corrupted"/>).</exception>
    public static IndexSchema ReadSchema(ReadOnlySpan<byte> json) => Read(json, SchemaContext.Default.IndexSchema);

    /// <summary>Reads a payload index.</summary>
    /// <exception cref="GranaryException">It is damaged (<see cref="ErrorKind.Corrupted"/>).</exception>
    public static PayloadIndexSchema ReadPayloadIndex(ReadOnlySpan<byte> json) => Read(json, SchemaContext.Default.PayloadIndexSchema);

    private static T Read<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(json, type) ?? throw new JsonException("It is null.");
        }
        catch (JsonException e)
        {
            throw new GranaryException(ErrorKind.Corrupted, $"A stored schema is damaged: {e.Message}", e);
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UseStringEnumConverter = true)]
[JsonSerializable(typeof(IndexSchema))]
[JsonSerializable(typeof(PayloadIndexSchema))]
internal sealed partial class SchemaContext : JsonSerializerContext;
