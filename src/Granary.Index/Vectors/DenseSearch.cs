namespace Granary.Index.Vectors;

/// <summary>What a search over a <see cref="DenseField"/> asks for.</summary>
/// <param name="Query">The prepared query; it must have been made for the same size and distance.</param>
/// <param name="K">How many hits are wanted.</param>
public readonly record struct DenseSearch(DenseQuery Query, int K)
{
    /// <summary>Candidates kept while walking; null for the field's own, or a choice from k where that is 0.</summary>
    public int? Ef { get; init; }

    /// <summary>Whether rows that are not linked yet are left out.</summary>
    public bool IndexedOnly { get; init; }

    /// <summary>
    /// The estimated share of the field's rows that the filter accepts, 0 to 1. It chooses the way of walking, never what may be
    /// returned.
    /// </summary>
    public float Selectivity { get; init; } = 1f;

    /// <summary>Ends a scan over many rows early with an exception.</summary>
    public CancellationToken Cancellation { get; init; }
}
