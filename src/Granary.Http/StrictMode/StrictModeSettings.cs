using System.Text.Json;
using Granary.Collections;
using Granary.Http.Json;

namespace Granary.Http.StrictMode;

/// <summary>Limits a collection puts on requests (Qdrant's <c>strict_mode_config</c>); an absent one does not limit.</summary>
internal sealed partial record StrictModeSettings
{
    private static readonly string[] Counts =
    [
        "search_max_hnsw_ef", "upsert_max_batchsize", "search_max_batchsize", "max_collection_vector_size_bytes",
        "max_collection_payload_size_bytes", "filter_max_conditions", "condition_max_size", "max_payload_index_count",
    ];

    private static readonly string[] PositiveCounts = ["max_query_limit", "max_timeout", "read_rate_limit", "write_rate_limit",
        "max_points_count"];

    private static readonly string[] Flags = ["enabled", "unindexed_filtering_retrieve", "unindexed_filtering_update",
        "search_allow_exact"];

    private readonly JsonElement _limits;

    private StrictModeSettings(JsonElement limits) => _limits = limits;

    /// <summary>The limits of a collection, or null when strict mode is off.</summary>
    public static StrictModeSettings? Of(CollectionConfig config)
    {
        if (!config.Declared.TryGetValue("strict_mode_config", out var json))
            return null;
        var limits = JsonElement.Parse(json);
        return limits.TryGetProperty("enabled", out var enabled)
            && enabled.ValueKind == JsonValueKind.True ? new StrictModeSettings(limits) : null;
    }

    /// <summary>Checks the settings themselves.</summary>
    public static void Check(JsonFields? strictMode)
    {
        if (strictMode is not { } fields)
            return;
        foreach (var name in Flags)
            fields.Flag(name);
        foreach (var name in Counts)
            fields.Count(name);
        foreach (var name in PositiveCounts)
            fields.Count(name, 1);
        fields.Number("search_max_oversampling");
        fields.Count("max_resident_memory_percent", 1, 100);
        foreach (var (name, limit) in (ReadOnlySpan<(string, string)>)[("multivector_config", "max_vectors"),
            ("sparse_config", "max_length")])
        {
            if (fields.Object(name) is not { } vectors)
                continue;
            foreach (var vector in vectors.Element.EnumerateObject())
                new JsonFields(vector.Value, vectors.PathOf(vector.Name)).Count(limit, 1);
        }
    }

    /// <summary>A numeric limit.</summary>
    public long? Limit(string name) => _limits.TryGetProperty(name, out var value) && value.TryGetInt64(out var limit) ? limit : null;

    /// <summary>A permission.</summary>
    public bool? Permission(string name) => _limits.TryGetProperty(name, out var value)
        ? value.ValueKind == JsonValueKind.True
        : null;

    /// <summary>A limit of one vector: <c>sparse_config.x.max_length</c>, <c>multivector_config.x.max_vectors</c>.</summary>
    public long? VectorLimit(string section, string vector, string name) =>
        _limits.TryGetProperty(section, out var vectors) && vectors.TryGetProperty(vector, out var limits)
        && limits.TryGetProperty(name, out var value) && value.TryGetInt64(out var limit)
            ? limit
            : null;

    /// <summary>The limit on oversampling.</summary>
    public double? MaxOversampling => _limits.TryGetProperty("search_max_oversampling", out var value) ? value.GetDouble() : null;
}
