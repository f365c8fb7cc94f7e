namespace Granary.Index.Vectors;

/// <summary>A binary heap of packed candidates (<see cref="CandidatePool.Pack"/>), nearest first, growing as needed.</summary>
internal sealed class PriorityHeap
{
    private ulong[] _keys = new ulong[256];

    /// <summary>Entries.</summary>
    public int Count { get; private set; }

    /// <summary>The nearest; only when there is one.</summary>
    public ulong Peek => _keys[0];

    /// <summary>Empties it.</summary>
    public void Clear() => Count = 0;

    /// <summary>Adds an entry.</summary>
    public void Push(ulong key)
    {
        if (Count == _keys.Length)
            Array.Resize(ref _keys, Count * 2);
        var keys = _keys;
        var i = Count++;
        while (i > 0)
        {
            var parent = (i - 1) >> 1;
            if (keys[parent] <= key)
                break;
            keys[i] = keys[parent];
            i = parent;
        }

        keys[i] = key;
    }

    /// <summary>Takes the nearest; only when there is one.</summary>
    public ulong Pop()
    {
        var keys = _keys;
        var top = keys[0];
        var last = keys[--Count];
        var i = 0;
        while (true)
        {
            var child = (i * 2) + 1;
            if (child >= Count)
                break;
            if (child + 1 < Count && keys[child + 1] < keys[child])
                child++;
            if (keys[child] >= last)
                break;
            keys[i] = keys[child];
            i = child;
        }

        keys[i] = last;
        return top;
    }
}
