using Granary.Index.Filters;
using Granary.Index.Search;

namespace Granary.Index.Partition;

/// <summary>Runs one leg against one view.</summary>
internal sealed partial class LegSearch(View view, Leg leg, FilterPlan? plan, CancellationToken cancellation)
{
    private readonly List<SlotHit> _hits = [];

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
            slots = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(CandidateSlots());
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
        var hits = new List<LegHit>(_hits.Count);
        foreach (var hit in _hits)
        {
            if (Passes(hit.Score, higherIsBetter))
                hits.Add(new LegHit(view.IdOf(hit.Slot), hit.Score));
        }

        hits.Sort(higherIsBetter ? HitOrder.HighestFirst : HitOrder.LowestFirst);
        if (hits.Count > leg.Limit)
            hits.RemoveRange(leg.Limit, hits.Count - leg.Limit);
        return new LegResult(hits, higherIsBetter);
    }

    private bool Passes(float score, bool higherIsBetter) =>
        leg.ScoreThreshold is not { } threshold || (higherIsBetter ? score >= threshold : score <= threshold);
}
