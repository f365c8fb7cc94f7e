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
    private static readonly StoredDefaults Defaults = new StoredDefaults()
        .With(new HnswSettings(), SchemaContext.Default.HnswSettings)
        .With(new DenseVectorSchema("", 1, Distance.Cosine), SchemaContext.Default.DenseVectorSchema)
        .With(new TextFieldSchema("", ""), SchemaContext.Default.TextFieldSchema)
        .With(new AnalyzerSettings(), SchemaContext.Default.AnalyzerSettings)
        .With(new PayloadIndexSchema("", PayloadIndexType.Keyword), SchemaContext.Default.PayloadIndexSchema)
        .With(new IndexSchema(), SchemaContext.Default.IndexSchema);

    /// <summary>Writes a schema.</summary>
    public static byte[] Write(IndexSchema schema) => JsonSerializer.SerializeToUtf8Bytes(schema, SchemaContext.Default.IndexSchema);

    /// <summary>Writes a payload index.</summary>
    public static byte[] Write(PayloadIndexSchema index) =>
        JsonSerializer.SerializeToUtf8Bytes(index, SchemaContext.Default.PayloadIndexSchema);

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
            return Defaults.Read(json, type);
        }
        catch (JsonException e)
        {
            throw new GranaryException(ErrorKind.Corrupted, $"A stored schema is damaged: {e.Message}", e);
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UseStringEnumConverter = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(IndexSchema))]
[JsonSerializable(typeof(PayloadIndexSchema))]
internal sealed partial class SchemaContext : JsonSerializerContext;
