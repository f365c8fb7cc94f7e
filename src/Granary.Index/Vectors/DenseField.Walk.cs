using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Granary.Index.Vectors;

public sealed unsafe partial class DenseField
{
    /// <summary>Goes down the upper levels, always to the nearest neighbour (Malkov and Yashunin, algorithm 5 with ef 1).</summary>
    private int Descend<TWalk>(in TWalk walk, byte* target, long entry, int toLevel, SearchScratch scratch)
        where TWalk : struct, IWalk
    {
        var graph = _graph!;
        var width = graph.M;
        var distances = scratch.Distances(graph.BaseLinks);
        var ids = scratch.Rows(graph.BaseLinks);
        var row = Graph.EntryRow(entry);
        var best = walk.Distance(target, row);
        for (var level = Graph.EntryLevel(entry); level > toLevel; level--)
        {
            bool moved;
            do
            {
                moved = false;
                var links = graph.Links(row, level);
                var count = 0;
                for (var i = 0; i < width; i++)
                {
                    var id = Volatile.Read(ref links[i]);
                    if (id < 0)
                        continue;
                    walk.Prefetch(id);
                    ids[count++] = id;
                }

                walk.Distances(target, ids, count, distances);
                for (var i = 0; i < count; i++)
                {
                    if (distances[i] < best)
                    {
                        best = distances[i];
                        row = ids[i];
                        moved = true;
                    }
                }
            }
            while (moved);
        }

        return row;
    }

    /// <summary>
    /// Walks one level from a row and leaves the nearest rows met in the pool (Malkov and Yashunin, algorithm 2). Rows at or above
    /// <paramref name="rows"/> came after the walk began and are passed over; the start is below it. Of the pool only the nearest
    /// <paramref name="reach"/> are visited.
    /// </summary>
    private CandidatePool WalkLevel<TWalk>(
        in TWalk walk, byte* target, int start, int level, int ef, int reach, int rows, SearchScratch scratch)
        where TWalk : struct, IWalk
    {
        var graph = _graph!;
        var width = graph.Width(level);
        var visited = scratch.Visited(rows, out var stamp);
        var pool = scratch.Pool(ef);
        var ids = scratch.Frontier(graph.BaseLinks * 2);
        var ahead = ids + graph.BaseLinks;
        var distances = scratch.Distances(graph.BaseLinks);
        var spare = scratch.Spare(graph.BaseLinks + 1);
        CheckStart(start, rows);
        visited[rows] = stamp;
        visited[start] = stamp;
        pool.Add(CandidatePool.Pack(walk.Distance(target, start), start));
        var count = 0;
        var visiting = -1;
        while (true)
        {
            // Three rows are under way: the list of one is fetched, then the codes of those in it, then they are compared. On the way
            // down each waits for the one before; past it, what is visited next seldom depends on the rows under way.
            var next = -1;
            if ((pool.IsExploring || (visiting < 0 && count == 0)) && pool.TryVisit(out next, reach))
                PrefetchLinks(next, level);
            else if (visiting < 0 && count == 0)
                return pool;
            var met = visiting < 0 ? 0 : Meet(walk, graph.Links(visiting, level), width, visited, stamp, rows, ahead);
            if (count > 0)
            {
                walk.Distances(target, ids, count, distances);
                pool.AddAll(ids, distances, count, spare);
            }

            var compared = ids;
            ids = ahead;
            ahead = compared;
            count = met;
            visiting = next;
        }
    }

    /// <summary>
    /// Collects the rows of a list that were not met before and asks for them; returns how many. The mark of the row numbered
    /// <paramref name="rows"/> is set: it stands for all that do not count.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Meet<TWalk>(in TWalk walk, int* links, int width, byte* visited, byte stamp, int rows, int* ids)
        where TWalk : struct, IWalk
    {
        var count = Unvisited(links, width, visited, stamp, rows, ids);
        walk.Prefetch(ids, count);
        return count;
    }

    // Whether a row was met cannot be guessed, so nothing branches on it. A free place is -1, the largest unsigned number.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Unvisited(int* links, int width, byte* visited, byte stamp, int rows, int* ids)
    {
        var count = 0;
        for (var i = 0; i < width; i++)
        {
            var id = (nint)Math.Min((uint)Volatile.Read(ref links[i]), (uint)rows);
            ids[count] = (int)id;
            count += visited[id] != stamp ? 1 : 0;
            visited[id] = stamp;
        }

        return count;
    }

    // Once a walk: the marks are written through a pointer.
    private static void CheckStart(int start, int rows) =>
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)start, (uint)rows, nameof(start));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void PrefetchLinks(int row, int level = 0)
    {
        if (!Sse.IsSupported)
            return;
        var links = (byte*)_graph!.Links(row, level);
        Sse.Prefetch0(links);
        Sse.Prefetch0(links + 64);
    }

    private CodeWalk Codes() => new(_codes!, _size, _euclid);

    private FloatWalk Floats() => new(_vectors!, _size, Schema.Distance);
}
