using Granary.Index.Payload;

namespace Granary.Index.Filters;

/// <summary>What a filter is evaluated against: one view of a partition. Implementations are thread-safe.</summary>
public interface IFilterContext
{
    /// <summary>Every slot of this view is below it.</summary>
    int SlotBound { get; }

    /// <summary>Points of this view, for estimates.</summary>
    long PointCount { get; }

    /// <summary>The payload indexes. An index must hold every slot of this view.</summary>
    PayloadIndexes Indexes { get; }

    /// <summary>The payload of exactly that slot, UTF-8 JSON; empty for none.</summary>
    ReadOnlySpan<byte> Payload(int slot);

    /// <summary>The id of the point the slot is a version of.</summary>
    PointId IdOf(int slot);

    /// <summary>The slot this view sees of a point.</summary>
    bool TryGetSlot(PointId id, out int slot);

    /// <summary>Whether that version of the point has the named vector; false for unknown names.</summary>
    bool HasVector(int slot, string vector);
}
