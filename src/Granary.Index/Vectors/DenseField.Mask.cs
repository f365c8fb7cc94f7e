using System.Numerics;
using Granary.Index.Search;

namespace Granary.Index.Vectors;

/// <content>Search among rows that are known beforehand.</content>
public sealed unsafe partial class DenseField
{
    // Rows of a scan compared with the originals beyond those of a walk and K: where a filter leaves only what is far from the query, many
    // rows are about as far, and codes cannot tell them apart.
    private const int ScanRescoreMore = 24;

    // Rows of the mask that a walk begins with besides the entry, spread over the field: where the entry's surroundings hold none, or
    // only a cluster apart from the best, they lead on. So many for one of ef, and at least.
    private const float SeedsOfEf = 0.5f;
    private const int LeastSeeds = 12;

    // A walk under a mask gives up after so many times the lists it was expected to read, or what comparing all rows costs: that at most
    // doubles the time.
    private const int WalkPatience = 2;

    /// <summary>Searches the rows of a mask; false where the search without it is as good, because most rows are in it.</summary>
    private bool TrySearchMask<TFilter>(in DenseSearch search, RowMask mask, int ef, ref TFilter filter, List<SlotHit> hits)
        where TFilter : struct, ISlotFilter
    {
        if (mask.Count == 0 || search.K <= 0)
            return true;
        var share = (float)mask.Count / Math.Max(1, mask.Bound);
        if (search.Way == MaskedWay.Cheapest && share >= LateFilterShare && !ScanIsCheaper(mask.Count, search.K, ef, 1f))
            return false;
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
            return true;
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
            if (WalkMask(walk, search, mask, target, ef, share, ref filter, scratch)
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

    /// <summary>
    /// Walks the graph that the mask's rows form when those two links apart count as neighbours where the row between is outside (ACORN-1,
    /// Patel et al., arXiv:2403.04871): only rows of the mask are compared. False when it found too few, or it took too long.
    /// </summary>
    private bool WalkMask<TWalk, TFilter>(
        in TWalk walk, in DenseSearch search, RowMask mask, byte* target, int ef, float share, ref TFilter filter, SearchScratch scratch)
        where TWalk : struct, IWalk
        where TFilter : struct, ISlotFilter
    {
        var graph = _graph!;
        var entry = graph.Entry;
        if (entry < 0)
            return false;
        var start = Descend(walk, target, entry, 0, scratch);
        var rows = Math.Min(RowCapacity, mask.Bound);
        if (start >= rows)
            return false;
        var width = graph.BaseLinks;
        var wanted = RescoreCount(search.K);
        var visited = scratch.Visited(rows, out var stamp);
        var pool = scratch.SecondPool(Math.Max(ef, search.K));
        var seeds = Math.Max(LeastSeeds, (int)(ef * SeedsOfEf));
        var ids = scratch.Rows((width * 2) + seeds);
        var distances = scratch.Distances((width * 2) + seeds);
        var through = scratch.Chosen(Math.Max(wanted, width * 2));
        var more = through + width;
        var budget = (long)Math.Max(WalkPatience * ef * ListsRead(share), mask.Count * RowCost / ListCost);
        fixed (ulong* bits = mask.Words)
        {
            visited[start] = stamp;
            ids[0] = start;
            var count = 1 + Seed(mask, seeds, rows, visited, stamp, ids + 1);
            for (var i = 0; i < count; i++)
                walk.Prefetch(ids[i]);
            while (true)
            {
                walk.Distances(target, ids, count, distances);
                for (var i = 0; i < count; i++)
                {
                    var key = CandidatePool.Pack(distances[i], ids[i]);
                    if ((!pool.IsFull || key < pool.Last) && (mask.IsExact || ids[i] == start || Accepts(search, ids[i], ref filter)))
                        pool.Add(key);
                }

                if (!pool.TryVisit(out var row))
                    break;
                if (budget < 0)
                    return false;
                var links = graph.Links(row);
                var between = 0;
                count = 0;
                for (var i = 0; i < width; i++)
                {
                    var id = Volatile.Read(ref links[i]);
                    if ((uint)id >= (uint)rows || visited[id] == stamp)
                        continue;
                    if ((bits[id >> 6] & (1UL << id)) != 0)
                    {
                        visited[id] = stamp;
                        walk.Prefetch(id);
                        ids[count++] = id;
                    }
                    else
                    {
                        through[between++] = id;
                        PrefetchLinks(id);
                    }
                }

                budget -= 1 + between;
                for (var j = 0; j < between && count < width; j++)
                {
                    visited[through[j]] = stamp;
                    var inside = Inside(graph.Links(through[j]), width, bits, rows, more);
                    for (var i = 0; i < inside; i++)
                    {
                        var id = more[i];
                        if (visited[id] == stamp)
                            continue;
                        visited[id] = stamp;
                        walk.Prefetch(id);
                        ids[count++] = id;
                    }
                }

                if (pool.Peek() is >= 0 and var next)
                    PrefetchLinks(next);
            }
        }

        return Rescore(search, pool, wanted, ref filter, scratch) >= Math.Min(search.K, mask.Count);
    }

    // Without a branch: which links lead into the mask cannot be foreseen.
    private static int Inside(int* links, int width, ulong* bits, int rows, int* ids)
    {
        var count = 0;
        for (var i = 0; i < width; i++)
        {
            // A free place is -1, the largest unsigned number.
            var id = Volatile.Read(ref links[i]);
            var known = (uint)id < (uint)rows;
            var place = known ? id : 0;
            ids[count] = id;
            count += (int)(bits[place >> 6] >> place) & (known ? 1 : 0);
        }

        return count;
    }

    // Rows of the mask at equal distances over the field.
    private static int Seed(RowMask mask, int seeds, int rows, byte* visited, byte stamp, int* ids)
    {
        var words = mask.Words;
        var count = 0;
        for (var j = 0; j < seeds; j++)
        {
            var end = (int)((long)words.Length * (j + 1) / seeds);
            for (var i = (int)((long)words.Length * j / seeds); i < end; i++)
            {
                if (words[i] == 0)
                    continue;
                var row = (i << 6) + BitOperations.TrailingZeroCount(words[i]);
                if (row < rows && visited[row] != stamp)
                {
                    visited[row] = stamp;
                    ids[count++] = row;
                }

                break;
            }
        }

        return count;
    }

    private bool Accepts<TFilter>(in DenseSearch search, int row, ref TFilter filter)
        where TFilter : struct, ISlotFilter
    {
        var slot = SlotOf(row);
        return slot >= 0 && (!search.IndexedOnly || IsLinked(row)) && filter.TryAccept(ref slot);
    }
}
