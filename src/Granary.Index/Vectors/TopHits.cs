using Granary.Index.Search;

namespace Granary.Index.Vectors;

/// <summary>The k smallest keys and every one equal to the k-th, so that ties can be broken by id above the field.</summary>
internal sealed class TopHits
{
    private float[] _keys = new float[64];
    private int[] _slots = new int[64];
    private int _count;
    private int _k;

    /// <summary>A key above this cannot enter.</summary>
    public float Threshold { get; private set; }

    /// <summary>Empties it for another search.</summary>
    public void Reset(int k)
    {
        _k = k;
        _count = 0;
        Threshold = k > 0 ? float.PositiveInfinity : float.NegativeInfinity;
    }

    /// <summary>Offers a hit.</summary>
    public void Add(float key, int slot)
    {
        if (!(key <= Threshold) || _k == 0)
            return;
        if (_count == _keys.Length)
            MakeRoom();
        if (!(key <= Threshold))
            return;
        _keys[_count] = key;
        _slots[_count++] = slot;
    }

    /// <summary>Appends the hits, nearest first.</summary>
    public void Drain(Distance distance, List<SlotHit> hits)
    {
        Trim();
        for (var i = 0; i < _count; i++)
            hits.Add(new SlotHit(_slots[i], VectorMath.Score(distance, _keys[i])));
    }

    private void MakeRoom()
    {
        Trim();
        if (_count <= _keys.Length / 2)
            return;
        Array.Resize(ref _keys, _keys.Length * 2);
        Array.Resize(ref _slots, _slots.Length * 2);
    }

    private void Trim()
    {
        Array.Sort(_keys, _slots, 0, _count);
        if (_k == 0 || _count < _k)
            return;
        Threshold = _keys[_k - 1];
        var end = _k;
        while (end < _count && _keys[end] <= Threshold)
            end++;
        _count = end;
    }
}
