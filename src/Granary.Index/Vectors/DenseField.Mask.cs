using System.Numerics;
using Granary.Index.Search;

namespace Granary.Index.Vectors;

/// <content>Search among rows that are known beforehand.</content>
public sealed unsafe partial class DenseField
{
    // Rows of a scan compared with the originals beyond those of a walk and K: where a filter leaves only what is far from the query, many
    // rows are about as far, and codes cannot tell them apart.
    private const int ScanRescoreMore = 24;

    /// <summary>Searches the rows of a mask.</summary>
    private void SearchMask<TFilter>(in DenseSearch search, RowMask mask, int ef, ref TFilter filter, List<SlotHit> hits)
        where TFilter : struct, ISlotFilter
    {
        if (mask.Count == 0 || search.K <= 0)
            return;
        var share = (float)mask.Count / Math.Max(1, mask.Bound);

        // Among K rows few are the nearest of a part of the graph.
        ef = Math.Max(ef, search.K + (search.K / 2));
        var scratch = SearchScratch.Rent();
        try
        {
            scratch.Top.Reset(search.K);
            if (search.Way == MaskedWay.Exact)
                CompareFew(search, mask, ref filter, scratch);
            else if (_graph is null)
                CompareMask(search, mask, ref filter, scratch);
            else if (_codes is not null)
                SearchMask(Codes(), search, mask, ef, share, ref filter, scratch);
            else
                SearchMask(Floats(), search, mask, ef, share, ref filter, scratch);
            scratch.Top.Drain(Schema.Distance, hits);
        }
        finally
        {
            scratch.Return();
        }
    }

    private void SearchMask<TWalk, TFilter>(
        in TWalk walk, in DenseSearch search, RowMask mask, int ef, float share, ref TFilter filter, SearchScratch scratch)
        where TWalk : struct, IWalk
        where TFilter : struct, ISlotFilter
    {
        var scan = search.Way == MaskedWay.Scan
            || (search.Way == MaskedWay.Cheapest && ScanIsCheaper(mask.Count, search.K, ef, share))
            || mask.Count <= Math.Max(search.K, RescoreCount(search.K) / 2);
        if (!scan)
        {
            // The tail is fixed before the walk: what is not in it was linked before, and the walk can find it.
            var tailStart = LinkedAdds;
            var tailEnd = Added;
            var target = walk.TargetOf(search.Query);
            scratch.Rescored = 0;
            if ((TryWalkWide(walk, search, target, ef, share, ref filter, scratch)
                    || WalkMask(walk, search, mask, target, ef, share, ref filter, scratch))
                && (search.IndexedOnly || tailEnd == tailStart
                    || ScanTail(walk, search, target, tailStart, tailEnd, ref filter, scratch)))
                return;
            scratch.Top.Reset(search.K);
        }

        // Of so few the originals are compared at once.
        if (mask.Count <= RescoreCount(search.K))
            CompareMask(search, mask, ref filter, scratch);
        else
            ScanMask(walk, search, mask, ref filter, scratch);
    }

    /// <summary>Compares all rows of the mask on codes, and the nearest with the originals.</summary>
    private void ScanMask<TWalk, TFilter>(
        in TWalk walk, in DenseSearch search, RowMask mask, ref TFilter filter, SearchScratch scratch)
        where TWalk : struct, IWalk
        where TFilter : struct, ISlotFilter
    {
        var target = walk.TargetOf(search.Query);
        var wanted = ScanKeeps(search.K);
        var pool = scratch.SecondPool(wanted);
        if (SignsFor(mask.Count, search.K) is { } signs && TryScanSigns(walk, signs, search, mask, ref pool, ref filter, scratch))
        {
            Rescore(search, pool, wanted, ref filter, scratch);
            return;
        }

        var ids = scratch.Rows(RowBatches.MostRows);
        var distances = scratch.Distances(RowBatches.MostRows);
        var sure = mask.IsExact && !search.IndexedOnly;
        var batches = new RowBatches(mask, Math.Min(mask.Bound, RowCapacity));
        while (batches.TryNext(ids, out var count))
        {
            search.Cancellation.ThrowIfCancellationRequested();
            walk.Scan(target, ids, count, distances);
            if (pool.IsFull)
                count = RowBatches.KeepNear(ids, distances, count, CandidatePool.Distance(pool.Last));
            for (var j = 0; j < count; j++)
            {
                var key = CandidatePool.Pack(distances[j], ids[j]);
                if ((!pool.IsFull || key < pool.Last) && (sure || Accepts(search, ids[j], ref filter)))
                    pool.Add(key);
            }
        }

        Rescore(search, pool, wanted, ref filter, scratch);
    }

    private static int ScanKeeps(int k) => RescoreCount(k) + k + ScanRescoreMore;

    /// <summary>Compares the originals of all rows of the mask.</summary>
    private void CompareMask<TFilter>(in DenseSearch search, RowMask mask, ref TFilter filter, SearchScratch scratch)
        where TFilter : struct, ISlotFilter
    {
        var words = mask.Words;
        var bound = Math.Min(mask.Bound, RowCapacity);
        var compared = 0;
        for (var i = 0; i < words.Length; i++)
        {
            for (var word = words[i]; word != 0; word &= word - 1)
            {
                var row = (i << 6) + BitOperations.TrailingZeroCount(word);
                if (row >= bound)
                    return;
                if (compared++ % RowsAtOnce == 0)
                    search.Cancellation.ThrowIfCancellationRequested();
                var slot = SlotOf(row);
                if (slot < 0 || (search.IndexedOnly && !IsLinked(row)) || !filter.TryAccept(ref slot))
                    continue;
                scratch.Top.Add(KeyOf(search.Query.Pointer, row), slot);
            }
        }
    }

    private bool Accepts<TFilter>(in DenseSearch search, int row, ref TFilter filter)
        where TFilter : struct, ISlotFilter
    {
        var slot = SlotOf(row);
        return slot >= 0 && (!search.IndexedOnly || IsLinked(row)) && filter.TryAccept(ref slot);
    }
}
