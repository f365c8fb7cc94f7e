namespace Granary.Index.Payload;

/// <summary>
/// A set of slots for one writer and any number of readers without locks: a small sorted array that is replaced, then one container for
/// each 65,536 slots (as in Roaring bitmaps, Chambi et al., arXiv:1402.6407), a sorted array or a bitmap.
/// </summary>
internal sealed class SlotSet
{
    private const int SmallLimit = 48;
    private const int ArrayLimit = 4096;
    private int[]? _small = [];
    private Container?[] _containers = [];
    private int _count;

    public int Count => Volatile.Read(ref _count);

    public bool Add(int slot)
    {
        if (_small is { } small)
        {
            var at = Array.BinarySearch(small, slot);
            if (at >= 0)
                return false;
            int[] grown = [.. small[..~at], slot, .. small[~at..]];
            if (grown.Length <= SmallLimit)
            {
                Volatile.Write(ref _small, grown);
            }
            else
            {
                foreach (var s in grown)
                    AddLarge(s);
                Volatile.Write(ref _small, null);
            }
        }
        else if (!AddLarge(slot))
        {
            return false;
        }

        _count++;
        return true;
    }

    public bool Remove(int slot)
    {
        if (_small is { } small)
        {
            var at = Array.BinarySearch(small, slot);
            if (at < 0)
                return false;
            int[] shrunk = [.. small[..at], .. small[(at + 1)..]];
            Volatile.Write(ref _small, shrunk);
        }
        else
        {
            var high = slot >> 16;
            if (high >= _containers.Length || _containers[high] is not { } container || !container.Contains((ushort)slot))
                return false;
            Volatile.Write(ref _containers[high], container.Without((ushort)slot));
        }

        _count--;
        return true;
    }

    public bool Contains(int slot)
    {
        if (Volatile.Read(ref _small) is { } small)
            return Array.BinarySearch(small, slot) >= 0;
        var containers = Volatile.Read(ref _containers);
        var high = slot >> 16;
        return high < containers.Length && Volatile.Read(ref containers[high]) is { } container && container.Contains((ushort)slot);
    }

    /// <summary>What <see cref="Fill"/> costs, in bits set one by one: of a bitmap it is words.</summary>
    public long FillCost => Volatile.Read(ref _small) is not null ? Count : Math.Min(Count, Volatile.Read(ref _containers).Length * 512L);

    public void Fill(SlotBits bits)
    {
        if (Volatile.Read(ref _small) is { } small)
        {
            foreach (var slot in small)
                bits.Set(slot);
            return;
        }

        var containers = Volatile.Read(ref _containers);
        for (var high = 0; high < containers.Length; high++)
            Volatile.Read(ref containers[high])?.Fill(high, bits);
    }

    /// <summary>The slots, ascending.</summary>
    public IEnumerable<int> Slots()
    {
        if (Volatile.Read(ref _small) is { } small)
        {
            foreach (var slot in small)
                yield return slot;
            yield break;
        }

        var containers = Volatile.Read(ref _containers);
        for (var high = 0; high < containers.Length; high++)
        {
            if (Volatile.Read(ref containers[high]) is not { } container)
                continue;
            foreach (var low in container.Values())
                yield return (high << 16) | low;
        }
    }

    private bool AddLarge(int slot)
    {
        var high = slot >> 16;
        if (high >= _containers.Length)
        {
            var grown = new Container?[high + 1];
            _containers.CopyTo(grown, 0);
            Volatile.Write(ref _containers, grown);
        }

        var container = _containers[high];
        if (container is null)
            container = new Container();
        else if (container.Contains((ushort)slot))
            return false;
        Volatile.Write(ref _containers[high], container.With((ushort)slot));
        return true;
    }

    /// <summary>
    /// Sorted values or a bitmap. Arrays are appended to in place (the count is published last); bitmaps change word by word.
    /// </summary>
    private sealed class Container
    {
        private ushort[] _values = [];
        private ulong[]? _bits;
        private int _count;

        public bool Contains(ushort value) => _bits is { } bits
            ? (Volatile.Read(ref bits[value >> 6]) & (1UL << value)) != 0
            : _values.AsSpan(0, Volatile.Read(ref _count)).BinarySearch(value) >= 0;

        public Container With(ushort value)
        {
            if (_bits is not null)
            {
                Volatile.Write(ref _bits[value >> 6], _bits[value >> 6] | (1UL << value));
                _count++;
                return this;
            }

            if (_count == ArrayLimit)
                return ToBitmap().With(value);
            if (_count < _values.Length && (_count == 0 || _values[_count - 1] < value))
            {
                _values[_count] = value;
                Volatile.Write(ref _count, _count + 1);
                return this;
            }

            var at = ~_values.AsSpan(0, _count).BinarySearch(value);
            var copy = new Container
            {
                _values = new ushort[Math.Min(ArrayLimit, Math.Max(16, _count + (_count / 2) + 1))],
                _count = _count + 1
            };
            _values.AsSpan(0, at).CopyTo(copy._values);
            copy._values[at] = value;
            _values.AsSpan(at, _count - at).CopyTo(copy._values.AsSpan(at + 1));
            return copy;
        }

        public Container? Without(ushort value)
        {
            if (_count == 1)
                return null;
            if (_bits is not null)
            {
                Volatile.Write(ref _bits[value >> 6], _bits[value >> 6] & ~(1UL << value));
                _count--;
                return this;
            }

            var at = _values.AsSpan(0, _count).BinarySearch(value);
            return new Container { _values = [.. _values[..at], .. _values[(at + 1).._count]], _count = _count - 1 };
        }

        public IEnumerable<ushort> Values()
        {
            if (_bits is { } bits)
            {
                for (var i = 0; i < bits.Length; i++)
                {
                    for (var word = Volatile.Read(ref bits[i]); word != 0; word &= word - 1)
                        yield return (ushort)((i << 6) + System.Numerics.BitOperations.TrailingZeroCount(word));
                }

                yield break;
            }

            var count = Volatile.Read(ref _count);
            for (var i = 0; i < count; i++)
                yield return _values[i];
        }

        public void Fill(int high, SlotBits bits)
        {
            if (_bits is { } words)
            {
                for (var i = 0; i < words.Length; i++)
                    bits.Or((high << 10) + i, Volatile.Read(ref words[i]));
                return;
            }

            var values = _values;
            var count = Volatile.Read(ref _count);
            for (var i = 0; i < count; i++)
                bits.Set((high << 16) | values[i]);
        }

        private Container ToBitmap()
        {
            var bits = new ulong[1024];
            foreach (var value in _values)
                bits[value >> 6] |= 1UL << value;
            return new Container { _bits = bits, _count = _count };
        }
    }
}
