using System.Runtime.CompilerServices;

namespace Granary.Index.Vectors;

/// <summary>
/// The nearest rows met so far, sorted, with a mark on those whose neighbours were visited. An entry is one integer: the distance's
/// bits in an order that compares as unsigned, the row, and the mark in the lowest bit. The memory belongs to the scratch.
/// </summary>
internal unsafe struct CandidatePool
{
    private readonly ulong* _keys;
    private readonly int _capacity;
    private int _cursor;

    /// <summary>Uses <paramref name="capacity"/> entries at <paramref name="keys"/>.</summary>
    public CandidatePool(ulong* keys, int capacity)
    {
        _keys = keys;
        _capacity = capacity;
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

    /// <summary>The nearest row not visited yet, now marked; false when there is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryVisit(out int row)
    {
        while (_cursor < Count)
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

    /// <summary>The row that will probably be visited next; -1 when there is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly int Peek() => _cursor < Count ? Row(_keys[_cursor]) : -1;

    // Shifts at most the capacity: the last entry falls out when the pool is full.
    private void Insert(ulong key)
    {
        var low = 0;
        var high = Count;
        while (low < high)
        {
            var middle = (low + high) >> 1;
            if (_keys[middle] < key)
                low = middle + 1;
            else
                high = middle;
        }

        var moved = (Count == _capacity ? Count - 1 : Count++) - low;
        Buffer.MemoryCopy(_keys + low, _keys + low + 1, moved * sizeof(ulong), moved * sizeof(ulong));
        _keys[low] = key;
        if (low < _cursor)
            _cursor = low;
    }
}
