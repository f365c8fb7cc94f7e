using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Granary.Index;

namespace Granary.Collections.Catalog;

/// <summary>What the catalog holds of a collection.</summary>
/// <param name="Format">The version of this document's shape.</param>
/// <param name="Incarnation">Names the collection's data for ever; a collection created again under the same name gets another.</param>
/// <param name="Config">The settings now.</param>
/// <param name="InitialSchema">The schema at creation, where the logs begin.</param>
/// <param name="Placement">Who owns which placement slots.</param>
public sealed record CollectionDocument(
    int Format, Guid Incarnation, CollectionConfig Config, IndexSchema InitialSchema, ImmutableArray<SlotRange> Placement)
{
    /// <summary>The version this program writes, and the newest it reads.</summary>
    public const int CurrentFormat = 1;

    /// <summary>
    /// How large its partitions are (<see cref="Catalog.SizeClass"/>), as measured by the one process of a cluster that makes changes. Not
    /// written where it is 0: versions that know nothing of it read the rest, and a document without it is one of class 0.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int SizeClass { get; init; }
}

/// <summary>What the catalog holds of an alias.</summary>
/// <param name="Collection">The collection it stands for.</param>
public sealed record AliasDocument(string Collection);

/// <summary>Writes and reads the catalog's documents.</summary>
public static class CatalogJson
{
    private static readonly StoredDefaults Defaults = new StoredDefaults()
        .With(new HnswSettings(), CatalogContext.Default.HnswSettings)
        .With(new DenseVectorSchema("", 1, Distance.Cosine), CatalogContext.Default.DenseVectorSchema)
        .With(new TextFieldSchema("", ""), CatalogContext.Default.TextFieldSchema)
        .With(new AnalyzerSettings(), CatalogContext.Default.AnalyzerSettings)
        .With(new PayloadIndexSchema("", PayloadIndexType.Keyword), CatalogContext.Default.PayloadIndexSchema)
        .With(new IndexSchema(), CatalogContext.Default.IndexSchema)
        .With(new IngestionSettings(), CatalogContext.Default.IngestionSettings)
        .With(new CollectionConfig(), CatalogContext.Default.CollectionConfig);

    /// <summary>A collection's document as UTF-8 JSON.</summary>
    public static byte[] Write(CollectionDocument document) =>
        JsonSerializer.SerializeToUtf8Bytes(document, CatalogContext.Default.CollectionDocument);

    /// <summary>An alias' document as UTF-8 JSON.</summary>
    public static byte[] Write(AliasDocument document) =>
        JsonSerializer.SerializeToUtf8Bytes(document, CatalogContext.Default.AliasDocument);

    /// <summary>A schema as UTF-8 JSON.</summary>
    public static byte[] Write(IndexSchema schema) => JsonSerializer.SerializeToUtf8Bytes(schema, CatalogContext.Default.IndexSchema);

    /// <summary>Reads a schema.</summary>
    /// <exception cref="GranaryException">It is damaged.</exception>
    public static IndexSchema ReadSchema(ReadOnlyMemory<byte> json) => Read("schema", json, CatalogContext.Default.IndexSchema);

    /// <summary>A collection's settings as UTF-8 JSON.</summary>
    public static byte[] Write(CollectionConfig config) =>
        JsonSerializer.SerializeToUtf8Bytes(config, CatalogContext.Default.CollectionConfig);

    /// <summary>A payload index as UTF-8 JSON.</summary>
    public static byte[] Write(PayloadIndexSchema index) =>
        JsonSerializer.SerializeToUtf8Bytes(index, CatalogContext.Default.PayloadIndexSchema);

    /// <summary>Reads a collection's settings.</summary>
    /// <exception cref="GranaryException">They are damaged.</exception>
    public static CollectionConfig ReadConfig(ReadOnlyMemory<byte> json) => Read("config", json, CatalogContext.Default.CollectionConfig);

    /// <summary>Reads a payload index.</summary>
    /// <exception cref="GranaryException">It is damaged.</exception>
    public static PayloadIndexSchema ReadPayloadIndex(ReadOnlyMemory<byte> json) =>
        Read("payload index", json, CatalogContext.Default.PayloadIndexSchema);

    /// <summary>Reads a collection's document.</summary>
    /// <exception cref="GranaryException">It is damaged, or written by a newer version.</exception>
    public static CollectionDocument ReadCollection(string key, ReadOnlyMemory<byte> json)
    {
        var document = Read(key, json, CatalogContext.Default.CollectionDocument);
        if (document.Format > CollectionDocument.CurrentFormat)
        {
            throw new GranaryException(
                ErrorKind.Corrupted,
                $"The catalog's document '{key}' has format {document.Format}; this version reads up to "
                    + $"{CollectionDocument.CurrentFormat}. Use a newer version.");
        }

        return document;
    }

    /// <summary>Reads an alias' document.</summary>
    /// <exception cref="GranaryException">It is damaged.</exception>
    public static AliasDocument ReadAlias(string key, ReadOnlyMemory<byte> json) => Read(key, json, CatalogContext.Default.AliasDocument);

    private static T Read<T>(string key, ReadOnlyMemory<byte> json, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return Defaults.Read(json.Span, type);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new GranaryException(ErrorKind.Corrupted, $"The catalog's document '{key}' is damaged: {e.Message}", e);
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UseStringEnumConverter = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(CollectionDocument))]
[JsonSerializable(typeof(AliasDocument))]
internal sealed partial class CatalogContext : JsonSerializerContext;
