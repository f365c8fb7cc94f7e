using System.Runtime.CompilerServices;
using Granary.Index.Filters;
using Granary.Index.Payload;

namespace Granary.Index.Partition;

/// <summary>A partition as of one operation: what filters are evaluated against. The holder has an epoch, or is the applier.</summary>
internal sealed class View(Published published, SlotTable slots, PayloadStore payloads, PayloadIndexes indexes) : IFilterContext
{
    /// <summary>What was published.</summary>
    public Published Published => published;

    /// <summary>The versions of points.</summary>
    public SlotTable Slots => slots;

    /// <summary>The operation it is as of.</summary>
    public long Operation { get; } = published.Operation;

    /// <inheritdoc/>
    public int SlotBound => published.SlotBound;

    /// <inheritdoc/>
    public long PointCount => published.Points;

    /// <inheritdoc/>
    public PayloadIndexes Indexes => indexes;

    /// <inheritdoc/>
    public ReadOnlySpan<byte> Payload(int slot) => payloads.Get(slot);

    /// <inheritdoc/>
    public PointId IdOf(int slot) => slots.IdOf(slot);

    /// <inheritdoc/>
    public bool TryGetSlot(PointId id, out int slot) => slots.TryFind(id, Operation, out slot);

    /// <inheritdoc/>
    public bool HasVector(int slot, string vector) => published.Fields.Find(vector) is VectorColumn field && field.RowOf(slot) >= 0;

    /// <summary>Whether this view sees that version of a point.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Sees(int slot) => slots.IsVisible(slot, Operation);

    /// <summary>Prepares a filter; null when it matches everything.</summary>
    public FilterPlan? Plan(Filter? filter) => filter is null || filter.IsEmpty ? null : FilterPlan.Compile(filter, this);

    /// <summary>Every slot this view sees that matches, in order of slots.</summary>
    public MatchEnumerator Matches(FilterPlan? plan, CancellationToken cancellation) => new(this, plan, cancellation);
}
