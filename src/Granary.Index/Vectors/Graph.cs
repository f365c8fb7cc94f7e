using System.Numerics;
using System.Runtime.CompilerServices;
using Granary.Index.Memory;

namespace Granary.Index.Vectors;

/// <summary>What the linking side knows of a row.</summary>
internal enum RowState : byte
{
    /// <summary>Unused, or waiting for readers to leave before it is reused.</summary>
    Free,

    /// <summary>Added, not linked.</summary>
    Pending,

    /// <summary>In the graph.</summary>
    Linked,

    /// <summary>Removed and in the graph; its neighbours are being reconnected.</summary>
    Dead,
}

/// <summary>
/// Storage of an HNSW graph. A link list is an array of ids, free places at its end hold -1: 2M ids a row on level 0 in one flat array, M
/// ids
/// on each upper level of the few rows that have any. Ids are written one by one under the row's lock and read without: a reader
/// of a list that is being rewritten sees some old and some new ids, all of them rows.
/// </summary>
internal sealed unsafe class Graph : IDisposable
{
    /// <summary>Marks a free place.</summary>
    public const int None = -1;

    private const int MaxLevel = 15;
    private const int LockCount = 4096;
    private readonly RowArena _links;
    private readonly RowArena _upper;
    private readonly RowArena _nodes = new(sizeof(Node));
    private readonly int[] _locks = new int[LockCount];
    private readonly int _levelBits;
    private long _entry = -1;
    private int _upperCount;

    public Graph(int m)
    {
        M = m;
        BaseLinks = m * 2;
        _links = new RowArena(BaseLinks * sizeof(int));
        _upper = new RowArena(m * sizeof(int));
        _levelBits = Math.Max(1, BitOperations.Log2((uint)m));
    }

    /// <summary>Links of a row on an upper level.</summary>
    public int M { get; }

    /// <summary>Links of a row on level 0.</summary>
    public int BaseLinks { get; }

    /// <summary>Unmanaged bytes.</summary>
    public long Bytes => _links.Bytes + _upper.Bytes + _nodes.Bytes;

    /// <summary>Bytes of each part.</summary>
    public IEnumerable<(string Part, long Bytes, bool Unmanaged)> MeasureBytes() =>
        [("links of level 0", _links.Bytes, true), ("links of upper levels", _upper.Bytes, true), ("levels of rows", _nodes.Bytes, true)];

    /// <summary>Blocks of upper links in use.</summary>
    public int UpperCount => _upperCount;

    /// <summary>The row searches start from and its level, packed; negative when the graph is empty.</summary>
    public long Entry
    {
        get => Volatile.Read(ref _entry);
        set => Volatile.Write(ref _entry, value);
    }

    public static long PackEntry(int row, int level) => ((long)level << 32) | (uint)row;

    public static int EntryRow(long entry) => (int)entry;

    public static int EntryLevel(long entry) => (int)(entry >> 32);

    /// <summary>Gives a new row its memory, its level and empty lists. Called by the applier, before the row is known to anyone.</summary>
    public void AddRow(int row)
    {
        var level = ChooseLevel(row);
        EnsureRow(row);
        ref var node = ref At(row);
        node.Level = (byte)level;
        node.State = RowState.Free;
        node.Upper = level > 0 ? _upperCount : None;
        for (var i = 0; i < level; i++)
        {
            _upper.Ensure(_upperCount);
            _upperCount++;
        }

        Clear(row);
    }

    /// <summary>Gives rows memory, for loading.</summary>
    public void EnsureRow(int row)
    {
        _links.Ensure(row);
        _nodes.Ensure(row);
    }

    /// <summary>Gives blocks of upper links memory, for loading.</summary>
    public void EnsureUpper(int count)
    {
        if (count > 0)
            _upper.Ensure(count - 1);
        _upperCount = count;
    }

    /// <summary>Empties a row's lists before it is used again.</summary>
    public void Clear(int row)
    {
        for (var level = 0; level <= At(row).Level; level++)
            new Span<int>(Links(row, level), Width(level)).Fill(None);
        At(row).Apart = 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int* Links(int row) => (int*)_links.Row(row);

    /// <summary>A row's list on a level it has.</summary>
    public int* Links(int row, int level) => level == 0 ? (int*)_links.Row(row) : (int*)_upper.Row(At(row).Upper + level - 1);

    /// <summary>An upper block, for saving.</summary>
    public int* UpperBlock(int index) => (int*)_upper.Row(index);

    public int Width(int level) => level == 0 ? BaseLinks : M;

    public int Level(int row) => At(row).Level;

    public RowState State(int row) => At(row).State;

    public void SetState(int row, RowState state) => At(row).State = state;

    /// <summary>A row's node, for saving and loading.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref Node At(int row) => ref *(Node*)_nodes.Row(row);

    /// <summary>Takes the lock of a row's lists. Held for microseconds, never two at a time.</summary>
    public void Lock(int row)
    {
        ref var cell = ref _locks[row & (LockCount - 1)];
        if (Interlocked.CompareExchange(ref cell, 1, 0) == 0)
            return;
        var spin = new SpinWait();
        while (Interlocked.CompareExchange(ref cell, 1, 0) != 0)
            spin.SpinOnce();
    }

    public void Unlock(int row) => Volatile.Write(ref _locks[row & (LockCount - 1)], 0);

    /// <summary>
    /// Writes a list: the ids, then free places. The first <paramref name="apart"/> ids were chosen for being nearer to the row than to
    /// each other, the others fill the list; both nearest first.
    /// </summary>
    public void Write(int row, int level, ReadOnlySpan<int> ids, int apart)
    {
        var list = Links(row, level);
        var width = Width(level);
        for (var i = 0; i < ids.Length; i++)
            Volatile.Write(ref list[i], ids[i]);
        for (var i = ids.Length; i < width; i++)
            Volatile.Write(ref list[i], None);
        if (level == 0)
            At(row).Apart = (ushort)(ids.Length == width && apart <= ushort.MaxValue ? apart : 0);
    }

    public void Dispose()
    {
        _links.Dispose();
        _upper.Dispose();
        _nodes.Dispose();
    }

    // Geometric with ratio 1/M (rounded to a power of two), from a fixed hash of the row, so that a replay gives the same levels.
    private int ChooseLevel(int row)
    {
        var hash = ((ulong)(uint)row + 1) * 0x9E37_79B9_7F4A_7C15;
        hash = (hash ^ (hash >> 30)) * 0xBF58_476D_1CE4_E5B9;
        hash = (hash ^ (hash >> 27)) * 0x94D0_49BB_1331_11EB;
        hash ^= hash >> 31;
        return Math.Min(MaxLevel, BitOperations.TrailingZeroCount(hash) / _levelBits);
    }

    /// <summary>What a row has besides its level-0 links.</summary>
    internal struct Node
    {
        /// <summary>The first of its upper blocks; -1 for none.</summary>
        public int Upper;

        /// <summary>Its highest level.</summary>
        public byte Level;

        /// <summary>Written by the linking side, and by the applier while the row is unknown.</summary>
        public RowState State;

        /// <summary>
        /// How many of its links on level 0, the first, are there for being apart: 0 where that is not known or the list has free places.
        /// Written with the list, under its lock; not kept in images.
        /// </summary>
        public ushort Apart;
    }
}
