using Granary.Index.Search;

namespace Granary.Index.Vectors;

public sealed unsafe partial class DenseField
{
    /// <summary>
    /// Walks through accepted and rejected rows alike and keeps the nearest accepted ones, until the nearest row left is farther than all
    /// of them. False when it would take reading a good part of the graph.
    /// </summary>
    private bool WalkAccepted<TWalk, TFilter>(
        in TWalk walk, in DenseSearch search, byte* target, int start, int ef, float share, int rows, ref TFilter filter,
        SearchScratch scratch)
        where TWalk : struct, IWalk
        where TFilter : struct, ISlotFilter
    {
        var graph = _graph!;
        var width = graph.BaseLinks;
        var wanted = RescoreCount(search.K);
        var pool = scratch.SecondPool(Math.Max(wanted, (int)(ef * Math.Max(FilteredLeast, share * FilteredMore))));
        var heap = scratch.Heap;
        heap.Clear();
        var visited = scratch.Visited(rows, out var stamp);
        var ids = scratch.Rows(width);
        var distances = scratch.Distances(width);

        // What a walk costs up to here, comparing all accepted rows costs as well: giving up at that point at most doubles the time.
        var budget = (long)(Volatile.Read(ref _inGraph) * (WalkBudget + (WalkBudgetAccepted * share))) + (ef * 4);
        CheckStart(start, rows);
        visited[start] = stamp;
        ids[0] = start;
        distances[0] = walk.Distance(target, start);
        var count = 1;
        while (true)
        {
            for (var i = 0; i < count; i++)
            {
                var key = CandidatePool.Pack(distances[i], ids[i]);
                if (pool.IsFull && key >= pool.Last)
                    continue;
                heap.Push(key);
                var slot = SlotOf(ids[i]);
                if (slot >= 0 && filter.TryAccept(ref slot))
                    pool.Add(key);
            }

            budget -= count;
            if (heap.Count == 0 || (pool.IsFull && heap.Peek > pool.Last))
                break;
            if (budget < 0)
                return false;
            var links = graph.Links(CandidatePool.Row(heap.Pop()));
            count = 0;
            for (var i = 0; i < width; i++)
            {
                var id = Volatile.Read(ref links[i]);
                if ((uint)id >= (uint)rows || visited[id] == stamp)
                    continue;
                visited[id] = stamp;
                walk.Prefetch(id);
                ids[count++] = id;
            }

            walk.Distances(target, ids, count, distances);
            if (heap.Count > 0)
                PrefetchLinks(CandidatePool.Row(heap.Peek));
        }

        return Rescore(search, pool, wanted, ref filter, scratch) >= search.K;
    }
}
