using System.Diagnostics.CodeAnalysis;
using Granary.Index.Filters;

namespace Granary.Index.Partition;

/// <summary>
/// The slots of one view in id order, kept for the next page. While a partition is written every page would sort it anew, so a view is
/// only sorted when it is scanned a second time; the first scan selects its page in one pass.
/// </summary>
internal sealed class IdOrder
{
    private Sorted? _sorted;
    private long _scanned = -1;

    /// <summary>The sorted slots of the view, if they are there or worth making.</summary>
    public bool TryGet(View view, FilterPlan? plan, CancellationToken cancellation, [NotNullWhen(true)] out int[]? slots)
    {
        slots = null;
        if (plan is not null && plan.Estimate.Expected * 16 < view.PointCount)
            return false;
        if (Volatile.Read(ref _sorted) is { } sorted && sorted.Operation == view.Operation)
        {
            slots = sorted.Slots;
            return true;
        }

        if (Interlocked.Exchange(ref _scanned, view.Operation) != view.Operation)
            return false;
        slots = Sort(view, cancellation);
        Volatile.Write(ref _sorted, new Sorted(view.Operation, slots));
        return true;
    }

    /// <summary>Forgets the order, and so frees its memory.</summary>
    public void Clear() => Volatile.Write(ref _sorted, null);

    /// <summary>The first ids from one on, inclusive, that match.</summary>
    public List<PointId> From(int[] slots, View view, PointId from, int limit, FilterPlan? plan, CancellationToken cancellation)
    {
        int low = 0, high = slots.Length;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (view.IdOf(slots[middle]) < from)
                low = middle + 1;
            else
                high = middle;
        }

        var ids = new List<PointId>(Math.Min(limit, slots.Length - low));
        for (; low < slots.Length && ids.Count < limit; low++)
        {
            if (low % 4096 == 0)
                cancellation.ThrowIfCancellationRequested();
            if (plan is null || plan.Matches(slots[low]))
                ids.Add(view.IdOf(slots[low]));
        }

        return ids;
    }

    private static int[] Sort(View view, CancellationToken cancellation)
    {
        var slots = new List<int>((int)view.PointCount);
        foreach (var slot in view.Matches(null, cancellation))
            slots.Add(slot);
        var ids = new PointId[slots.Count];
        for (var i = 0; i < ids.Length; i++)
            ids[i] = view.IdOf(slots[i]);
        var sorted = slots.ToArray();
        Array.Sort(ids, sorted);
        return sorted;
    }

    private sealed record Sorted(long Operation, int[] Slots);
}
