using Granary.Collections;
using Granary.Collections.Ports;
using Granary.Embeddings;
using Microsoft.Extensions.AI;

namespace Granary.Client;

/// <summary>How a database in this process is opened.</summary>
public sealed record EmbeddedGranaryOptions
{
    /// <summary>The connection string: <c>mem:</c>, <c>file:PATH</c>, <c>sqlite:PATH</c> or <c>postgres://…</c>.</summary>
    public string Storage { get; init; } = "file:./granary-data";

    /// <summary>When a write is acknowledged.</summary>
    public Durability Durability { get; init; } = Durability.Process;

    /// <summary>Whether texts can be embedded at all.</summary>
    public bool Embeddings { get; init; } = true;

    /// <summary>Embeds texts; null for the built-in embedder.</summary>
    public IEmbeddingGenerator<string, Embedding<float>>? EmbeddingGenerator { get; init; }

    /// <summary>The engine's further settings; its generators are added to the above.</summary>
    public DatabaseOptions Database { get; init; } = new();

    /// <summary>The engine's settings with the generators.</summary>
    public DatabaseOptions ToDatabaseOptions()
    {
        if (!Embeddings)
            return Database;
        var generators = new Dictionary<string, IEmbeddingGenerator<string, Embedding<float>>>(Database.Generators);
        generators.TryAdd(GloveEmbeddingGenerator.ModelName, new GloveEmbeddingGenerator());
        var model = Database.DefaultModel ?? GloveEmbeddingGenerator.ModelName;
        if (EmbeddingGenerator is { } generator)
        {
            model = (generator.GetService(typeof(EmbeddingGeneratorMetadata)) as EmbeddingGeneratorMetadata)?.DefaultModelId ?? "default";
            generators[model] = generator;
        }

        return Database with { Generators = generators, DefaultModel = model };
    }
}
