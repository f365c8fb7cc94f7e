using System.Runtime.CompilerServices;

namespace Granary.Index.Vectors;

public sealed unsafe partial class DenseField
{
    // More candidates are kept while much of the graph is removed rows, up to this factor.
    private const int WidestConstruct = 4;
    private const int LinkSlice = 1024;
    private readonly Lock _entryLock = new();

    // Which adds are through, each at its number modulo the length, plus one: a slice that an exception cuts short is taken up where it
    // stopped, be it by a shorter one, and a row that was given back must not be given back again, nor met under another add.
    private readonly long[] _through = new long[LinkSlice];

    /// <summary>
    /// Links up to <paramref name="max"/> pending rows on up to <paramref name="parallelism"/> threads, and reconnects neighbours of
    /// removed
    /// rows. One caller at a time; adds, removes and searches go on. When cancelled it stops at the next slice. Returns how many adds were
    /// linked.
    /// </summary>
    public int Link(int max, int parallelism, CancellationToken cancellation)
    {
        if (_graph is null)
            return 0;
        var done = 0;
        while (!cancellation.IsCancellationRequested)
        {
            var count = (int)Math.Min(Math.Min(max - done, LinkSlice), Added - _linked);
            if (count > 0)
                LinkNext(count, parallelism);
            done += count;
            Repair(count > 0 ? count * RepairPerLink : RepairSlice, parallelism);
            if (_checkDue)
                CheckReach(cancellation);
            if (count < LinkSlice)
                break;
        }

        return done;
    }

    private void LinkNext(int count, int parallelism)
    {
        var first = _linked;
        var queue = Volatile.Read(ref _queue);
        var next = 0;
        if (_graph!.Entry < 0)
            LinkAt(queue, first, next++);
        if (parallelism <= 1 || count - next < 2)
        {
            for (; next < count; next++)
                LinkAt(queue, first, next);
        }
        else
        {
            var options = new ParallelOptions { MaxDegreeOfParallelism = parallelism, TaskScheduler = TaskScheduler.Default };
            Parallel.For(next, count, options, i => LinkAt(queue, first, i));
        }

        Volatile.Write(ref _linked, first + count);
        if (IsTimeToCheck(first, first + count))
            Volatile.Write(ref _checkDue, true);
    }

    private void LinkAt(int[] queue, long first, int index)
    {
        ref var through = ref _through[(first + index) % LinkSlice];
        if (through == first + index + 1)
            return;
        var row = Volatile.Read(ref queue[(first + index) & (queue.Length - 1)]);

        // The first time a row has no list: one that has was cut short, and others may lead to it already.
        if (SlotOf(row) < 0 && _graph!.Links(row)[0] == Graph.None)
        {
            // Removed before it was linked: nothing refers to it but the readers of now, through the queue.
            _graph.SetState(row, RowState.Free);
            _free.Enqueue((row, _epochs.Retire()));
        }
        else if (_graph!.State(row) != RowState.Linked)
        {
            if (_codes is not null)
                Insert(Codes(), row);
            else
                Insert(Floats(), row);
        }

        through = first + index + 1;
    }

    /// <summary>Links a row into the graph (Malkov and Yashunin, algorithm 1).</summary>
    private void Insert<TWalk>(TWalk walk, int row)
        where TWalk : struct, IWalk
    {
        var graph = _graph!;
        var level = graph.Level(row);
        if (graph.Entry < 0 && TryBecomeFirst(row, level))
            return;
        var scratch = SearchScratch.Rent();
        try
        {
            var targets = scratch.Targets((long)walk.TargetBytes * (graph.BaseLinks + 3));
            walk.Load(row, targets);
            var entry = graph.Entry;
            var start = Descend(walk, targets, entry, level, scratch);
            var top = Math.Min(level, Graph.EntryLevel(entry));
            for (var l = top; l >= 0; l--)
                start = Choose(walk, row, l, start, targets, scratch, throughRemoved: true);

            // From below: whoever comes by the row on a level goes on from it on the one under that, where it must have links by then. One
            // that had none would be all that a search, or the insertion of another row, finds.
            for (var l = 0; l <= top; l++)
                LinkBack(walk, row, l, targets, scratch);
            graph.SetState(row, RowState.Linked);
            Interlocked.Increment(ref _inGraph);
            if (level > Graph.EntryLevel(graph.Entry))
                RaiseEntry(row, level);
        }
        finally
        {
            scratch.Return();
        }
    }

    private bool TryBecomeFirst(int row, int level)
    {
        lock (_entryLock)
        {
            if (_graph!.Entry >= 0)
                return false;
            _graph.SetState(row, RowState.Linked);
            Interlocked.Increment(ref _inGraph);
            _graph.Entry = Graph.PackEntry(row, level);
            return true;
        }
    }

    private void RaiseEntry(int row, int level)
    {
        lock (_entryLock)
        {
            if (level > Graph.EntryLevel(_graph!.Entry))
                _graph.Entry = Graph.PackEntry(row, level);
        }
    }

    /// <summary>Finds a row's neighbours on a level and links both ways.</summary>
    private void Connect<TWalk>(in TWalk walk, int row, int level, int start, byte* targets, SearchScratch scratch)
        where TWalk : struct, IWalk
    {
        Choose(walk, row, level, start, targets, scratch, throughRemoved: false);
        LinkBack(walk, row, level, targets, scratch);
    }

    /// <summary>
    /// Finds a row's neighbours on a level and links it to them, but not them to it. Where next to no living ones are found, it is linked
    /// to removed ones for now (<paramref name="throughRemoved"/>), through which it is found. Returns the nearest, where the next level
    /// starts.
    /// </summary>
    private int Choose<TWalk>(
        in TWalk walk, int row, int level, int start, byte* targets, SearchScratch scratch, bool throughRemoved)
        where TWalk : struct, IWalk
    {
        var graph = _graph!;
        var ef = ConstructWidth();
        var reach = LiveShare() >= MostlyAlive ? (int)(ef * ConstructReach) : ef;
        var pool = WalkLevel(walk, targets, start, level, ef, reach, RowCapacity, scratch);
        var nearest = CandidatePool.Row(pool[0]);
        var removed = scratch.Slots(graph.M);
        var kept = KeepLive(row, pool, removed, out var removedCount);
        var chosen = scratch.Chosen(graph.BaseLinks + 1);
        var width = Math.Min(graph.M * NewLinksFactor, graph.Width(level));
        var count = Select(walk, pool.Keys, kept, width, chosen, targets + walk.TargetBytes, out _);
        if (throughRemoved && count < FewLive)
        {
            var dead = false;
            for (var i = 0; i < removedCount && count < width; i++)
            {
                chosen[count++] = removed[i];
                dead |= graph.State(removed[i]) == RowState.Dead;
            }

            // The sweep may have passed the row already.
            if (dead)
                _sweepAgain.Enqueue(row);
        }

        AddLinks(walk, row, level, new ReadOnlySpan<int>(chosen, count), targets, scratch);
        return nearest;
    }

    /// <summary>
    /// Leaves the living of a pool's rows, without the row itself; returns how many. Rows that are removed get no new links where there are
    /// others: a sweep that reconnects around them can then end. One that is removed from now on belongs to a sweep that begins after this.
    /// </summary>
    private int KeepLive(int row, in CandidatePool pool, int* removed, out int removedCount)
    {
        var keys = pool.Keys;
        var kept = 0;
        removedCount = 0;
        var anyRemoved = Volatile.Read(ref _removedCount) > 0;
        for (var i = 0; i < pool.Count; i++)
        {
            var candidate = CandidatePool.Row(keys[i]);
            if (candidate == row)
                continue;
            if (!anyRemoved || SlotOf(candidate) >= 0)
                keys[kept++] = keys[i] & ~1ul;
            else if (removedCount < _graph!.M)
                removed[removedCount++] = candidate;
        }

        Spread(keys, kept, row);
        return kept;
    }

    /// <summary>
    /// Turns the order of rows at the same distance, another way for each row: equal vectors would all choose those with the lowest
    /// numbers, whose lists have no place for them.
    /// </summary>
    private static void Spread(ulong* sorted, int count, int row)
    {
        for (int first = 0, end; first < count; first = end)
        {
            for (end = first + 1; end < count && sorted[end] >> 32 == sorted[first] >> 32;)
                end++;
            if (end - first < 2)
                continue;
            var run = new Span<ulong>(sorted + first, end - first);
            var turn = row % run.Length;
            run[..turn].Reverse();
            run[turn..].Reverse();
            run.Reverse();
        }
    }

    /// <summary>Links the neighbours that a row has on a level to it, at least one of them.</summary>
    private void LinkBack<TWalk>(in TWalk walk, int row, int level, byte* targets, SearchScratch scratch)
        where TWalk : struct, IWalk
    {
        var graph = _graph!;
        var chosen = scratch.Chosen(graph.BaseLinks + 1);
        var links = graph.Links(row, level);
        var count = 0;
        for (var i = 0; i < graph.Width(level); i++)
        {
            if (Volatile.Read(ref links[i]) is >= 0 and var id)
                chosen[count++] = id;
        }

        LinkBack(walk, row, chosen, count, level, targets, scratch);
    }

    private void LinkBack<TWalk>(in TWalk walk, int row, int* from, int count, int level, byte* targets, SearchScratch scratch)
        where TWalk : struct, IWalk
    {
        var linked = false;
        for (var i = 0; i < count; i++)
        {
            LinkingBack?.Invoke(row);
            linked |= LinkBack(walk, from[i], row, targets, level, targets, scratch);
        }

        if (!linked && count > 0)
            LinkInPlace(from[0], row, level);
    }

    /// <summary>Writes a row's own list, keeping what others linked to it in the meantime.</summary>
    private void AddLinks<TWalk>(in TWalk walk, int row, int level, ReadOnlySpan<int> ids, byte* targets, SearchScratch scratch)
        where TWalk : struct, IWalk
    {
        var graph = _graph!;
        graph.Lock(row);
        if (graph.Links(row, level)[0] == Graph.None)
        {
            graph.Write(row, level, ids, 0);
            graph.Unlock(row);
            return;
        }

        graph.Unlock(row);
        foreach (var id in ids)
            LinkBack(walk, row, id, null, level, targets, scratch);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int ConstructWidth()
    {
        var ef = Math.Max(Schema.Hnsw.EfConstruct, _graph!.BaseLinks);
        var live = LiveShare();
        return live >= MostlyAlive ? ef : (int)Math.Min(ef / Math.Max(live, 0.01f), (long)ef * WidestConstruct);
    }
}
