using Granary.Collections;
using Granary.Index.Filters;

namespace Granary.Client;

/// <summary>How a hybrid query makes one ranking of two.</summary>
public enum HybridFusion : byte
{
    /// <summary>Reciprocal rank fusion (Cormack et al., 2009).</summary>
    Rrf,

    /// <summary>Distribution-based score fusion.</summary>
    Dbsf,

    /// <summary>Weighted sum of normalised scores.</summary>
    WeightedSum,

    /// <summary>
    /// Convex combination of normalised scores with feedback (<see cref="ConvexQuery"/>): loses nothing where one side is far better than
    /// the other. The default.
    /// </summary>
    Convex,
}

/// <summary>A hybrid query: nearest by a dense vector and best by BM25, fused.</summary>
/// <param name="Text">The text: ranked by BM25, and embedded where <see cref="Vector"/> is null.</param>
public sealed record HybridQuery(string Text)
{
    /// <summary>The dense query vector; null: the server embeds <see cref="Text"/>.</summary>
    public ReadOnlyMemory<float>? Vector { get; init; }

    /// <summary>
    /// The embedder of <see cref="Text"/>, which should be the one the collection's vectors come from; null: the server's default.
    /// </summary>
    public string? Model { get; init; }

    /// <summary>The dense vector searched.</summary>
    public string VectorName { get; init; } = "";

    /// <summary>The text field searched.</summary>
    public string TextField { get; init; } = "text";

    /// <summary>How the two rankings become one; <see cref="HybridFusion.Rrf"/> gives what Qdrant gives.</summary>
    public HybridFusion Fusion { get; init; } = HybridFusion.Convex;

    /// <summary>The constant of <see cref="HybridFusion.Rrf"/>; the paper's 60.</summary>
    public int RrfK { get; init; } = 60;

    /// <summary>The weight of the dense side, 0 to 1, for <see cref="HybridFusion.WeightedSum"/>.</summary>
    public float Alpha { get; init; } = 0.5f;

    /// <summary>Which points.</summary>
    public Filter? Filter { get; init; }

    /// <summary>How many hits.</summary>
    public int Limit { get; init; } = 10;

    /// <summary>How many candidates each side gives; at least <see cref="Limit"/>. docs/quality.md shows what it changes.</summary>
    public int Candidates { get; init; } = 50;

    /// <summary>Whether hits carry their rank and score on each side (<see cref="Hit.Legs"/>: dense, then BM25).</summary>
    public bool Explain { get; init; }

    /// <summary>Whether hits carry their payload.</summary>
    public bool WithPayload { get; init; } = true;

    /// <summary>The query as the engine takes it: two prefetches and a fusion.</summary>
    public QueryRequest ToRequest()
    {
        var candidates = Math.Max(Candidates, Limit);
        VectorInput dense = Vector is { } vector ? new DenseInput(vector) : new TextInput(Text, Model);
        return new QueryRequest
        {
            Prefetches =
            [
                new Prefetch { Query = new NearestQuery(dense), Using = VectorName, Filter = Filter, Limit = candidates },
                new Prefetch { Query = new NearestQuery(new TextInput(Text)), Using = TextField, Filter = Filter, Limit = candidates },
            ],
            Query = Fusion switch
            {
                HybridFusion.Dbsf => new DbsfQuery(),
                HybridFusion.WeightedSum => new WeightedSumQuery([Alpha, 1 - Alpha]),
                HybridFusion.Rrf => new RrfQuery(RrfK, []),
                _ => new ConvexQuery([]),
            },
            Limit = Limit,
            Explain = Explain,
            WithPayload = WithPayload ? PayloadSelector.All : PayloadSelector.None,
        };
    }
}
