using System.Numerics;
using Granary.Index.Memory;
using Granary.Index.Postings;

namespace Granary.Index.Text;

/// <summary>
/// Postings laid out for search: rows in groups of 64, found by number, a bit for each row and the frequencies in their order; and of
/// each cell of 16 rows the highest saturation a posting reaches, rounded up to 1/255 (the bounds of Block-Max Pruning, Mallia, Suel and
/// Tonellotto, 2024). Made of a list when a query first needs it, and then never changed; or of what came since, a query's own, refilled.
/// </summary>
internal sealed class ImpactList
{
    public const int GroupBits = 6;
    public const int GroupSize = 1 << GroupBits;
    public const int CellBits = 4;
    public const int CellSize = 1 << CellBits;
    public const int CellsPerGroup = GroupSize / CellSize;

    /// <summary>Stands for all frequencies from here on.</summary>
    public const byte MostFrequency = 255;

    // A list with postings in a quarter of all groups is laid out with a place for each of them.
    private const int DenseShare = 4;

    private int[]? _groups = new int[16];
    private long _extent;

    /// <summary>Groups that hold a posting, ascending; null when each group up to the last has a place.</summary>
    public int[]? Groups
    {
        get => _groups;
        private set => _groups = value;
    }

    /// <summary>How many places there are.</summary>
    public int Places { get; private set; }

    /// <summary>Where the postings of a place start; those of the last end at the place behind it.</summary>
    public int[] Starts { get; private set; } = new int[17];

    /// <summary>The bounds of each place's cells; 0 where there is no posting.</summary>
    public byte[] Bounds { get; private set; } = new byte[16 * CellsPerGroup];

    /// <summary>The rows of each place that have a posting, a bit each.</summary>
    public ulong[] Rows { get; private set; } = new ulong[16];

    /// <summary>The frequency of each posting, up to <see cref="MostFrequency"/>.</summary>
    public byte[] Frequencies { get; private set; } = new byte[64];

    /// <summary>Postings.</summary>
    public int Count { get; private set; }

    /// <summary>The last row that has a posting here.</summary>
    public int LastRow { get; private set; } = -1;

    /// <summary>Of the list it was made from, see <see cref="PostingList.View.Generation"/>.</summary>
    public int Generation => (int)(_extent >> 32);

    /// <summary>Of the list it was made from, see <see cref="PostingList.Extent"/>.</summary>
    public long Extent => _extent;

    /// <summary>The step of <see cref="Saturation"/> its bounds hold up to.</summary>
    public int Step { get; private set; }

    public long Bytes => 96 + (4L * Starts.Length) + Bounds.Length + Frequencies.Length + (8L * Rows.Length) + (4L * (Groups?.Length ?? 0));

    /// <summary>Lays out a list, of its tail so many postings.</summary>
    public static ImpactList Make(PostingList.View view, int tail, int step, in ImpactRule rule)
    {
        var filled = new ImpactList();
        filled.Append(view, tail, 0, rule);
        var list = filled.Trimmed();
        list._extent = PostingList.ExtentOf(view.Generation, list.Count);
        list.Step = step;
        return list;
    }

    /// <summary>Has the object itself fetched.</summary>
    public void Prefetch()
    {
        Prefetching.Of(ref _groups);
        Prefetching.Of(ref _extent);
    }

    /// <summary>Has what a search reads first of the places fetched.</summary>
    public void PrefetchPlaces()
    {
        if (_groups is { } groups)
            Prefetching.Of(groups);
        if (Bounds is { } bounds)
            Prefetching.Of(bounds);
    }

    /// <summary>Empties it for other postings.</summary>
    public void Clear()
    {
        Places = 0;
        Count = 0;
    }

    /// <summary>Takes in the postings of a list from one on, of its tail so many.</summary>
    public void Append(PostingList.View view, int tail, int from, in ImpactRule rule)
    {
        Span<int> rows = stackalloc int[BlockCodec.Size];
        Span<uint> frequencies = stackalloc uint[BlockCodec.Size];
        var blocks = view.Blocks?.Count ?? 0;
        for (var block = from / BlockCodec.Size; block < blocks; block++)
        {
            view.Blocks!.ReadRows(block, rows);
            view.Blocks.ReadPayloads(block, frequencies);
            Reserve(BlockCodec.Size);
            for (var i = Math.Max(0, from - (block * BlockCodec.Size)); i < rows.Length; i++)
                Append(rows[i], frequencies[i], rule);
        }

        Reserve(tail);
        foreach (var posting in view.Tail.AsSpan(0, tail)[Math.Max(0, from - (blocks * BlockCodec.Size))..])
            Append((int)(posting >> 32), (uint)posting, rule);
        Starts[Places] = Count;
    }

    /// <summary>Finds those of some rows that have a posting here, and the places of their groups; returns how many.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="found">As long as these.</param>
    public int Find(ReadOnlySpan<int> rows, Span<(int At, int Place)> found)
    {
        // Whether a row has one cannot be guessed, so nothing branches on it.
        var count = 0;
        found = found[..rows.Length];
        for (var i = 0; i < rows.Length; i++)
        {
            var group = rows[i] >> GroupBits;
            var place = _groups is { } groups ? PlaceOf(groups, group) : (int)Math.Min((uint)group, (uint)Places - 1);
            found[count] = (i, place);
            count += (int)(Rows[place] >> (rows[i] & (GroupSize - 1))) & ((_groups is { } all ? all[place] : place) == group ? 1 : 0);
        }

        return count;
    }

    /// <summary>The frequency of a row that was found, up to <see cref="MostFrequency"/>.</summary>
    public uint FrequencyOf(int row, int place) =>
        Frequencies[Starts[place] + BitOperations.PopCount(Rows[place] & ((1UL << (row & (GroupSize - 1))) - 1))];

    // The first place at or above a group, or the last. Which way a step goes cannot be guessed, so nothing branches on it; groups are
    // not negative.
    private int PlaceOf(int[] groups, int group)
    {
        var place = 0;
        for (var left = Places; left > 1;)
        {
            var half = left >> 1;
            place += half & ((groups[place + half - 1] - group) >> 31);
            left -= half;
        }

        return place;
    }

    private void Append(int row, uint frequency, in ImpactRule rule)
    {
        var group = row >> GroupBits;
        if (Places == 0 || Groups![Places - 1] != group)
        {
            Groups![Places] = group;
            Starts[Places] = Count;
            Bounds.AsSpan(Places * CellsPerGroup, CellsPerGroup).Clear();
            Rows[Places] = 0;
            Places++;
        }

        ref var bound = ref Bounds[((Places - 1) * CellsPerGroup) + ((row >> CellBits) & (CellsPerGroup - 1))];
        bound = Math.Max(bound, rule.Bound(row, frequency));
        Rows[Places - 1] |= 1UL << (row & (GroupSize - 1));
        Frequencies[Count++] = (byte)Math.Min(frequency, MostFrequency);
        LastRow = row;
    }

    private void Reserve(int more)
    {
        if (Count + more > Frequencies.Length)
            Frequencies = Grown(Frequencies, Count + more);
        if (Places + more <= Groups!.Length)
            return;
        Groups = Grown(Groups, Places + more);
        Rows = Grown(Rows, Groups.Length);
        Bounds = Grown(Bounds, Groups.Length * CellsPerGroup);
        Starts = Grown(Starts, Groups.Length + 1);
    }

    private ImpactList Trimmed()
    {
        var list = new ImpactList { Frequencies = Frequencies.AsSpan(0, Count).ToArray(), Count = Count, LastRow = LastRow };
        var groups = Groups![Places - 1] + 1;
        if (groups > (long)Places * DenseShare)
        {
            list.Places = Places;
            list.Groups = Groups.AsSpan(0, Places).ToArray();
            list.Starts = Starts.AsSpan(0, Places + 1).ToArray();
            list.Bounds = Bounds.AsSpan(0, Places * CellsPerGroup).ToArray();
            list.Rows = Rows.AsSpan(0, Places).ToArray();
            return list;
        }

        list.Groups = null;
        list.Places = groups;
        list.Starts = new int[groups + 1];
        list.Bounds = new byte[groups * CellsPerGroup];
        list.Rows = new ulong[groups];
        var next = 0;
        for (var place = 0; place < Places; place++)
        {
            while (next <= Groups[place])
                list.Starts[next++] = Starts[place];
            list.Rows[Groups[place]] = Rows[place];
            Bounds.AsSpan(place * CellsPerGroup, CellsPerGroup).CopyTo(list.Bounds.AsSpan(Groups[place] * CellsPerGroup));
        }

        list.Starts[groups] = Count;
        return list;
    }

    private static T[] Grown<T>(T[] array, int needed)
    {
        var larger = new T[Math.Max(needed, array.Length * 2)];
        array.CopyTo(larger, 0);
        return larger;
    }
}
