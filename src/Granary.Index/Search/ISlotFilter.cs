namespace Granary.Index.Search;

/// <summary>
/// Decides which slots a search may return. A slot is one version of a point inside a partition; a field's row knows the
/// newest slot it belongs to, and the filter may walk back to the version the reader's snapshot sees.
/// </summary>
public interface ISlotFilter
{
    /// <summary>Whether the row may be returned; on true, <paramref name="slot"/> is the version this reader sees.</summary>
    bool TryAccept(ref int slot);

    /// <summary>
    /// The order of hits with equal scores: whether the point of <paramref name="slot"/> comes before that of <paramref name="other"/>,
    /// both accepted. By point id it makes the k best the same however points are spread over partitions; text and sparse fields ask it.
    /// </summary>
    bool Precedes(int slot, int other) => slot < other;
}

/// <summary>A hit inside a partition, before slots become ids.</summary>
/// <param name="Slot">The version of the point.</param>
/// <param name="Score">The score as the caller will see it.</param>
public readonly record struct SlotHit(int Slot, float Score);
