using Granary.Index.Filters;
using Granary.Index.Payload;
using Granary.Index.Search;

namespace Granary.Index.Partition;

/// <summary>
/// Accepts the rows of a field whose point a view sees and a filter matches. A row is handed in with its newest slot; the version the
/// view sees is found by walking back, and counts only if it has the same row: a changed vector has another.
/// </summary>
/// <param name="view">What is seen.</param>
/// <param name="field">Whose rows.</param>
/// <param name="plan">The filter; null for none.</param>
/// <param name="matching">The slots that match it, of the visible ones, where that is known.</param>
internal struct SnapshotFilter(View view, Field field, FilterPlan? plan, SlotBits? matching = null) : ISlotFilter
{
    private readonly long _operation = view.Operation;
    private readonly SlotTable _slots = view.Slots;

    /// <inheritdoc/>
    public readonly bool TryAccept(ref int slot)
    {
        var seen = slot;
        if (!_slots.TryResolve(ref seen, _operation))
            return false;
        if (seen != slot && field.RowOf(seen) != field.RowOf(slot))
            return false;
        if (plan is not null && !(matching is { } bits ? bits.Test(seen) : plan.Matches(seen)))
            return false;
        slot = seen;
        return true;
    }

    /// <inheritdoc/>
    public readonly bool Precedes(int slot, int other) => _slots.IdOf(slot) < _slots.IdOf(other);
}
