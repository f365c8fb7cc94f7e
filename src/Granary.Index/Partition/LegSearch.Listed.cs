using Granary.Index.Search;

namespace Granary.Index.Partition;

/// <content>Legs without scores: in id order, in the order of a value, at random.</content>
internal sealed partial class LegSearch
{
    /// <summary>Points in id order.</summary>
    public LegResult Scan(ScanLeg scan, IdOrder order)
    {
        var from = scan.From ?? default;
        if (leg.Candidates is null && order.TryGet(view, plan, cancellation, out var sorted))
            return Unscored(order.From(sorted, view, from, leg.Limit, plan, cancellation));
        var best = new BestHits<PointId>(leg.Limit, static (a, b) => a.CompareTo(b));
        if (leg.Candidates is not null)
        {
            foreach (var slot in CandidateSlots())
                Offer(slot);
        }
        else if (plan is not null && plan.TryCandidates(CandidateBound, out _))
        {
            foreach (var slot in view.Matches(plan, cancellation))
                Offer(slot);
        }
        else
        {
            // Whether an id can still come is asked first; it costs less than the filter.
            foreach (var slot in view.Matches(null, cancellation))
            {
                var id = view.IdOf(slot);
                if (id >= from && best.Takes(id) && (plan is null || plan.Matches(slot)))
                    best.Add(id);
            }
        }

        return Unscored(best.Take());

        void Offer(int slot)
        {
            var id = view.IdOf(slot);
            if (id >= from)
                best.Add(id);
        }
    }

    /// <summary>Points in the order of an indexed value.</summary>
    public LegResult Order(OrderLeg order)
    {
        if (!view.Indexes.TryOrder(order.Key, order.Descending, order.StartFrom, out var entries))
        {
            throw GranaryException.BadInput(
                $"No range index for `order_by` key: `{order.Key}`. Please create one to use `order_by`. Check "
                + "https://qdrant.tech/documentation/concepts/indexing/#payload-index to see which payload schemas support Range "
                + "conditions" + (view.Published.Schema.FindPayloadIndex(order.Key) is { } index
                    ? $" (it has one of type {index.Type.ToString().ToLowerInvariant()}{(index.Range ? "" : " without range")}; integer "
                        + "with range, float and datetime have an order)"
                    : ""));
        }

        var only = leg.Candidates is null ? null : CandidateSlots().ToHashSet();
        var hits = new List<LegHit>();
        var seen = 0;
        foreach (var (slot, value) in entries)
        {
            if (seen++ % 4096 == 0)
                cancellation.ThrowIfCancellationRequested();

            // Equal values are gathered to the last, so that ties can go by id.
            if (hits.Count >= leg.Limit && (hits.Count == 0 || value.CompareTo(hits[^1].Order!.Value) != 0))
                break;
            if (slot >= view.SlotBound || !view.Sees(slot))
                continue;
            if (only is not null ? only.Contains(slot) : plan is null || plan.Matches(slot))
                hits.Add(new LegHit(view.IdOf(slot), 0f) { Order = value });
        }

        var sign = order.Descending ? -1 : 1;
        hits.Sort((a, b) =>
        {
            var byValue = a.Order!.Value.CompareTo(b.Order!.Value);
            return byValue != 0 ? sign * byValue : a.Id.CompareTo(b.Id);
        });
        if (hits.Count > leg.Limit)
            hits.RemoveRange(leg.Limit, hits.Count - leg.Limit);
        return new LegResult(hits, HigherIsBetter: order.Descending);
    }

    /// <summary>The points whose hashes with the seed are smallest: a uniform choice, whatever the partitions.</summary>
    public LegResult Sample(SampleLeg sample)
    {
        var best = new BestHits<(ulong Key, PointId Id)>(
            leg.Limit, static (a, b) => a.Key != b.Key ? a.Key.CompareTo(b.Key) : a.Id.CompareTo(b.Id));
        if (leg.Candidates is not null)
        {
            foreach (var slot in CandidateSlots())
                best.Add((SampleOrder.Key(sample.Seed, view.IdOf(slot)), view.IdOf(slot)));
        }
        else
        {
            foreach (var slot in view.Matches(plan, cancellation))
                best.Add((SampleOrder.Key(sample.Seed, view.IdOf(slot)), view.IdOf(slot)));
        }

        return Unscored(best.Take().ConvertAll(static item => item.Id));
    }

    private static LegResult Unscored(List<PointId> ids) => new(ids.ConvertAll(static id => new LegHit(id, 0f)), HigherIsBetter: true);
}
