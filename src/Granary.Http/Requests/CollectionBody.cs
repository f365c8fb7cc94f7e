using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Granary.Collections;
using Granary.Http.Hosting;
using Granary.Http.Json;
using Granary.Index;

namespace Granary.Http.Requests;

/// <summary>Reads the body that creates a collection.</summary>
internal static partial class CollectionBody
{
    /// <summary>Keys that mean nothing here and are shown again as they were given.</summary>
    private static readonly string[] Kept =
    [
        "vectors", "sparse_vectors", "shard_number", "sharding_method", "replication_factor", "write_consistency_factor", "on_disk_payload",
        "payload", "hnsw_config", "wal_config", "optimizers_config", "quantization_config", "strict_mode_config", "metadata",
    ];

    /// <summary>The collection's settings; how it ingests, where the body does not say, is the server's default.</summary>
    public static CollectionConfig Create(JsonElement body, IngestionSettings ingestion)
    {
        var fields = new JsonFields(body);
        var hnsw = ReadHnsw(fields.Object("hnsw_config"));
        CheckOptimizers(fields.Object("optimizers_config"));
        CheckWal(fields.Object("wal_config"));
        CheckQuantization(fields["quantization_config"] ?? fields["quantization"], "quantization_config");
        StrictMode.StrictModeSettings.Check(fields.Object("strict_mode_config"));
        fields.Word("sharding_method", "auto", "custom");
        fields.Flag("on_disk_payload");
        if (fields.Object("payload") is { } payload)
            CheckPlacement(payload);
        fields.Int("write_consistency_factor", 1);
        var schema = new IndexSchema
        {
            Dense = [.. ReadVectors(fields["vectors"], hnsw)],
            Sparse = [.. ReadSparse(fields["sparse_vectors"])],
            Text = [.. ReadText(fields["text"])],
        };
        CheckNames(schema);
        return new CollectionConfig
        {
            Schema = schema,
            Partitions = fields.Int("shard_number", 1, 1024) ?? 1,
            Replicas = fields.Int("replication_factor", 1) ?? 1,
            Ingestion = ReadIngestion(fields.Object("indexing"), ingestion),
            Embeddings = [.. ReadEmbeddings(fields, schema)],
            Declared = ReadDeclared(fields),
        };
    }

    /// <summary>One dense vector's settings.</summary>
    public static DenseVectorSchema ReadVector(string name, JsonFields vector, HnswSettings hnsw)
    {
        var size = vector.Required("size");
        if (size.ValueKind != JsonValueKind.Number)
            throw JsonFields.Wrong(vector.PathOf("size"), size, "usize");
        var distance = vector.Word("distance", "Cosine", "Euclid", "Dot", "Manhattan")
            ?? throw ApiException.Format($"{vector.PathOf("distance")}: missing field `distance`");
        vector.Word("datatype", "float32", "uint8", "float16", "turbo4");
        CheckPlacement(vector);
        CheckQuantization(vector["quantization_config"], vector.PathOf("quantization_config"));
        vector.Object("multivector_config")?.Word("comparator", "max_sim");
        var dimensions = (int)vector.Count("size", 1, 65_536)!.Value;
        if (dimensions > DenseVectorSchema.MaxSize)
            throw ApiException.Invalid(vector.PathOf("size"), $"value {dimensions} invalid, must be from 1 to {DenseVectorSchema.MaxSize}");
        var own = ReadHnsw(vector.Object("hnsw_config"), hnsw);
        var threshold = vector.Object("hnsw_config")?.Count("full_scan_threshold");
        return new DenseVectorSchema(name, dimensions, Enum.Parse<Distance>(distance))
        {
            // Qdrant counts kilobytes of vectors, the index counts points.
            Hnsw = threshold is { } kilobytes
                ? own with { FullScanThreshold = (int)Math.Clamp(kilobytes * 1024 / (dimensions * 4), 1, int.MaxValue) } : own,
            Storage = vector.Word("storage", "float32_with_codes", "float32", "int8") switch
            {
                "float32" => VectorStorage.Float32,
                "int8" => VectorStorage.Int8,
                _ => VectorStorage.Float32WithCodes,
            },
            OnDisk = vector.Flag("on_disk") ?? false,
            MultiVector = vector["multivector_config"] is not null,
        };
    }

    /// <summary>One sparse vector's settings.</summary>
    public static SparseVectorSchema ReadSparseVector(string name, JsonFields vector)
    {
        if (vector.Object("index") is { } index)
        {
            index.Count("full_scan_threshold");
            index.Flag("on_disk");
            if (index.Text("datatype") == "turbo4")
                throw ApiException.Invalid(index.PathOf("datatype"), "sparse vectors do not support the turbo4 datatype");
            index.Word("datatype", "float32", "uint8", "float16");
        }

        return new SparseVectorSchema(name, vector.Word("modifier", "none", "idf") == "idf");
    }

    private static IEnumerable<DenseVectorSchema> ReadVectors(JsonElement? vectors, HnswSettings hnsw)
    {
        if (vectors is not { } value)
            yield break;
        var fields = new JsonFields(value, "vectors");
        if (fields["size"] is { ValueKind: JsonValueKind.Number } || fields["distance"] is { ValueKind: JsonValueKind.String })
        {
            yield return ReadVector("", fields, hnsw);
            yield break;
        }

        foreach (var vector in value.EnumerateObject())
            yield return ReadVector(CheckName(vector.Name), new JsonFields(vector.Value, $"vectors.{vector.Name}"), hnsw);
    }

    private static IEnumerable<SparseVectorSchema> ReadSparse(JsonElement? vectors)
    {
        if (vectors is not { } value)
            yield break;
        _ = new JsonFields(value, "sparse_vectors");
        foreach (var vector in value.EnumerateObject())
        {
            if (vector.Value.ValueKind == JsonValueKind.Null)
                throw JsonFields.Wrong($"sparse_vectors.{vector.Name}", vector.Value, "struct SparseVectorParams");
            if (vector.Name.Length == 0)
                throw ApiException.WrongInput("Sparse vector name cannot be empty");
            yield return ReadSparseVector(CheckName(vector.Name), new JsonFields(vector.Value, $"sparse_vectors.{vector.Name}"));
        }
    }

    /// <summary>Where data is kept in memory has no meaning here, but what Qdrant refuses is refused.</summary>
    internal static void CheckPlacement(JsonFields fields)
    {
        if (fields.Word("memory", "cold", "cached", "pinned") == "pinned")
            throw ApiException.Invalid(fields.PathOf("memory"), "the `pinned` placement is not available for this storage");
    }

    private static string CheckName(string name)
    {
        Collections.Catalog.CollectionName.ValidateVector(name);
        return name;
    }

    private static void CheckNames(IndexSchema schema)
    {
        var names = schema.Dense.Select(v => v.Name).Concat(schema.Sparse.Select(v => v.Name)).Concat(schema.Text.Select(v => v.Name));
        foreach (var twice in names.GroupBy(n => n).Where(g => g.Count() > 1))
            throw ApiException.WrongInput($"Dense and sparse vector names must be unique - duplicate found with '{twice.Key}'");
    }

    private static ImmutableDictionary<string, string> ReadDeclared(JsonFields fields)
    {
        var declared = ImmutableDictionary.CreateBuilder<string, string>();
        foreach (var key in Kept)
        {
            if ((fields[key] ?? (key == "quantization_config" ? fields["quantization"] : null)) is { } value)
                declared[key] = key == "metadata" ? JsonText.Node(value).ToJsonString()
                    : WithoutNulls(JsonText.Node(value))!.ToJsonString();
        }

        return declared.ToImmutable();
    }

    /// <summary>The value without members that are null.</summary>
    internal static JsonNode? WithoutNulls(JsonNode? node)
    {
        if (node is JsonObject members)
        {
            foreach (var name in members.Where(m => m.Value is null).Select(m => m.Key).ToList())
                members.Remove(name);
            foreach (var (_, value) in members)
                WithoutNulls(value);
        }

        return node;
    }
}
