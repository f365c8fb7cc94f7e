using System.Collections.Concurrent;

namespace Granary.Index.Vectors;

public sealed unsafe partial class DenseField
{
    // A sweep begins when this share of the graph is removed rows: a sweep reads every list, so it must be worth it.
    private const float SweepShare = 0.1f;
    private const int SweepMinimum = 64;

    // Rows swept by one call: enough that a sweep ends before the next is due, few enough that adds are not held up.
    private const int RepairPerLink = 16;
    private const int RepairSlice = 4096;
    private const int RepairCandidates = 4;
    private readonly List<int> _dead = [];

    // Rows that were linked to rows of this sweep after it began.
    private readonly ConcurrentQueue<int> _sweepAgain = new();
    private int _deadCount;
    private int _removedCount;
    private int _inGraph;
    private int _sweepNext = -1;
    private int _sweepEnd;

    private bool RepairDue
    {
        get
        {
            var removed = Volatile.Read(ref _removedCount);
            return Volatile.Read(ref _sweepNext) >= 0
                || (removed >= SweepMinimum && removed >= Volatile.Read(ref _inGraph) * SweepShare);
        }
    }

    private float LiveShare()
    {
        var inGraph = Volatile.Read(ref _inGraph);
        return inGraph == 0 ? 1f : Math.Max(0f, 1f - ((float)Volatile.Read(ref _removedCount) / inGraph));
    }

    /// <summary>
    /// Goes on with the sweep that reconnects the neighbours of removed rows: each list that holds one is chosen again among its live
    /// neighbours and those of the removed ones (as FreshDiskANN's consolidation does, arXiv:2105.09613). New links never lead to removed
    /// rows, so after a whole sweep nothing leads to those it began with, and they are reused once the readers of that moment have left.
    /// </summary>
    private void Repair(int rows, int parallelism)
    {
        if (_sweepNext < 0)
        {
            if (!RepairDue)
                return;
            BeginSweep();
        }

        var first = _sweepNext;
        var end = (int)Math.Min((long)first + rows, _sweepEnd);
        if (parallelism <= 1)
        {
            for (var row = first; row < end; row++)
                RepairAt(row);
        }
        else
        {
            var options = new ParallelOptions { MaxDegreeOfParallelism = parallelism, TaskScheduler = TaskScheduler.Default };
            Parallel.For(first, end, options, RepairAt);
        }

        Volatile.Write(ref _sweepNext, end);
        if (end == _sweepEnd)
            EndSweep();
    }

    private void BeginSweep()
    {
        var graph = _graph!;
        _dead.EnsureCapacity(_dead.Count + _buried.Count);
        for (var left = _dead.Capacity - _dead.Count; left > 0 && _buried.TryDequeue(out var row); left--)
        {
            // A row that was removed before it was linked has been freed already, and may even be in use again.
            if (graph.State(row) == RowState.Linked && SlotOf(row) < 0)
            {
                graph.SetState(row, RowState.Dead);
                _dead.Add(row);
            }
            else if (graph.State(row) == RowState.Pending && SlotOf(row) < 0 && graph.Links(row)[0] != Graph.None)
            {
                // Its linking was cut short, and goes on: it belongs to the next sweep.
                _buried.Enqueue(row);
            }
            else
            {
                Interlocked.Decrement(ref _removedCount);
            }
        }

        Volatile.Write(ref _deadCount, _dead.Count);
        _sweepEnd = RowCapacity;
        Volatile.Write(ref _sweepNext, 0);
        if (graph.Entry >= 0 && graph.State(Graph.EntryRow(graph.Entry)) == RowState.Dead)
            ReplaceEntry();
    }

    private void ReplaceEntry()
    {
        var graph = _graph!;
        var best = -1;
        for (var row = 0; row < _sweepEnd; row++)
        {
            if (graph.State(row) == RowState.Linked && (best < 0 || IsBetterEntry(row, best)))
                best = row;
        }

        graph.Entry = best < 0 ? -1 : Graph.PackEntry(best, graph.Level(best));
    }

    // A removed row has been left alone since the last sweep only.
    private bool IsBetterEntry(int row, int than)
    {
        var lives = SlotOf(row) >= 0;
        return lives == SlotOf(than) >= 0 ? _graph!.Level(row) > _graph.Level(than) : lives;
    }

    private void EndSweep()
    {
        for (; _sweepAgain.TryPeek(out var row); _sweepAgain.TryDequeue(out _))
            RepairAt(row);
        var tag = _epochs.Retire();
        for (; _dead.Count > 0; _dead.RemoveAt(_dead.Count - 1))
        {
            // One by one: what an exception cuts short must not be given back again.
            _graph!.SetState(_dead[^1], RowState.Free);
            _free.Enqueue((_dead[^1], tag));
            Interlocked.Decrement(ref _removedCount);
            Interlocked.Decrement(ref _inGraph);
        }

        Volatile.Write(ref _deadCount, 0);
        Volatile.Write(ref _sweepNext, -1);
        Volatile.Write(ref _checkDue, true);
    }

    private void RepairAt(int row)
    {
        var graph = _graph!;

        // One that waits has lists where its linking was cut short.
        if (graph.State(row) is not (RowState.Linked or RowState.Pending))
            return;
        for (var level = graph.Level(row); level >= 0; level--)
        {
            if (!LeadsToDead(row, level))
                continue;
            if (_codes is not null)
                Reconnect(Codes(), row, level);
            else
                Reconnect(Floats(), row, level);
        }
    }

    private bool LeadsToDead(int row, int level)
    {
        var graph = _graph!;
        var links = graph.Links(row, level);
        for (var i = 0; i < graph.Width(level); i++)
        {
            var id = Volatile.Read(ref links[i]);
            if (id >= 0 && graph.State(id) == RowState.Dead)
                return true;
        }

        return false;
    }

    private void Reconnect<TWalk>(TWalk walk, int row, int level)
        where TWalk : struct, IWalk
    {
        var graph = _graph!;
        var width = graph.Width(level);
        var scratch = SearchScratch.Rent();
        try
        {
            var targets = scratch.Targets((long)walk.TargetBytes * (graph.BaseLinks + 3));
            walk.Load(row, targets);
            var limit = graph.BaseLinks * RepairCandidates;
            var sorted = scratch.SecondPool(limit);
            GatherLive(walk, row, level, targets, ref sorted, scratch);
            var found = sorted.Count;
            var chosen = scratch.Chosen(graph.BaseLinks + 1);
            var kept = Select(walk, sorted.Keys, found, width, chosen, targets + walk.TargetBytes, out var apart);
            var since = WriteChosen(row, level, new ReadOnlySpan<int>(chosen, kept), apart, scratch);
            var alone = kept < graph.M / 2 && graph.Entry >= 0 && Graph.EntryRow(graph.Entry) != row;
            for (var i = 0; i < kept; i++)
                Offer(chosen[i], row, level);
            var news = scratch.Slots(width);
            for (var i = 0; i < since; i++)
                LinkBack(walk, row, news[i], null, level, targets, scratch);
            if (alone && level <= Graph.EntryLevel(graph.Entry))
                Connect(walk, row, level, Descend(walk, targets, graph.Entry, level, scratch), targets, scratch);
        }
        finally
        {
            scratch.Return();
        }
    }

    /// <summary>
    /// Writes a list that was chosen while others added to it: returns how many rows came in since and are not in it now, which stand in
    /// the slots of <paramref name="scratch"/>. Its marks are those of the rows it was chosen from.
    /// </summary>
    private int WriteChosen(int row, int level, ReadOnlySpan<int> chosen, int apart, SearchScratch scratch)
    {
        var graph = _graph!;
        var width = graph.Width(level);
        var since = scratch.Slots(width);
        var visited = scratch.Marks(out var rows, out var stamp);
        var count = 0;
        graph.Lock(row);
        var links = graph.Links(row, level);
        for (var i = 0; i < width; i++)
        {
            if (links[i] is >= 0 and var id && (id >= rows || visited[id] != stamp) && SlotOf(id) >= 0)
                since[count++] = id;
        }

        graph.Write(row, level, chosen, apart);
        graph.Unlock(row);
        return count;
    }

    /// <summary>
    /// Collects the live rows next to a row, going through removed ones, nearest removed lists first, until there are enough.
    /// </summary>
    private void GatherLive<TWalk>(in TWalk walk, int row, int level, byte* target, ref CandidatePool sorted, SearchScratch scratch)
        where TWalk : struct, IWalk
    {
        var graph = _graph!;
        var width = graph.Width(level);
        var rows = RowCapacity;
        var visited = scratch.Visited(rows, out var stamp);
        var limit = graph.BaseLinks * RepairCandidates;
        var through = scratch.Rows((limit * 2) + 1);
        visited[row] = stamp;
        through[0] = row;
        var known = 1;
        for (var next = 0; next < known; next++)
        {
            var links = graph.Links(through[next], level);
            for (var i = 0; i < width; i++)
            {
                var id = Volatile.Read(ref links[i]);
                if ((uint)id >= (uint)rows || visited[id] == stamp)
                    continue;
                visited[id] = stamp;
                if (SlotOf(id) >= 0 && graph.State(id) != RowState.Dead)
                    sorted.Add(CandidatePool.Pack(walk.Distance(target, id), id));
                else if (known <= limit * 2 && graph.Level(id) >= level)
                    through[known++] = id;
            }

            if (sorted.IsFull)
                return;
        }
    }

    // Links back where there is room, a full list has its own good neighbours; returns whether it is linked.
    private bool Offer(int row, int added, int level)
    {
        var graph = _graph!;
        if (graph.Level(row) < level)
            return false;
        graph.Lock(row);
        var links = graph.Links(row, level);
        var width = graph.Width(level);
        var place = 0;
        while (place < width && links[place] != added && links[place] != Graph.None)
            place++;
        if (place < width)
            Volatile.Write(ref links[place], added);
        graph.Unlock(row);
        return place < width;
    }
}
