namespace Granary.Index.Payload;

/// <summary>
/// (value, slot) pairs in order, for one writer and any number of readers without locks: chunks that are replaced whole, in a list that is
/// replaced when a chunk is split or emptied. A reader keeps the list it began with.
/// </summary>
internal sealed class SortedEntries<TKey>
    where TKey : unmanaged, IComparable<TKey>
{
    private const int ChunkLimit = 256;
    private Chunk[] _chunks = [new([], [])];
    private int _count;

    public int Count => Volatile.Read(ref _count);

    public bool Add(TKey key, int slot)
    {
        var (chunk, at, found) = Locate(_chunks, key, slot);
        if (found)
            return false;
        var old = _chunks[chunk];
        var grown = new Chunk([.. old.Keys[..at], key, .. old.Keys[at..]], [.. old.Slots[..at], slot, .. old.Slots[at..]]);
        if (grown.Keys.Length <= ChunkLimit)
        {
            Volatile.Write(ref _chunks[chunk], grown);
        }
        else
        {
            // Values that come in rising order leave full chunks behind.
            var cut = chunk == _chunks.Length - 1 && at == old.Keys.Length ? ChunkLimit : ChunkLimit / 2;
            Volatile.Write(
                ref _chunks,
                [.. _chunks[..chunk], new(grown.Keys[..cut], grown.Slots[..cut]), new(grown.Keys[cut..], grown.Slots[cut..]),
                    .. _chunks[(chunk + 1)..]]);
        }

        _count++;
        return true;
    }

    public bool Remove(TKey key, int slot)
    {
        var (chunk, at, found) = Locate(_chunks, key, slot);
        if (!found)
            return false;
        var old = _chunks[chunk];
        if (old.Keys.Length == 1 && _chunks.Length > 1)
            Volatile.Write(ref _chunks, [.. _chunks[..chunk], .. _chunks[(chunk + 1)..]]);
        else
            Volatile.Write(ref _chunks[chunk],
                new([.. old.Keys[..at], .. old.Keys[(at + 1)..]], [.. old.Slots[..at], .. old.Slots[(at + 1)..]]));
        _count--;
        return true;
    }

    /// <summary>Replaces everything; the entries need not be sorted.</summary>
    public void Build(List<(TKey Key, int Slot)> entries)
    {
        entries.Sort(static (a, b) => a.Key.CompareTo(b.Key) is not 0 and var order ? order : a.Slot.CompareTo(b.Slot));
        var unique = new List<(TKey Key, int Slot)>(entries.Count);
        foreach (var entry in entries)
        {
            if (unique.Count == 0 || unique[^1].Slot != entry.Slot || unique[^1].Key.CompareTo(entry.Key) != 0)
                unique.Add(entry);
        }

        var chunks = unique.Chunk(ChunkLimit / 4 * 3)
            .Select(static c => new Chunk([.. c.Select(static e => e.Key)], [.. c.Select(static e => e.Slot)])).ToArray();
        _count = unique.Count;
        Volatile.Write(ref _chunks, chunks.Length > 0 ? chunks : [new([], [])]);
    }

    /// <summary>How many entries have keys from <paramref name="from"/> to <paramref name="to"/>, both inclusive.</summary>
    public long CountRange(TKey from, TKey to)
    {
        if (from.CompareTo(to) > 0)
            return 0;
        var chunks = Volatile.Read(ref _chunks);
        var (first, start, _) = Locate(chunks, from, int.MinValue);
        var (last, end, _) = Locate(chunks, to, int.MaxValue);
        if (first == last)
            return Math.Max(0, end - start);
        long count = Math.Max(0, Volatile.Read(ref chunks[first]).Keys.Length - start) + end;
        for (var i = first + 1; i < last; i++)
            count += Volatile.Read(ref chunks[i]).Keys.Length;
        return count;
    }

    /// <summary>The entries of a range in rising order.</summary>
    public IEnumerable<(TKey Key, int Slot)> Ascending(TKey? from, TKey? to)
    {
        var chunks = Volatile.Read(ref _chunks);
        var (first, start) = (0, 0);
        if (from is { } least)
            (first, start, _) = Locate(chunks, least, int.MinValue);
        for (var i = first; i < chunks.Length; i++)
        {
            var chunk = Volatile.Read(ref chunks[i]);
            for (var at = i == first ? start : 0; at < chunk.Keys.Length; at++)
            {
                if (to is { } most && chunk.Keys[at].CompareTo(most) > 0)
                    yield break;
                if (from is { } low && chunk.Keys[at].CompareTo(low) < 0)
                    continue;
                yield return (chunk.Keys[at], chunk.Slots[at]);
            }
        }
    }

    /// <summary>Sets the bits of the slots of a range, both ends inclusive.</summary>
    public void Fill(TKey from, TKey to, SlotBits bits)
    {
        var chunks = Volatile.Read(ref _chunks);
        for (var i = Locate(chunks, from, int.MinValue).Chunk; i < chunks.Length; i++)
        {
            var chunk = Volatile.Read(ref chunks[i]);
            var (keys, slots) = (chunk.Keys, chunk.Slots);
            if (keys.Length > 0 && keys[0].CompareTo(from) >= 0 && keys[^1].CompareTo(to) <= 0)
            {
                foreach (var slot in slots)
                    bits.Set(slot);
                continue;
            }

            for (var at = 0; at < keys.Length; at++)
            {
                if (keys[at].CompareTo(to) > 0)
                    return;
                if (keys[at].CompareTo(from) >= 0)
                    bits.Set(slots[at]);
            }
        }
    }

    /// <summary>Clears the bits of the slots outside a range.</summary>
    public void ClearOutside(TKey from, TKey to, SlotBits bits)
    {
        var chunks = Volatile.Read(ref _chunks);
        for (var i = 0; i < chunks.Length; i++)
        {
            var chunk = Volatile.Read(ref chunks[i]);
            var (keys, slots) = (chunk.Keys, chunk.Slots);
            if (keys.Length > 0 && keys[0].CompareTo(from) >= 0 && keys[^1].CompareTo(to) <= 0)
                continue;
            for (var at = 0; at < keys.Length; at++)
            {
                if (keys[at].CompareTo(from) < 0 || keys[at].CompareTo(to) > 0)
                    bits.Clear(slots[at]);
            }
        }
    }

    /// <summary>The entries from a key downward in falling order.</summary>
    public IEnumerable<(TKey Key, int Slot)> Descending(TKey? from)
    {
        var chunks = Volatile.Read(ref _chunks);
        var last = chunks.Length - 1;
        if (from is { } most)
            last = Locate(chunks, most, int.MaxValue).Chunk;
        for (var i = last; i >= 0; i--)
        {
            var chunk = Volatile.Read(ref chunks[i]);
            for (var at = chunk.Keys.Length - 1; at >= 0; at--)
            {
                if (from is { } high && chunk.Keys[at].CompareTo(high) > 0)
                    continue;
                yield return (chunk.Keys[at], chunk.Slots[at]);
            }
        }
    }

    /// <summary>The entry's place, or the place it would take.</summary>
    private static (int Chunk, int At, bool Found) Locate(Chunk[] chunks, TKey key, int slot)
    {
        var (low, high) = (0, chunks.Length - 1);
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            var chunk = Volatile.Read(ref chunks[middle]);
            if (Compare(chunk, 0, key, slot) <= 0)
                low = middle;
            else
                high = middle - 1;
        }

        var found = Volatile.Read(ref chunks[low]);
        var (from, to) = (0, found.Keys.Length);
        while (from < to)
        {
            var middle = (from + to) / 2;
            if (Compare(found, middle, key, slot) < 0)
                from = middle + 1;
            else
                to = middle;
        }

        return (low, from, from < found.Keys.Length && Compare(found, from, key, slot) == 0);
    }

    private static int Compare(Chunk chunk, int at, TKey key, int slot) =>
        chunk.Keys[at].CompareTo(key) is not 0 and var order ? order : chunk.Slots[at].CompareTo(slot);

    private sealed record Chunk(TKey[] Keys, int[] Slots);
}
