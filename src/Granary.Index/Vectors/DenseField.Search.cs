using System.Runtime.CompilerServices;
using Granary.Index.Search;

namespace Granary.Index.Vectors;

public sealed unsafe partial class DenseField
{
    // Up to this many times ef, comparing all rows costs no more than the walk.
    private const int ScanFactor = 8;

    // From this share of accepted rows on, the walk ignores the filter and the pool is filtered afterwards.
    private const float LateFilterShare = 0.4f;

    /// <summary>
    /// Finds the nearest rows that the filter accepts, in the graph and among the rows not linked yet. Appends at most K hits (and those
    /// whose score equals the last one's), best first.
    /// </summary>
    public void Search<TFilter>(in DenseSearch search, ref TFilter filter, List<SlotHit> hits)
        where TFilter : struct, ISlotFilter
    {
        Check(search.Query);
        var ef = Math.Max(search.K, search.Ef ?? DefaultEf(search.K));
        if (search.Mask is { } mask)
        {
            SearchMask(search, mask, ef, ref filter, hits);
            return;
        }

        if (_graph is null || Volatile.Read(ref _inGraph) <= (long)ef * ScanFactor)
        {
            SearchExact(search, ref filter, hits);
            return;
        }

        var scratch = SearchScratch.Rent();
        bool complete;
        try
        {
            complete = _codes is not null
                ? SearchGraph(Codes(), search, ef, ref filter, scratch)
                : SearchGraph(Floats(), search, ef, ref filter, scratch);
            if (complete)
                scratch.Top.Drain(Schema.Distance, hits);
        }
        finally
        {
            scratch.Return();
        }

        // The graph did not reach enough accepted rows, or the tail moved on: comparing all is right and bounded.
        if (!complete)
            SearchExact(search, ref filter, hits);
    }

    private int DefaultEf(int k)
    {
        var own = Schema.Hnsw.Ef;
        return own > 0 ? own : Math.Max(DefaultWidth, k + (k / 2));
    }

    private bool SearchGraph<TWalk, TFilter>(in TWalk walk, in DenseSearch search, int ef, ref TFilter filter, SearchScratch scratch)
        where TWalk : struct, IWalk
        where TFilter : struct, ISlotFilter
    {
        // The tail is fixed before the walk: what is not in it was linked before, and the walk can find it.
        var tailStart = LinkedAdds;
        var tailEnd = Added;
        var target = walk.TargetOf(search.Query);
        var entry = _graph!.Entry;
        scratch.Top.Reset(search.K);
        scratch.Rescored = 0;
        if (entry >= 0)
        {
            var start = Descend(walk, target, entry, 0, scratch);

            // Read after the entry and the way down from it, so that where they lead is below it: marks are kept by row.
            var rows = RowCapacity;
            var share = Math.Clamp(search.Selectivity, 0f, 1f) * LiveShare();
            var found = share >= LateFilterShare && WalkThenFilter(walk, search, target, start, ef, share, rows, ref filter, scratch);
            if (!found && !WalkAccepted(walk, search, target, start, ef, share, rows, ref filter, scratch))
                return false;
        }

        return search.IndexedOnly || tailEnd == tailStart || ScanTail(walk, search, target, tailStart, tailEnd, ref filter, scratch);
    }

    /// <summary>Walks without the filter and filters the pool; false when too few of it are accepted.</summary>
    private bool WalkThenFilter<TWalk, TFilter>(
        in TWalk walk, in DenseSearch search, byte* target, int start, int ef, float share, int rows, ref TFilter filter,
        SearchScratch scratch)
        where TWalk : struct, IWalk
        where TFilter : struct, ISlotFilter
    {
        var width = share >= 0.95f ? ef : (int)(ef / share);
        var reach = width;
        if (share < LateFilterShare)
        {
            // By chance fewer rows than expected may be accepted.
            reach = (int)(width * WideReach);
            width += (int)(WideMore / share);
        }

        var pool = WalkLevel(walk, target, start, 0, width, reach, rows, scratch);
        var wanted = RescoreCount(search.K);
        var accepted = Rescore(search, pool, wanted, ref filter, scratch);
        return accepted >= Math.Min(wanted, Math.Max(search.K, ef / 2));
    }

    /// <summary>
    /// Compares the nearest accepted rows of a pool with the originals; returns how many there were, up to <paramref name="wanted"/>.
    /// </summary>
    private int Rescore<TFilter>(in DenseSearch search, in CandidatePool pool, int wanted, ref TFilter filter, SearchScratch scratch)
        where TFilter : struct, ISlotFilter
    {
        var chosen = scratch.Chosen(wanted);
        var slots = scratch.Slots(wanted);
        var approximate = scratch.Distances(wanted);
        var count = 0;
        for (var i = 0; i < pool.Count && count < wanted; i++)
        {
            var row = CandidatePool.Row(pool[i]);
            if (search.Mask is { } mask && !mask.Test(row))
                continue;
            var slot = SlotOf(row);
            if (slot < 0 || (search.IndexedOnly && !IsLinked(row)) || !filter.TryAccept(ref slot))
                continue;
            approximate[count] = CandidatePool.Distance(pool[i]);
            slots[count] = slot;
            chosen[count++] = row;
        }

        scratch.Rescored = CompareAgain(search, chosen, slots, approximate, count, scratch.Top);
        return count;
    }

    /// <summary>
    /// Compares rows, nearest by code first, with the originals, until the rest cannot be among the nearest: by the codes they are farther
    /// than the K-th by a multiple of the largest error of a code met, of several. That is likely, not proven.
    /// Returns how many were compared.
    /// </summary>
    private int CompareAgain(in DenseSearch search, int* rows, int* slots, float* approximate, int count, TopHits top)
    {
        var k = Math.Min(search.K, count);
        var least = Math.Min(Math.Max(search.K, LeastRescored), count);
        PrefetchOriginals(rows, Math.Min(least + RescoreAhead, count));
        top.Reset(search.K);
        var error = 0f;
        var farthest = float.NegativeInfinity;
        for (var i = 0; i < count; i++)
        {
            var expected = _euclid ? MathF.Sqrt(MathF.Max(0f, approximate[i])) : approximate[i];
            if (i >= least)
            {
                if (expected - farthest > error * RescoreErrors)
                    return i;
                if (i + RescoreAhead < count)
                    PrefetchOriginals(rows + i + RescoreAhead, 1);
            }

            var key = KeyOf(search.Query.Pointer, rows[i]);
            top.Add(key, slots[i]);
            error = MathF.Max(error, MathF.Abs(key - expected));
            if (i < k)
                farthest = MathF.Max(farthest, key);
        }

        return count;
    }

    /// <summary>
    /// Compares the rows that were not linked when the search began, on codes, and the nearest with the originals. False when so many
    /// were linked and added since that the queue may have lost some of them, which the walk may have come too early for.
    /// </summary>
    private bool ScanTail<TWalk, TFilter>(
        in TWalk walk, in DenseSearch search, byte* target, long from, long to, ref TFilter filter, SearchScratch scratch)
        where TWalk : struct, IWalk
        where TFilter : struct, ISlotFilter
    {
        // After Added: the queue that held the last add, or a longer one.
        var queue = Volatile.Read(ref _queue);
        var wanted = RescoreCount(search.K);
        var pool = scratch.SecondPool(wanted);
        var rows = RowCapacity;
        var seen = scratch.Visited(rows, out var stamp);
        var chosen = scratch.Chosen(wanted);
        for (var i = 0; i < scratch.Rescored; i++)
            seen[chosen[i]] = stamp;
        for (var add = from; add < to; add++)
        {
            var row = Volatile.Read(ref queue[add & (queue.Length - 1)]);
            if ((uint)row >= (uint)rows || seen[row] == stamp)
                continue;
            seen[row] = stamp;
            var slot = SlotOf(row);
            if (slot < 0)
                continue;
            var key = CandidatePool.Pack(walk.Distance(target, row), row);
            if ((!pool.IsFull || key < pool.Last) && filter.TryAccept(ref slot))
                pool.Add(key);
        }

        if (!StillQueued(queue, from))
            return false;
        for (var i = 0; i < pool.Count; i++)
        {
            var row = CandidatePool.Row(pool[i]);
            var slot = SlotOf(row);
            if (slot >= 0 && filter.TryAccept(ref slot))
                scratch.Top.Add(KeyOf(search.Query.Pointer, row), slot);
        }

        return true;
    }

    // Codes rank a little differently from the originals, so more than K are compared again.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int RescoreCount(int k) => (k * 2) + RescoreMore;
}
