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

    /// <summary>
    /// Rows outside of which the filter accepts none, where they are known beforehand: they are compared all, or walked among, whichever
    /// costs less. It bounds what may be returned; the filter is asked as well.
    /// </summary>
    public RowMask? Mask { get; init; }

    /// <summary>The way to search under a mask.</summary>
    internal MaskedWay Way { get; init; }

    /// <summary>Ends a scan over many rows early with an exception.</summary>
    public CancellationToken Cancellation { get; init; }
}

/// <summary>How the rows of a mask are searched.</summary>
internal enum MaskedWay
{
    /// <summary>Whichever costs less.</summary>
    Cheapest,

    /// <summary>All of them are compared on codes, and the nearest with the originals.</summary>
    Scan,

    /// <summary>The graph is walked from one to the next.</summary>
    Walk,

    /// <summary>What comparing the originals of all of them finds.</summary>
    Exact,
}
