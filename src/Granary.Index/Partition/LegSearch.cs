using System.Runtime.InteropServices;
using Granary.Index.Filters;
using Granary.Index.Search;

namespace Granary.Index.Partition;

/// <summary>Runs one leg against one view.</summary>
/// <param name="view">The view.</param>
/// <param name="leg">The leg.</param>
/// <param name="plan">Its filter; null for all points.</param>
/// <param name="into">Receives what a ranked leg finds; null for a list of its own.</param>
/// <param name="ranked">Receives it instead, by slots, and keeps what the search prepares.</param>
/// <param name="cancellation">Ends it early with an exception.</param>
internal sealed partial class LegSearch(
    View view, Leg leg, FilterPlan? plan, List<LegHit>? into, RankedLeg? ranked, CancellationToken cancellation)
{
    private const int MostKept = 16_384;
    private static readonly LegResult HighestBySlot = new([], true);
    private static readonly LegResult LowestBySlot = new([], false);

    [ThreadStatic]
    private static List<SlotHit>? _idleHits;

    private readonly List<SlotHit> _hits = ranked?.Hits ?? TakeHits();

    /// <summary>More than so many points are not searched by reading a list of candidates.</summary>
    private int CandidateBound => Math.Max(1024, view.SlotBound / 2);

    private FieldSet Fields => view.Published.Fields;

    private int Wanted(Field field) => Math.Min(leg.Limit, field.RowCapacity);

    // The slots of the candidates that are there and match.
    private List<int> CandidateSlots()
    {
        var slots = new List<int>();
        foreach (var id in leg.Candidates!.Distinct())
        {
            if (view.TryGetSlot(id, out var slot) && (plan is null || plan.Matches(slot)))
                slots.Add(slot);
        }

        return slots;
    }

    // Rows whose points can match: of the candidates, or of what the payload indexes name. The filter is still to be asked.
    private bool TryRows(Field field, int limit, out List<int> rows)
    {
        rows = [];
        ReadOnlySpan<int> slots;
        if (leg.Candidates is not null)
            slots = CollectionsMarshal.AsSpan(CandidateSlots());
        else if (plan is not null && plan.TryCandidates(limit, out var candidates))
            slots = candidates.Span;
        else
            return false;
        rows.EnsureCapacity(slots.Length);
        foreach (var slot in slots)
        {
            if (slot >= view.SlotBound || !view.Sees(slot))
                continue;
            var row = field.RowOf(slot);
            if (row >= 0)
                rows.Add(row);
        }

        return true;
    }

    private LegResult Finish(bool higherIsBetter)
    {
        if (ranked is not null)
            return FinishSlots(higherIsBetter);
        var hits = into ?? new List<LegHit>(_hits.Count);
        foreach (var hit in _hits)
        {
            if (leg.Admits(hit.Score, higherIsBetter))
                hits.Add(new LegHit(view.IdOf(hit.Slot), hit.Score));
        }

        if (_hits.Capacity <= MostKept)
        {
            _hits.Clear();
            _idleHits = _hits;
        }

        // Fields give their hits nearly in order: all but ties, as a rule.
        var order = higherIsBetter ? HitOrder.Highest : HitOrder.Lowest;
        if (!HitOrder.Holds(hits, order))
            hits.Sort(order);
        if (hits.Count > leg.Limit)
            hits.RemoveRange(leg.Limit, hits.Count - leg.Limit);
        return new LegResult(hits, higherIsBetter);
    }

    private LegResult FinishSlots(bool higherIsBetter)
    {
        if (leg.ScoreThreshold is not null)
            _hits.RemoveAll(hit => !leg.Admits(hit.Score, higherIsBetter));
        var order = new SlotOrder(view.Slots, higherIsBetter);
        if (!order.Holds(CollectionsMarshal.AsSpan(_hits)))
            _hits.Sort(order.Compare);
        if (_hits.Count > leg.Limit)
            _hits.RemoveRange(leg.Limit, _hits.Count - leg.Limit);
        return higherIsBetter ? HighestBySlot : LowestBySlot;
    }

    private static List<SlotHit> TakeHits()
    {
        var hits = _idleHits ?? [];
        _idleHits = null;
        return hits;
    }
}
