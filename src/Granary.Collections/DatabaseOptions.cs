using Microsoft.Extensions.AI;

namespace Granary.Collections;

/// <summary>Settings of a the standalone database.</summary>
public sealed record DatabaseOptions
{
    /// <summary>Embedding generators by model name.</summary>
    public IReadOnlyDictionary<string, IEmbeddingGenerator<string, Embedding<float>>> Generators { get; init; } =
        new Dictionary<string, IEmbeddingGenerator<string, Embedding<float>>>();

    /// <summary>The generator used where an embedding rule or a query names none.</summary>
    public string? DefaultModel { get; init; }

    /// <summary>Texts embedded in one call.</summary>
    public int EmbeddingBatchSize { get; init; } = 64;

    /// <summary>Embedding calls under way at once.</summary>
    public int EmbeddingConcurrency { get; init; } = 2;

    /// <summary>Time limit of one embedding call; a call is tried three times with backoff.</summary>
    public TimeSpan EmbeddingTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
