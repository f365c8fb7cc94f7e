namespace Granary.Index.Vectors;

/// <content>Links back and which links a full list keeps.</content>
public sealed unsafe partial class DenseField
{
    /// <summary>
    /// Adds a link to a list, choosing again when it is full. <paramref name="target"/> is that of the added row, null when there is none
    /// yet; the second of <paramref name="targets"/> and those after it are written.
    /// </summary>
    private void LinkBack<TWalk>(
        in TWalk walk, int row, int added, byte* target, int level, byte* targets, SearchScratch scratch)
        where TWalk : struct, IWalk
    {
        var graph = _graph!;
        var width = graph.Width(level);
        graph.Lock(row);
        try
        {
            var links = graph.Links(row, level);
            var used = 0;
            while (used < width && links[used] >= 0)
            {
                if (links[used++] == added)
                    return;
            }

            if (used < width)
            {
                Volatile.Write(ref links[used], added);
                return;
            }

            var apart = level == 0 ? graph.At(row).Apart : 0;
            if (apart > 0 && (Volatile.Read(ref _removedCount) == 0 || AllLive(links, used)))
                Place(walk, row, added, target, links, apart, targets, scratch);
            else
                ChooseAgain(walk, row, added, level, targets, scratch);
        }
        finally
        {
            graph.Unlock(row);
        }
    }

    private bool AllLive(int* rows, int count)
    {
        for (var i = 0; i < count; i++)
        {
            if (SlotOf(rows[i]) < 0)
                return false;
        }

        return true;
    }

    /// <summary>Chooses among all of a list's live rows and one more.</summary>
    private void ChooseAgain<TWalk>(in TWalk walk, int row, int added, int level, byte* targets, SearchScratch scratch)
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
        var kept = Select(walk, sorted.Keys, count, width, ids, targets + walk.TargetBytes, out var apart);
        graph.Write(row, level, new ReadOnlySpan<int>(ids, kept), apart);
    }

    /// <summary>
    /// Puts one more row into a full list of level 0 of which it is known which rows are apart: chooses as <see cref="Select"/> does,
    /// without comparing with each other again what the new row changes nothing about.
    /// </summary>
    private void Place<TWalk>(
        in TWalk walk, int row, int added, byte* addedTarget, int* links, int apart, byte* targets, SearchScratch scratch)
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
            if (!(distances[i] >= distance))
            {
                Fill(row, key, links, keys, apart);
                return;
            }
        }

        walk.Distances(addedTarget, links + nearer, apart - nearer, distances + nearer);
        PlaceApart(walk, row, key, keys, nearer, apart, distances, target, scratch);
    }

    /// <summary>Puts a row among those that fill a list, nearest first, in place of the last.</summary>
    private void Fill(int row, ulong key, int* links, ulong* keys, int apart)
    {
        var last = _graph!.BaseLinks - 1;
        if (last < apart || keys[last] < key)
            return;
        var i = last;
        for (; i > apart && keys[i - 1] > key; i--)
            Volatile.Write(ref links[i], links[i - 1]);
        Volatile.Write(ref links[i], CandidatePool.Row(key));
    }

    /// <summary>
    /// Puts a row behind the <paramref name="nearer"/> first. Those that were apart and are too near to it are passed over; then rows that
    /// were passed over for one of those are looked at again. <paramref name="distances"/> are those of the new row to all that were apart.
    /// </summary>
    private void PlaceApart<TWalk>(
        in TWalk walk, int row, ulong key, ulong* keys, int nearer, int apart, float* distances, byte* spare, SearchScratch scratch)
        where TWalk : struct, IWalk
    {
        var width = _graph!.BaseLinks;
        var ids = scratch.Rows((width * 3) + 1);
        var passed = ids + width;
        var back = passed + width + 1;
        var count = 0;
        for (; count < nearer; count++)
            ids[count] = CandidatePool.Row(keys[count]);
        if (count < width)
            ids[count++] = CandidatePool.Row(key);
        int passedCount = 0, backCount = 0;
        var dropped = false;
        for (int i = nearer, other = apart; count < width && (i < apart || other < width);)
        {
            var wasApart = other == width || (i < apart && keys[i] < keys[other]);
            var next = wasApart ? keys[i] : keys[other];
            var id = CandidatePool.Row(next);
            var limit = CandidatePool.Distance(next);
            var isApart = wasApart ? distances[i] >= limit && AreApart(walk, id, limit, back, backCount, spare)
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

        var chosen = count;
        for (var i = 0; i < passedCount && count < width && FillPruned; i++)
            ids[count++] = passed[i];
        _graph.Write(row, 0, new ReadOnlySpan<int>(ids, count), chosen);
    }

    // What is not a number is not apart, as in Select.
    private static bool AreApart<TWalk>(in TWalk walk, int row, float limit, int* others, int count, byte* target)
        where TWalk : struct, IWalk
    {
        if (count > 0)
            walk.Load(row, target);
        for (var i = 0; i < count; i++)
        {
            if (!(walk.Distance(target, others[i]) >= limit))
                return false;
        }

        return true;
    }

    /// <summary>
    /// Chooses neighbours (Malkov and Yashunin, algorithm 4): a candidate is kept when it is nearer to the row than to any kept one; the
    /// places left go to the nearest of the others. Returns how many were chosen, of them <paramref name="apart"/> by the first rule.
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
                isApart = walk.Distance(targets + ((long)j * walk.TargetBytes), row) >= distance;
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
