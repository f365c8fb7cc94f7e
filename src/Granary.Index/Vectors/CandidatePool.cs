using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Granary.Index.Vectors;

/// <summary>
/// The nearest rows met so far, sorted, with a mark on those whose neighbours were visited. An entry is one integer: the distance's
/// bits in an order that compares as unsigned, the row, and the mark in the lowest bit. The memory belongs to the scratch.
/// </summary>
internal unsafe struct CandidatePool
{
    /// <summary>Entries of memory beyond the capacity: whole registers are read and moved.</summary>
    public const int Slack = 2 * Lanes;

    private const int Lanes = 8;

    // Up to so many entries all are compared.
    private const int Wide = 96;
    private readonly ulong* _keys;
    private readonly int _capacity;
    private int _cursor;

    /// <summary>Uses <paramref name="capacity"/> entries, and <see cref="Slack"/> more, at <paramref name="keys"/>.</summary>
    public CandidatePool(ulong* keys, int capacity)
    {
        _keys = keys;
        _capacity = capacity;

        // Places that are free compare as farther than any entry.
        new Span<ulong>(keys, capacity + Slack).Fill(ulong.MaxValue);
    }

    /// <summary>Entries.</summary>
    public int Count { get; private set; }

    /// <summary>An entry, nearest first.</summary>
    public readonly ulong this[int index] => _keys[index];

    /// <summary>The entries.</summary>
    public readonly ulong* Keys => _keys;

    /// <summary>Whether no more fit without dropping one.</summary>
    public readonly bool IsFull => Count == _capacity;

    /// <summary>The farthest entry; only when there is one.</summary>
    public readonly ulong Last => _keys[Count - 1];

    /// <summary>Makes an entry. What is not a number counts as farthest: by its sign it could come first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Pack(float distance, int row)
    {
        if (float.IsNaN(distance))
            distance = float.PositiveInfinity;
        var bits = BitConverter.SingleToInt32Bits(distance);
        return ((ulong)((uint)bits ^ (uint)((bits >> 31) | int.MinValue)) << 32) | ((uint)row << 1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Row(ulong key) => (int)((uint)key >> 1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Distance(ulong key)
    {
        var bits = (uint)(key >> 32);
        return BitConverter.UInt32BitsToSingle(bits ^ (((int)bits < 0) ? 0x8000_0000u : 0xFFFF_FFFFu));
    }

    /// <summary>Adds an entry if it is near enough.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Add(ulong key)
    {
        if (Count == _capacity && key >= _keys[Count - 1])
            return false;
        Insert(key);
        return true;
    }

    /// <summary>The nearest row not visited yet, now marked; false when there is none among the nearest <paramref name="reach"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryVisit(out int row, int reach = int.MaxValue)
    {
        while (_cursor < Math.Min(Count, reach))
        {
            var key = _keys[_cursor];
            if ((key & 1) == 0)
            {
                _keys[_cursor++] = key | 1;
                row = Row(key);
                return true;
            }

            _cursor++;
        }

        row = -1;
        return false;
    }

    /// <summary>Whether the row visited last was not the nearest of all: the walk no longer goes straight down.</summary>
    public readonly bool IsExploring => _cursor > 1;

    /// <summary>Adds what is near enough of <paramref name="count"/> rows. Uses count + 1 entries at <paramref name="spare"/>.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public void AddAll(int* rows, float* distances, int count, ulong* spare)
    {
        // Most are not: they are sorted out without a branch that would be guessed wrongly.
        var last = Count == _capacity ? _keys[Count - 1] : ulong.MaxValue;
        var near = 0;
        for (var i = 0; i < count; i++)
        {
            var key = Pack(distances[i], rows[i]);
            spare[near] = key;
            near += key < last ? 1 : 0;
        }

        for (var i = 0; i < near; i++)
            Add(spare[i]);
    }

    /// <summary>The row that will probably be visited next; -1 when there is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly int Peek() => _cursor < Count ? Row(_keys[_cursor]) : -1;

    // Counting the nearer entries and moving the others by whole registers: a search that halves guesses every branch anew.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Insert(ulong key)
    {
        var keys = _keys;
        var count = Count;
        var place = Vector512.IsHardwareAccelerated ? CountNearer(keys, count, key) : Halve(keys, count, key);
        Shift(keys, place, count);
        keys[place] = key;

        // The entry that falls out leaves a free place.
        if (count == _capacity)
            keys[count] = ulong.MaxValue;
        else
            Count = count + 1;
        if (place < _cursor)
            _cursor = place;
    }

    // At most the capacity and a register beyond it are written.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Shift(ulong* keys, int place, int count)
    {
        if (!Vector512.IsHardwareAccelerated)
        {
            Buffer.MemoryCopy(keys + place, keys + place + 1, (count - place) * sizeof(ulong), (count - place) * sizeof(ulong));
            return;
        }

        var first = Vector512.Load(keys + place);
        for (var i = place + ((count - place - 1) & -Lanes); i > place; i -= Lanes)
            Vector512.Store(Vector512.Load(keys + i), keys + i + 1);
        Vector512.Store(first, keys + place + 1);
    }

    /// <summary>How many entries are nearer. Reads whole registers: free places behind the last entry never are.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int CountNearer(ulong* keys, int count, ulong key)
    {
        var low = 0;
        for (; count > Wide; count -= count >> 1)
            low += keys[low + (count >> 1)] < key ? count >> 1 : 0;
        var wanted = Vector512.Create(key);
        var place = low;
        for (var i = 0; i < count; i += Lanes)
            place += BitOperations.PopCount(Vector512.LessThan(Vector512.Load(keys + low + i), wanted).ExtractMostSignificantBits());
        return place;
    }

    /// <summary>How many entries are nearer, on any machine.</summary>
    internal static int Halve(ulong* keys, int count, ulong key)
    {
        var low = 0;
        for (; count > 1; count -= count >> 1)
            low += keys[low + (count >> 1)] < key ? count >> 1 : 0;
        return low + (count > 0 && keys[low] < key ? 1 : 0);
    }
}
