using Granary.Index.Search;

namespace Granary.Index.Postings;

/// <summary>The k best hits so far: a heap whose root is the worst.</summary>
internal sealed class TopHits
{
    private SlotHit[] _heap = new SlotHit[16];
    private int _limit;

    public int Count { get; private set; }

    /// <summary>For how many hits there is room.</summary>
    public int Capacity => _heap.Length;

    /// <summary>How many hits are still to come until it is full.</summary>
    public int Missing => _limit - Count;

    public bool IsFull => Count == _limit;

    /// <summary>The worst hit kept; only when there is one.</summary>
    public SlotHit Worst => _heap[0];

    public void Reset(int limit)
    {
        _limit = limit;
        Count = 0;
    }

    /// <summary>Takes a hit in if it is among the k best.</summary>
    public void Offer<TFilter>(SlotHit hit, ref TFilter filter)
        where TFilter : struct, ISlotFilter
    {
        if (Count < _limit)
        {
            if (Count == _heap.Length)
                Array.Resize(ref _heap, Math.Min(_limit, Count * 2));
            var at = Count++;
            while (at > 0 && Better(_heap[(at - 1) >> 1], hit, ref filter))
            {
                _heap[at] = _heap[(at - 1) >> 1];
                at = (at - 1) >> 1;
            }

            _heap[at] = hit;
        }
        else if (_limit > 0 && Better(hit, _heap[0], ref filter))
        {
            SiftDown(hit, Count, ref filter);
        }
    }

    /// <summary>Appends the hits, best first, and forgets them.</summary>
    public void Drain<TFilter>(List<SlotHit> hits, ref TFilter filter)
        where TFilter : struct, ISlotFilter
    {
        var total = Count;
        for (var end = total - 1; end > 0; end--)
        {
            var worst = _heap[0];
            SiftDown(_heap[end], end, ref filter);
            _heap[end] = worst;
        }

        hits.AddRange(_heap.AsSpan(0, total));
        Count = 0;
    }

    private static bool Better<TFilter>(SlotHit one, SlotHit other, ref TFilter filter)
        where TFilter : struct, ISlotFilter =>
        one.Score > other.Score || (one.Score == other.Score && filter.Precedes(one.Slot, other.Slot));

    private void SiftDown<TFilter>(SlotHit hit, int count, ref TFilter filter)
        where TFilter : struct, ISlotFilter
    {
        var at = 0;
        while (true)
        {
            var child = (2 * at) + 1;
            if (child >= count)
                break;
            if (child + 1 < count && Better(_heap[child], _heap[child + 1], ref filter))
                child++;
            if (!Better(hit, _heap[child], ref filter))
                break;
            _heap[at] = _heap[child];
            at = child;
        }

        _heap[at] = hit;
    }
}
