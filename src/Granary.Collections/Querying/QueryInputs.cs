using Granary.Index;
using Granary.Index.Search;

namespace Granary.Collections.Querying;

/// <summary>Where a query's stored vectors and embeddings come from; given by the host.</summary>
public interface IQueryInputs
{
    /// <summary>Points of another collection (or alias) with one of their vectors.</summary>
    /// <exception cref="GranaryException">There is no such collection.</exception>
    ValueTask<IReadOnlyList<PointRecord>> LookupAsync(
        string collection, IReadOnlyList<PointId> ids, PayloadSelector payload, VectorSelector vectors, ReadOptions read,
        CancellationToken cancellation);

    /// <summary>Embeds texts; an entry is null when its text has no embedding (no known word).</summary>
    /// <exception cref="GranaryException">There is no such model, or it failed.</exception>
    ValueTask<IReadOnlyList<float[]?>> EmbedAsync(string? model, IReadOnlyList<string> texts, CancellationToken cancellation);
}

/// <summary>A stored point's vector that a query refers to.</summary>
/// <param name="Collection">Another collection, or null for the one queried.</param>
/// <param name="Vector">The vector's name.</param>
/// <param name="Id">The point.</param>
public readonly record struct PointReference(string? Collection, string Vector, PointId Id);

/// <summary>What a query refers to, and later what was found.</summary>
public sealed class ResolvedInputs
{
    /// <summary>Of a query that refers to nothing.</summary>
    internal static ResolvedInputs None { get; } = new();

    /// <summary>Vectors of stored points.</summary>
    public Dictionary<PointReference, ExampleVector> Points { get; } = [];

    /// <summary>Embeddings by model and text; null where the text has none.</summary>
    public Dictionary<(string? Model, string Text), float[]?> Texts { get; } = [];
}
