using System.Text.Json;
using System.Text.Json.Nodes;
using Granary.Collections;

namespace Granary.Http.Requests;

/// <summary>What a caller declared about vectors that the index itself does not keep.</summary>
internal static class DeclaredVectors
{
    /// <summary>The dense vectors as declared; what was not declared is shown as the schema has it.</summary>
    public static JsonObject Dense(CollectionConfig config)
    {
        if (!config.Declared.TryGetValue("vectors", out var json))
            return DeclaredSchema.Vectors(config.Schema);
        var shown = JsonNode.Parse(json)!.AsObject();
        if (shown["size"] is JsonValue)
        {
            if (config.Schema.Dense is [{ Name: "" }])
                return shown;
            shown = new JsonObject { [""] = shown };
        }

        foreach (var vector in config.Schema.Dense)
        {
            if (shown[vector.Name] is not JsonObject)
                shown[vector.Name] = DeclaredSchema.Vector(vector);
        }

        return shown;
    }

    /// <summary>The sparse vectors likewise.</summary>
    public static JsonObject Sparse(CollectionConfig config)
    {
        var shown = config.Declared.TryGetValue("sparse_vectors", out var json) ? JsonNode.Parse(json)!.AsObject() : [];
        foreach (var vector in config.Schema.Sparse)
        {
            if (shown[vector.Name] is not JsonObject)
                shown[vector.Name] = DeclaredSchema.Sparse(vector);
        }

        return shown;
    }

    /// <summary>The datatype of a dense vector, or null.</summary>
    public static string? Datatype(CollectionConfig config, string name) =>
        config.Declared.TryGetValue("vectors", out var json) && json.Contains("uint8", StringComparison.Ordinal)
        && Vector(JsonElement.Parse(json), name) is { } vector && vector.TryGetProperty("datatype", out var datatype)
            ? datatype.GetString()
            : null;

    /// <summary>A graph setting of a dense vector: its own, or the collection's.</summary>
    public static long? Hnsw(CollectionConfig config, string name, string setting)
    {
        if (config.Declared.TryGetValue("vectors", out var vectors) && Vector(JsonElement.Parse(vectors), name) is { } vector
            && vector.TryGetProperty("hnsw_config", out var own) && own.TryGetProperty(setting, out var value))
            return value.GetInt64();
        return config.Declared.TryGetValue("hnsw_config", out var json) && JsonElement.Parse(json).TryGetProperty(setting, out var common)
            ? common.GetInt64()
            : null;
    }

    /// <summary>Whether a vector's originals are declared to be on disk; null where nothing is.</summary>
    public static bool? OnDisk(CollectionConfig config, string name) =>
        config.Declared.TryGetValue("vectors", out var vectors) && Vector(JsonElement.Parse(vectors), name) is { } vector
        && vector.TryGetProperty("on_disk", out var value) && value.ValueKind is JsonValueKind.True or JsonValueKind.False
            ? value.GetBoolean()
            : null;

    /// <summary>Whether an option of a payload index was given as true.</summary>
    public static bool IndexOption(CollectionConfig config, string path, string option) =>
        config.Declared.TryGetValue("payload_schema", out var json) && JsonElement.Parse(json).TryGetProperty(path, out var index)
        && index.TryGetProperty(option, out var value) && value.ValueKind == JsonValueKind.True;

    private static JsonElement? Vector(JsonElement vectors, string name)
    {
        if (name.Length == 0 && vectors.TryGetProperty("size", out var size) && size.ValueKind == JsonValueKind.Number)
            return vectors;
        return vectors.TryGetProperty(name, out var vector) && vector.ValueKind == JsonValueKind.Object ? vector : null;
    }
}
