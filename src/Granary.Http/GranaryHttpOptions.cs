using Granary.Collections;

namespace Granary.Http;

/// <summary>Settings of the REST API.</summary>
public sealed record GranaryHttpOptions
{
    /// <summary>The largest request body, bytes (after decompression too); past it the answer is 413.</summary>
    public long MaxRequestBytes { get; init; } = 32L << 20;

    /// <summary>The largest answer, bytes (before compression); one that would be larger is 400 instead.</summary>
    public long MaxResponseBytes { get; init; } = 512L << 20;

    /// <summary>The key every request must bring in <c>api-key</c> or as a bearer token; null: none is needed.</summary>
    public string? ApiKey { get; init; }

    /// <summary>A second key that may only read.</summary>
    public string? ReadOnlyApiKey { get; init; }

    /// <summary>Whether browsers of any origin may call.</summary>
    public bool EnableCors { get; init; } = true;

    /// <summary>Whether responses are compressed for callers that accept gzip.</summary>
    public bool Compression { get; init; } = true;

    /// <summary>How collections ingest whose body does not say.</summary>
    public IngestionSettings Ingestion { get; init; } = new();

    /// <summary>The version of Qdrant whose API is served; clients compare it with their own.</summary>
    public string QdrantVersion { get; init; } = "1.19.0";

    /// <summary>The commit shown at <c>/</c>, 40 hexadecimal digits.</summary>
    public string Commit { get; init; } = "0000000000000000000000000000000000000000";
}
