using System.Text.Json;

namespace Granary.Index.Sparse;

/// <summary>A sparse vector: dimensions ascending, each with its value.</summary>
/// <param name="Indices">The dimensions.</param>
/// <param name="Values">The values.</param>
public readonly record struct SparseValues(uint[] Indices, float[] Values);

/// <summary>Qdrant's <c>qdrant/bm25</c>: text to sparse vectors with its tokens, hashing and weights. Thread-safe.</summary>
public sealed class Bm25Document
{
    private Bm25Document()
    {
    }

    /// <summary>Whether a model name means BM25 (<c>qdrant/bm25</c> or <c>bm25</c>, in any case).</summary>
    public static bool IsModel(string model) =>
        model.Equals("qdrant/bm25", StringComparison.OrdinalIgnoreCase) || model.Equals("bm25", StringComparison.OrdinalIgnoreCase);

    /// <summary>Makes the embedder of an <c>options</c> object; null for the defaults.</summary>
    /// <exception cref="GranaryException">An option has a wrong type or value.</exception>
    public static Bm25Document Create(JsonElement? options) => throw new NotImplementedException();

    /// <summary>The stored side: each distinct token's weight is its saturated, length-normalised frequency.</summary>
    public SparseValues EmbedDocument(string text) => throw new NotImplementedException();

    /// <summary>The query side: each distinct token weighs 1.</summary>
    public SparseValues EmbedQuery(string text) => throw new NotImplementedException();
}
