using Granary.Index.Filters;

namespace Granary.Index;

/// <content>Counting.</content>
public sealed partial class IndexReader
{
    /// <summary>How many points match: exactly, or an estimate from the payload indexes.</summary>
    public long Count(Filter? filter, bool exact, CancellationToken cancellation = default)
    {
        using var plan = _view.Plan(filter);
        if (plan is null)
            return _view.PointCount;
        if (!exact)
            return Math.Min(plan.Estimate.Expected, _view.PointCount);
        var count = 0L;
        foreach (var _ in _view.Matches(plan, cancellation))
            count++;
        return count;
    }

    /// <summary>The most frequent values of a keyword, integer, bool or uuid index among the points that match.</summary>
    /// <param name="key">The payload path.</param>
    /// <param name="filter">Only points that match; null for all.</param>
    /// <param name="limit">How many values.</param>
    /// <param name="exact">Whether versions that no reader sees any more, and are not reclaimed yet, are left out even without a
    /// filter.</param>
    /// <param name="cancellation">Ends it early with an exception.</param>
    /// <exception cref="GranaryException">There is no such index.</exception>
    public IReadOnlyList<FacetHit> Facet(string key, Filter? filter, int limit, bool exact, CancellationToken cancellation = default)
    {
        if (!_view.Indexes.TryFacet(key, out var entries))
        {
            throw GranaryException.BadInput(
                $"No appropriate index for faceting: `{key}`. Please create one to facet on this field. Check "
                + "https://qdrant.tech/documentation/concepts/indexing/#payload-index to see which payload schemas support Match "
                + "conditions");
        }

        using var plan = _view.Plan(filter);
        var matching = plan is null ? null : MatchingSlots(plan, cancellation);
        var hits = new List<FacetHit>();
        foreach (var entry in entries)
        {
            cancellation.ThrowIfCancellationRequested();
            var count = 0L;
            foreach (var slot in entry.Slots)
            {
                if (slot < _view.SlotBound && (matching is null ? _view.Sees(slot) : matching[slot]))
                    count++;
            }

            if (count > 0)
                hits.Add(new FacetHit(entry.Value, count));
        }

        hits.Sort(static (a, b) => a.Count != b.Count ? b.Count.CompareTo(a.Count) : Compare(a.Value, b.Value));
        return hits.Count > limit ? hits.GetRange(0, limit) : hits;
    }

    private System.Collections.BitArray MatchingSlots(FilterPlan plan, CancellationToken cancellation)
    {
        var matching = new System.Collections.BitArray(_view.SlotBound);
        foreach (var slot in _view.Matches(plan, cancellation))
            matching[slot] = true;
        return matching;
    }

    private static int Compare(MatchValue a, MatchValue b) => a.Kind != b.Kind
        ? a.Kind.CompareTo(b.Kind)
        : a.Kind switch
        {
            MatchValueKind.Keyword => string.CompareOrdinal(a.Text, b.Text),
            MatchValueKind.Integer => a.Integer.CompareTo(b.Integer),
            _ => a.Boolean.CompareTo(b.Boolean),
        };
}
