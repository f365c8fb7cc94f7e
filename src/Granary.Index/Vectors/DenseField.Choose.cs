namespace Granary.Index.Vectors;

/// <content>Links back, and which links a full list keeps.</content>
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
    /// Puts one more row into a full list of level 0 of which it is known which rows are apart: what <see cref="Select"/> would do,
    /// without comparing the rows that were in it with each other again. A row that was passed over for one that is itself passed over
    /// now is not thought of again, but stays among those that fill the list.
    /// </summary>
    private void Place<TWalk>(in TWalk walk, int row, int added, byte* addedTarget, int* links, int apart, byte* targets, SearchScratch scratch)
        where TWalk : struct, IWalk
    {
        var graph = _graph!;
        var width = graph.BaseLinks;
        var target = targets + ((long)walk.TargetBytes * (width + 2));
        walk.Prefetch(links, width);
        walk.Load(row, target);
        var distances = scratch.Distances(width + 1);
        walk.Distances(target, links, width, distances);
        var distance = walk.Distance(target, added);
        var key = CandidatePool.Pack(distance, added);
        if (addedTarget is null)
            walk.Load(added, addedTarget = targets + walk.TargetBytes);

        // Nearer ones that are apart decide about it, and it decides about the farther ones.
        var keys = scratch.Spare(width + 1);
        var nearer = 0;
        for (var i = 0; i < width; i++)
        {
            keys[i] = CandidatePool.Pack(distances[i], links[i]);
            nearer += i < apart && keys[i] < key ? 1 : 0;
        }

        walk.Distances(addedTarget, links, apart, distances);
        var isApart = true;
        for (var i = 0; i < nearer; i++)
            isApart &= distances[i] >= distance;
        var ids = scratch.Rows(width + 1);
        var pool = scratch.SecondPool(width + 1);
        var count = 0;
        for (var i = 0; i < nearer; i++)
            ids[count++] = links[i];
        if (isApart)
            ids[count++] = added;
        else
            pool.Add(key);
        for (var i = nearer; i < apart; i++)
        {
            if (!isApart || distances[i] >= CandidatePool.Distance(keys[i]))
                ids[count++] = links[i];
            else
                pool.Add(keys[i]);
        }

        var chosen = Math.Min(count, width);
        for (var i = apart; i < width; i++)
            pool.Add(keys[i]);
        count = chosen;
        for (var i = 0; i < pool.Count && count < width; i++)
            ids[count++] = CandidatePool.Row(pool.Keys[i]);
        graph.Write(row, 0, new ReadOnlySpan<int>(ids, count), chosen);
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
