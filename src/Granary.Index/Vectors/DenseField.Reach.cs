using System.Numerics;

namespace Granary.Index.Vectors;

/// <content>
/// Rows that nothing leads to. A list keeps what is near and apart, so links between clusters are crowded out and a row may leave the last
/// list it was in; a search then never finds it. So the graph is walked through from its entry now and then, level by level, and what was
/// not met is linked to what was.
/// </content>
public sealed unsafe partial class DenseField
{
    // The graph is walked through after every sweep, and each time the adds linked have grown by an eighth to a sixteenth: reading all
    // lists costs little beside linking that many rows. A row lost since the last time is found by the next.
    private const int CheckPart = 8;
    private const int CheckMinimum = 64;

    // Of the rows in the graph so many are joined at once, one part in this. By inner products short vectors are nobody's neighbours:
    // most of a collection may be such rows.
    private const int JoinPart = 16;

    // And by one call so many: adds wait meanwhile. What else a check may join is left to the calls that follow.
    private const int JoinSlice = 2048;

    private bool _checkDue;

    // What the check that is under way may join yet; 0 while none is.
    private int _mayJoin;

    // By the numbers of adds alone: a field that is loaded from an image goes on as the one that wrote it.
    private static bool IsTimeToCheck(long linked, long now)
    {
        var step = Math.Max(CheckMinimum, (1L << BitOperations.Log2((ulong)now)) / CheckPart);
        return linked / step != now / step;
    }

    /// <summary>
    /// Joins what cannot be reached from the entry, on each level, to what can. It is due again when it is cancelled, and when it joined as
    /// many as one call does and may join more.
    /// </summary>
    private void CheckReach(CancellationToken cancellation)
    {
        var graph = _graph!;
        if (_mayJoin == 0)
            _mayJoin = (Volatile.Read(ref _inGraph) / JoinPart) + CheckMinimum;
        var slice = Math.Min(_mayJoin, JoinSlice);
        var left = slice;
        for (var level = Graph.EntryLevel(graph.Entry); level >= 0 && left > 0; level--)
            left = JoinLost(level, left, cancellation);
        if (cancellation.IsCancellationRequested)
            return;
        _mayJoin = left > 0 ? 0 : _mayJoin - slice;
        Volatile.Write(ref _checkDue, _mayJoin > 0);
    }

    private int JoinLost(int level, int budget, CancellationToken cancellation)
    {
        var graph = _graph!;
        var rows = RowCapacity;
        var reached = new ulong[(rows / 64) + 1];
        var read = new ulong[reached.Length];
        var entry = Graph.EntryRow(graph.Entry);
        reached[entry >> 6] |= 1ul << entry;
        Reach(entry, level, rows, reached, read, cancellation);
        for (var row = 0; row < rows && budget > 0 && !cancellation.IsCancellationRequested; row++)
        {
            if ((reached[row >> 6] & (1ul << row)) != 0
                || graph.State(row) != RowState.Linked || graph.Level(row) < level || SlotOf(row) < 0)
                continue;
            budget--;
            if (_codes is not null)
                Join(Codes(), row, level, entry);
            else
                Join(Floats(), row, level, entry);
            reached[row >> 6] |= 1ul << row;
            Reach(row, level, rows, reached, read, cancellation);
        }

        return budget;
    }

    /// <summary>
    /// Marks what the marked rows lead to, those from <paramref name="first"/> on at first; in the order of rows, as they lie.
    /// </summary>
    private void Reach(int first, int level, int rows, ulong[] reached, ulong[] read, CancellationToken cancellation)
    {
        var graph = _graph!;
        var width = graph.Width(level);
        var again = first >> 6;
        while (again < reached.Length)
        {
            var word = again;
            for (again = reached.Length; word < reached.Length; word++)
            {
                if (cancellation.IsCancellationRequested)
                    return;
                while ((reached[word] & ~read[word]) is not 0 and var bits)
                {
                    var bit = BitOperations.TrailingZeroCount(bits);
                    read[word] |= 1ul << bit;
                    var links = graph.Links((word << 6) + bit, level);
                    for (var i = 0; i < width; i++)
                    {
                        var id = Volatile.Read(ref links[i]);
                        if ((uint)id >= (uint)rows || (reached[id >> 6] & (1ul << id)) != 0)
                            continue;
                        reached[id >> 6] |= 1ul << id;
                        again = id >> 6 < word ? Math.Min(again, id >> 6) : again;
                    }
                }
            }
        }
    }

    /// <summary>Links the nearest rows that a walk from the entry on this level finds to a row.</summary>
    private void Join<TWalk>(TWalk walk, int row, int level, int entry)
        where TWalk : struct, IWalk
    {
        var graph = _graph!;
        var scratch = SearchScratch.Rent();
        try
        {
            var targets = scratch.Targets((long)walk.TargetBytes * (graph.BaseLinks + 3));
            walk.Load(row, targets);
            var ef = ConstructWidth();
            var pool = WalkLevel(walk, targets, entry, level, ef, ef, RowCapacity, scratch);
            var removed = scratch.Slots(graph.M);
            var kept = KeepLive(row, pool, removed, out var count);
            var from = removed;
            if (kept > 0)
            {
                from = scratch.Chosen(graph.BaseLinks + 1);
                count = Select(walk, pool.Keys, kept, graph.M, from, targets + walk.TargetBytes, out _);
            }

            // No list gives up a row for it: that might have been the only one to lead to what was reached already.
            var offered = false;
            var dead = false;
            for (var i = 0; i < count; i++)
            {
                dead |= graph.State(from[i]) == RowState.Dead;
                Offer(row, from[i], level);
                offered |= Offer(from[i], row, level);
            }

            // The sweep may have passed the row already.
            if (dead)
                _sweepAgain.Enqueue(row);
            if (!offered && count > 0)
                LinkInPlace(from[0], row, level);
        }
        finally
        {
            scratch.Return();
        }
    }
}
