using Granary.Index.Search;

namespace Granary.Index.Partition;

/// <summary>The first k of the items offered, in an order that tells every two apart.</summary>
internal sealed class BestHits<T>(int limit, Comparison<T> order)
{
    private readonly List<T> _items = [];
    private T? _worst;
    private bool _full;

    /// <summary>Whether an item could still be among the first.</summary>
    public bool Takes(T item) => limit > 0 && (!_full || order(item, _worst!) < 0);

    /// <summary>Offers an item.</summary>
    public void Add(T item)
    {
        if (!Takes(item))
            return;
        _items.Add(item);
        if (_items.Count >= (long)limit + Math.Max(limit, 256L))
            Trim();
    }

    /// <summary>The first k, in order.</summary>
    public List<T> Take()
    {
        Trim();
        return _items;
    }

    private void Trim()
    {
        _items.Sort(order);
        if (_items.Count < limit || limit == 0)
            return;
        _items.RemoveRange(limit, _items.Count - limit);
        (_full, _worst) = (true, _items[^1]);
    }
}

/// <summary>Orders of hits; ties by id.</summary>
internal static class HitOrder
{
    /// <summary><see cref="HighestFirst"/>, made once.</summary>
    public static readonly Comparison<LegHit> Highest = HighestFirst;

    /// <summary><see cref="LowestFirst"/>, made once.</summary>
    public static readonly Comparison<LegHit> Lowest = LowestFirst;

    /// <summary>Whether hits stand in an order already.</summary>
    public static bool Holds(List<LegHit> hits, Comparison<LegHit> order)
    {
        for (var i = 1; i < hits.Count; i++)
        {
            if (order(hits[i - 1], hits[i]) > 0)
                return false;
        }

        return true;
    }

    /// <summary>Largest score first.</summary>
    public static int HighestFirst(LegHit a, LegHit b) => a.Score != b.Score ? b.Score.CompareTo(a.Score) : a.Id.CompareTo(b.Id);

    /// <summary>Smallest score first.</summary>
    public static int LowestFirst(LegHit a, LegHit b) => a.Score != b.Score ? a.Score.CompareTo(b.Score) : a.Id.CompareTo(b.Id);
}

/// <summary>The same order of hits that are known by their slots; ids are looked at where scores are equal.</summary>
internal readonly struct SlotOrder(SlotTable slots, bool higherIsBetter)
{
    /// <summary>Whether hits stand in this order already.</summary>
    public bool Holds(ReadOnlySpan<SlotHit> hits)
    {
        for (var i = 1; i < hits.Length; i++)
        {
            if (Compare(hits[i - 1], hits[i]) > 0)
                return false;
        }

        return true;
    }

    /// <summary>The better one first, ties by id.</summary>
    public int Compare(SlotHit a, SlotHit b)
    {
        if (a.Score == b.Score)
            return slots.IdOf(a.Slot).CompareTo(slots.IdOf(b.Slot));
        return higherIsBetter ? b.Score.CompareTo(a.Score) : a.Score.CompareTo(b.Score);
    }
}
