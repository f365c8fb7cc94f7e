namespace Granary.Index.Search;

/// <summary>
/// May be implemented by a slot filter: the order of hits with equal scores (by point id), so that which of them are
/// among the k best does not depend on how points are spread over partitions.
/// </summary>
public interface ISlotOrder
{
    /// <summary>Whether the point of <paramref name="slot"/> comes before that of <paramref name="other"/>; both were accepted by the filter.</summary>
    bool Precedes(int slot, int other);
}
