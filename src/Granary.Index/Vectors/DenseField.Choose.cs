namespace Granary.Index.Vectors;

/// <content>Links back and which links a full list keeps.</content>
public sealed unsafe partial class DenseField
{
    /// <summary>
    /// Adds a link to a list, choosing again when it is full; returns whether it is in it. <paramref name="target"/> is that of the added
    /// row, null when there is none yet; the second of <paramref name="targets"/> and those after it are written.
    /// </summary>
    private bool LinkBack<TWalk>(
        in TWalk walk, int row, int added, byte* target, int level, byte* targets, SearchScratch scratch)
        where TWalk : struct, IWalk
    {
        var graph = _graph!;
        var width = graph.Width(level);
        var bridge = Graph.None;
        bool linked;
        graph.Lock(row);
        try
        {
            var links = graph.Links(row, level);
            var used = 0;
            while (used < width && links[used] >= 0)
            {
                if (links[used++] == added)
                    return true;
            }

            if (used < width)
            {
                Volatile.Write(ref links[used], added);
                return true;
            }

            if (Volatile.Read(ref _removedCount) > 0 && LastRemoved(links, width) is >= 0 and var place)
            {
                // One removed row gives way. The others stay until the sweep: there may be no other way to what is behind them.
                bridge = graph.State(links[place]) == RowState.Dead ? Graph.None : links[place];
                Volatile.Write(ref links[place], added);
                if (level == 0)
                    graph.At(row).Apart = 0;
                linked = true;
            }
            else
            {
                linked = level == 0 && graph.At(row).Apart is > 0 and var apart
                    ? Place(walk, row, added, target, links, apart, targets, scratch, out bridge)
                    : ChooseAgain(walk, row, added, level, targets, scratch, out bridge);
            }
        }
        finally
        {
            graph.Unlock(row);
        }

        // By way of the added row it is still reached.
        if (bridge >= 0 && linked)
            Offer(added, bridge, level);
        return linked;
    }

    /// <summary>
    /// The farthest row of a list, if it is by far the farthest: the last link to another cluster, to which perhaps no other leads.
    /// </summary>
    private static int Bridge(ulong farthest, ulong next) =>
        CandidatePool.Distance(next) is >= 0f and var distance && CandidatePool.Distance(farthest) > BridgeFactor * distance
            ? CandidatePool.Row(farthest)
            : Graph.None;

    private int LastRemoved(int* rows, int count)
    {
        var i = count - 1;
        while (i >= 0 && SlotOf(rows[i]) >= 0)
            i--;
        return i;
    }

    /// <summary>
    /// Puts a row that no list has a place for in the place of the last of one, which it then leads to: whatever could be reached still
    /// can.
    /// </summary>
    private void LinkInPlace(int row, int added, int level)
    {
        var graph = _graph!;
        graph.Lock(row);
        var replaced = PutLast(row, added, level);
        graph.Unlock(row);
        if (replaced == added || replaced < 0)
            return;
        graph.Lock(added);
        PutLast(added, replaced, level);
        graph.Unlock(added);

        // The sweep may have passed the row already.
        if (graph.State(replaced) == RowState.Dead)
            _sweepAgain.Enqueue(added);
    }

    // In the first free place of a list, or its last; returns what was there. A sweep may have made a full list shorter meanwhile.
    private int PutLast(int row, int added, int level)
    {
        var graph = _graph!;
        var links = graph.Links(row, level);
        var last = graph.Width(level) - 1;
        var place = 0;
        while (place < last && links[place] >= 0 && links[place] != added)
            place++;
        var replaced = links[place];
        if (replaced == added)
            return added;
        Volatile.Write(ref links[place], added);
        if (level == 0)
            graph.At(row).Apart = 0;
        return replaced;
    }

    /// <summary>Chooses among all of a list's live rows and one more; returns whether that is in it.</summary>
    private bool ChooseAgain<TWalk>(
        in TWalk walk, int row, int added, int level, byte* targets, SearchScratch scratch, out int bridge)
        where TWalk : struct, IWalk
    {
        var graph = _graph!;
        var width = graph.Width(level);
        var links = graph.Links(row, level);
        var target = targets + ((long)walk.TargetBytes * (graph.BaseLinks + 2));
        var ids = scratch.Rows(graph.BaseLinks + 1);
        var count = 0;
        ids[count++] = added;
        for (var i = 0; i < width; i++)
        {
            if (SlotOf(links[i]) >= 0)
                ids[count++] = links[i];
        }

        walk.Prefetch(ids, count);
        walk.Load(row, target);
        var distances = scratch.Distances(graph.BaseLinks + 1);
        walk.Distances(target, ids, count, distances);
        var sorted = scratch.SecondPool(graph.BaseLinks + 1);
        for (var i = 0; i < count; i++)
            sorted.Add(CandidatePool.Pack(distances[i], ids[i]));
        bridge = count > width ? Bridge(sorted[count - 1], sorted[count - 2]) : Graph.None;
        var kept = Select(walk, sorted.Keys, count, width, ids, targets + walk.TargetBytes, out var apart);
        var list = new ReadOnlySpan<int>(ids, kept);
        graph.Write(row, level, list, apart);
        if (bridge >= 0 && list.Contains(bridge))
            bridge = Graph.None;
        return list.Contains(added);
    }

    /// <summary>
    /// Puts one more row into a full list of level 0 of which it is known which rows are apart: chooses as <see cref="Select"/> does,
    /// without comparing with each other again what the new row changes nothing about. Returns whether it found a
    /// place.
    /// </summary>
    private bool Place<TWalk>(
        in TWalk walk, int row, int added, byte* addedTarget, int* links, int apart, byte* targets, SearchScratch scratch,
        out int bridge)
        where TWalk : struct, IWalk
    {
        var width = _graph!.BaseLinks;
        var target = targets + ((long)walk.TargetBytes * (width + 2));
        walk.Prefetch(links, width);
        walk.Load(row, target);
        var distances = scratch.Distances(width + 1);
        walk.Distances(target, links, width, distances);
        var key = CandidatePool.Pack(walk.Distance(target, added), added);
        var distance = CandidatePool.Distance(key);
        var keys = scratch.Spare(width + 1);
        var nearer = 0;
        for (var i = 0; i < width; i++)
        {
            keys[i] = CandidatePool.Pack(distances[i], links[i]);
            nearer += i < apart && keys[i] < key ? 1 : 0;
        }

        // Nearer ones that are apart decide about it, and it decides about the farther ones.
        if (addedTarget is null)
            walk.Load(added, addedTarget = targets + walk.TargetBytes);
        walk.Distances(addedTarget, links, nearer, distances);
        for (var i = 0; i < nearer; i++)
        {
            if (!(distances[i] > distance))
                return Fill(key, links, keys, apart, out bridge);
        }

        walk.Distances(addedTarget, links + nearer, apart - nearer, distances + nearer);
        return PlaceApart(walk, row, key, keys, nearer, apart, distances, target, scratch, out bridge);
    }

    /// <summary>Puts a row among those that fill a list, nearest first, in place of the last.</summary>
    private bool Fill(ulong key, int* links, ulong* keys, int apart, out int bridge)
    {
        var last = _graph!.BaseLinks - 1;
        bridge = Graph.None;
        if (last < apart || keys[last] < key)
            return false;
        bridge = Bridge(keys[last], Math.Max(keys[apart - 1], last > apart ? Math.Max(key, keys[last - 1]) : key));
        var i = last;
        for (; i > apart && keys[i - 1] > key; i--)
            Volatile.Write(ref links[i], links[i - 1]);
        Volatile.Write(ref links[i], CandidatePool.Row(key));
        return true;
    }

    /// <summary>
    /// Puts a row behind the <paramref name="nearer"/> first. Those that were apart and are too near to it are passed over; then rows that
    /// were passed over for one of those are looked at again. <paramref name="distances"/> are those of the new row to all that were apart.
    /// </summary>
    private bool PlaceApart<TWalk>(
        in TWalk walk, int row, ulong key, ulong* keys, int nearer, int apart, float* distances, byte* spare, SearchScratch scratch,
        out int bridge)
        where TWalk : struct, IWalk
    {
        var width = _graph!.BaseLinks;
        var ids = scratch.Rows((width * 3) + 1);
        var passed = ids + width;
        var back = passed + width + 1;
        var count = 0;
        for (; count < nearer; count++)
            ids[count] = CandidatePool.Row(keys[count]);
        var placed = count < width;
        if (placed)
            ids[count++] = CandidatePool.Row(key);
        int passedCount = 0, backCount = 0;
        var dropped = false;
        int i = nearer, other = apart;
        while (count < width && (i < apart || other < width))
        {
            var wasApart = other == width || (i < apart && keys[i] < keys[other]);
            var next = wasApart ? keys[i] : keys[other];
            var id = CandidatePool.Row(next);
            var limit = CandidatePool.Distance(next);
            var isApart = wasApart ? distances[i] > limit && AreApart(walk, id, limit, back, backCount, spare)
                : dropped && AreApart(walk, id, limit, ids, count, spare);
            if (isApart)
            {
                ids[count++] = id;
                if (!wasApart)
                    back[backCount++] = id;
            }
            else
            {
                passed[passedCount++] = id;
                dropped |= wasApart;
            }

            _ = wasApart ? i++ : other++;
        }

        // One is left over: what was not come to, or the farthest of those passed over.
        bridge = placed ? Farthest(key, keys, apart, width) : Graph.None;
        var left = i < apart ? CandidatePool.Row(keys[i])
            : other < width ? CandidatePool.Row(keys[other])
            : passedCount > 0 ? passed[passedCount - 1] : Graph.None;
        if (bridge != left)
            bridge = Graph.None;
        var chosen = count;
        for (i = 0; i < passedCount && count < width && FillPruned; i++)
            ids[count++] = passed[i];
        _graph.Write(row, 0, new ReadOnlySpan<int>(ids, count), chosen);
        return placed;
    }

    // Both those apart and the others are sorted.
    private static int Farthest(ulong key, ulong* keys, int apart, int width)
    {
        var farthest = keys[apart - 1];
        var next = apart > 1 ? keys[apart - 2] : 0;
        if (width > apart && keys[width - 1] > farthest)
        {
            next = width - 1 > apart ? Math.Max(farthest, keys[width - 2]) : farthest;
            farthest = keys[width - 1];
        }
        else if (width > apart)
        {
            next = Math.Max(next, keys[width - 1]);
        }

        return key > farthest ? Graph.None : Bridge(farthest, Math.Max(next, key));
    }

    // What is not a number is not apart, as in Select.
    private static bool AreApart<TWalk>(in TWalk walk, int row, float limit, int* others, int count, byte* target)
        where TWalk : struct, IWalk
    {
        if (count > 0)
            walk.Load(row, target);
        for (var i = 0; i < count; i++)
        {
            if (!(walk.Distance(target, others[i]) > limit))
                return false;
        }

        return true;
    }

    /// <summary>
    /// Chooses neighbours (Malkov and Yashunin, algorithm 4): a candidate is kept when it is nearer to the row than to any kept one, so of
    /// equal vectors only one; the places left go to the nearest of the others. Returns how many were chosen, of them
    /// <paramref name="apart"/> by the first rule.
    /// </summary>
    private static int Select<TWalk>(
        in TWalk walk, ulong* sorted, int count, int width, int* chosen, byte* targets, out int apart)
        where TWalk : struct, IWalk
    {
        var kept = 0;
        var passed = 0;
        for (var i = 0; i < count && kept < width; i++)
        {
            var row = CandidatePool.Row(sorted[i]);
            var distance = CandidatePool.Distance(sorted[i]);
            var isApart = true;
            for (var j = 0; j < kept && isApart; j++)
                isApart = walk.Distance(targets + ((long)j * walk.TargetBytes), row) > distance;
            if (isApart)
            {
                walk.Load(row, targets + ((long)kept * walk.TargetBytes));
                chosen[kept++] = row;
            }
            else
            {
                sorted[passed++] = sorted[i];
            }
        }

        apart = kept;
        for (var i = 0; i < passed && kept < width && FillPruned; i++)
            chosen[kept++] = CandidatePool.Row(sorted[i]);
        return kept;
    }
}
