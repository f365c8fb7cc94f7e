using System.Numerics;
using System.Runtime.CompilerServices;
using Granary.Index.Search;

namespace Granary.Index.Vectors;

/// <content>Walks to rows that are known beforehand.</content>
public sealed unsafe partial class DenseField
{
    // Rows of the mask that a walk begins with besides the entry, spread over the field: where the entry's surroundings hold none, or
    // only a cluster apart from the best, they lead on. So many for one of ef, and at least.
    private const float SeedsOfEf = 0.5f;
    private const int LeastSeeds = 12;

    // A walk under a mask gives up after so many times the lists it was expected to read, or what comparing all rows costs: that at most
    // doubles the time.
    private const int WalkPatience = 2;

    // For a row visited as many rows of the mask are met, if there are any, as a list has, and where each costs few lists this many times.
    private const float RowsOfList = 1.25f;

    // From this share of the rows on a walk that ignores the mask costs less than one that reads many lists for each row visited.
    private const float WideShare = 0.28f;

    // Below LateFilterShare it visits this part of as many rows as ef of the mask are expected among, and keeps so many and these more.
    private const float WideReach = 0.75f;
    private const float WideMore = 3f;

    // From this share on two rows visited are under way at once: what is visited next depends little on what the last led to.
    private const float AheadShare = 0.12f;

    /// <summary>Walks without regard to the mask, where many rows are in it, and looks for its rows in the pool.</summary>
    private bool TryWalkWide<TWalk, TFilter>(
        in TWalk walk, in DenseSearch search, byte* target, int ef, float share, ref TFilter filter, SearchScratch scratch)
        where TWalk : struct, IWalk
        where TFilter : struct, ISlotFilter
    {
        var entry = _graph!.Entry;
        if (share < WideShare || entry < 0)
            return false;
        var start = Descend(walk, target, entry, 0, scratch);
        return WalkThenFilter(walk, search, target, start, ef, share, RowCapacity, ref filter, scratch);
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
        var seeds = Math.Max(LeastSeeds, (int)(ef * SeedsOfEf));
        var wanted = share >= AheadShare ? (int)(width * RowsOfList) : width;
        var most = Math.Max(wanted + width, seeds + 1);
        var visited = scratch.Visited(rows, out var stamp);

        // The row that it starts from may be outside.
        var pool = scratch.SecondPool(Math.Max(ef, search.K) + (mask.Test(start) ? 0 : 1));
        var ids = scratch.Frontier((most * 3) + (width * 2));
        var met = ids + most;
        var meeting = met + most;
        var outside = meeting + most;
        var passing = outside + width;
        var distances = scratch.Distances(most);
        var spare = scratch.Spare(most + 1);
        var budget = (long)Math.Max(WalkPatience * ef * ListsRead(share), mask.Count * RowCost / ListCost);
        fixed (ulong* bits = mask.Words)
        {
            visited[start] = stamp;
            ids[0] = start;
            var count = 1 + Seed(mask, seeds, rows, visited, stamp, ids + 1);
            walk.Prefetch(ids, count);
            walk.Distances(target, ids, count, distances);
            pool.Add(CandidatePool.Pack(distances[0], start));
            Add(search, mask, ids + 1, distances + 1, count - 1, ref pool, ref filter, spare);
            count = 0;
            int metCount = 0, outsideCount = 0, visiting = -1;
            while (true)
            {
                // A row's list is fetched, then the codes of those of the mask in it and the lists of the others, then codes of those of
                // the mask in these, then all are compared; one step of each a round, of different rows.
                var next = -1;
                var idle = visiting < 0 && count + metCount + outsideCount == 0;
                if (idle || (share >= AheadShare && pool.IsExploring))
                {
                    if (pool.TryVisit(out next))
                        PrefetchLinks(next);
                    else if (idle)
                        break;
                }

                if (budget < 0)
                    return false;
                for (var i = 0; i < outsideCount && metCount < wanted; i++)
                {
                    if (visited[outside[i]] == stamp)
                        continue;
                    visited[outside[i]] = stamp;
                    budget--;
                    var more = MeetInside(graph.Links(outside[i]), width, bits, visited, stamp, rows, met + metCount);
                    walk.Prefetch(met + metCount, more);
                    metCount += more;
                }

                var (meetingCount, passingCount) = (0, 0);
                if (visiting >= 0)
                {
                    meetingCount = Split(
                        graph.Links(visiting), width, bits, visited, stamp, rows, meeting, passing, out passingCount);
                    walk.Prefetch(meeting, meetingCount);
                    for (var i = 0; i < passingCount; i++)
                        PrefetchLinks(passing[i]);
                    budget--;
                }

                if (count > 0)
                {
                    walk.Distances(target, ids, count, distances);
                    Add(search, mask, ids, distances, count, ref pool, ref filter, spare);
                }

                var compared = ids;
                (count, metCount, outsideCount, visiting) = (metCount, meetingCount, passingCount, next);
                ids = met;
                met = meeting;
                meeting = compared;
                var read = outside;
                outside = passing;
                passing = read;
            }
        }

        return Rescore(search, pool, RescoreCount(search.K), ref filter, scratch) >= Math.Min(search.K, mask.Count);
    }

    private void Add<TFilter>(
        in DenseSearch search, RowMask mask, int* ids, float* distances, int count, ref CandidatePool pool, ref TFilter filter,
        ulong* spare)
        where TFilter : struct, ISlotFilter
    {
        if (mask.IsExact)
        {
            pool.AddAll(ids, distances, count, spare);
            return;
        }

        for (var i = 0; i < count; i++)
        {
            var key = CandidatePool.Pack(distances[i], ids[i]);
            if ((!pool.IsFull || key < pool.Last) && Accepts(search, ids[i], ref filter))
                pool.Add(key);
        }
    }

    // Rows of a list that are in the mask and were not met before; and those outside whose lists were not read. Without a branch: which
    // links lead into the mask cannot be foreseen. A free place is -1, the largest unsigned number.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Split(
        int* links, int width, ulong* bits, byte* visited, byte stamp, int rows, int* inside, int* outside, out int outsideCount)
    {
        int count = 0, others = 0;
        for (var i = 0; i < width; i++)
        {
            var id = Volatile.Read(ref links[i]);
            var known = (uint)id < (uint)rows ? 1 : 0;
            var place = id & -known;
            var bit = (int)(bits[place >> 6] >> place) & known;
            inside[count] = place;
            outside[others] = place;
            count += bit;
            others += bit ^ known;
        }

        outsideCount = 0;
        for (var i = 0; i < others; i++)
        {
            var id = outside[i];
            outside[outsideCount] = id;
            outsideCount += visited[id] != stamp ? 1 : 0;
        }

        return MeetNew(inside, count, visited, stamp);
    }

    // Only those that are in the mask.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int MeetInside(int* links, int width, ulong* bits, byte* visited, byte stamp, int rows, int* ids)
    {
        var count = 0;
        for (var i = 0; i < width; i++)
        {
            var id = Volatile.Read(ref links[i]);
            var known = (uint)id < (uint)rows ? 1 : 0;
            var place = id & -known;
            ids[count] = place;
            count += (int)(bits[place >> 6] >> place) & known;
        }

        return MeetNew(ids, count, visited, stamp);
    }

    // Leaves those that were not met before, and marks them.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int MeetNew(int* ids, int count, byte* visited, byte stamp)
    {
        var fresh = 0;
        for (var i = 0; i < count; i++)
        {
            var id = ids[i];
            ids[fresh] = id;
            fresh += visited[id] != stamp ? 1 : 0;
            visited[id] = stamp;
        }

        return fresh;
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
}
