using Granary.Embeddings.Glove;
using Microsoft.Extensions.AI;

namespace Granary.Embeddings;

/// <summary>
/// The built-in embedder: 100 values of length 1 a text, from weighted GloVe word vectors (Arora et al., ICLR 2017), with nothing to
/// install and no network. English. Deterministic; any number of threads may use one instance.
/// </summary>
public sealed class GloveEmbeddingGenerator : IEmbeddingGenerator<string, Embedding<float>>
{
    /// <summary>The name it goes by where generators are named.</summary>
    public const string ModelName = "builtin";

    private static readonly EmbeddingGeneratorMetadata Metadata =
        new("granary", null, ModelName, WordTable.BuiltIn.Dimensions);

    private readonly SentenceEmbedder _embedder = new(WordTable.BuiltIn);

    /// <summary>Values a vector.</summary>
    public static int Dimensions => WordTable.BuiltIn.Dimensions;

    /// <summary>Embeds one text; null when it has no known word.</summary>
    public float[]? Embed(ReadOnlySpan<char> text)
    {
        var vector = new float[_embedder.Dimensions];
        return _embedder.TryEmbed(text, vector) ? vector : null;
    }

    /// <summary>Embeds texts. One without a known word gets an embedding of length 0, never a zero vector.</summary>
    public Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(values);
        var results = new GeneratedEmbeddings<Embedding<float>>();
        foreach (var text in values)
        {
            cancellationToken.ThrowIfCancellationRequested();
            results.Add(new Embedding<float>(Embed(text) ?? ReadOnlyMemory<float>.Empty) { ModelId = ModelName });
        }

        return Task.FromResult(results);
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is not null)
            return null;
        return serviceType == typeof(EmbeddingGeneratorMetadata) ? Metadata : serviceType.IsInstanceOfType(this) ? this : null;
    }

    /// <summary>Does nothing: the table is shared.</summary>
    public void Dispose()
    {
    }
}
