namespace Granary.Index.Partition;

/// <content>From ids to newest versions: an open-addressing table of slots, replaced whole when it grows.</content>
internal sealed partial class SlotTable
{
    private const int Empty = 0;
    private const int Tombstone = -1;

    // A cell is 0 (empty), -1 (tombstone) or a slot + 1. Readers of an outgrown table miss only what was published after they came.
    private int[] _cells = new int[64];
    private int _used;
    private int _ids;

    /// <summary>The newest version of a point, which may be dead or not published yet; <see cref="None"/> for an unknown id.</summary>
    public int Find(PointId id)
    {
        var cells = Volatile.Read(ref _cells);
        Span<byte> bytes = stackalloc byte[PointId.EncodedSize];
        id.Encode(bytes);
        for (var i = Hash(id); ; i++)
        {
            var cell = Volatile.Read(ref cells[i & (cells.Length - 1)]);
            if (cell == Empty)
                return None;
            if (cell > 0 && IdBytes(cell - 1).SequenceEqual(bytes))
                return cell - 1;
        }
    }

    /// <summary>The version of a point that a reader as of <paramref name="snapshot"/> sees.</summary>
    public bool TryFind(PointId id, long snapshot, out int slot)
    {
        slot = Find(id);
        return slot >= 0 && TryResolve(ref slot, snapshot);
    }

    /// <summary>Makes a slot the newest version of its point.</summary>
    public void Link(int slot)
    {
        var id = IdOf(slot);
        var bytes = IdBytes(slot);
        var cells = _cells;
        var tombstone = -1;
        for (var i = Hash(id); ; i++)
        {
            var at = i & (cells.Length - 1);
            var cell = cells[at];
            if (cell > 0 && IdBytes(cell - 1).SequenceEqual(bytes))
            {
                Volatile.Write(ref cells[at], slot + 1);
                return;
            }

            if (cell == Tombstone && tombstone < 0)
                tombstone = at;
            if (cell != Empty)
                continue;
            if (tombstone < 0)
                _used++;
            _ids++;
            Volatile.Write(ref cells[tombstone >= 0 ? tombstone : at], slot + 1);
            if (_used * 4L > cells.Length * 3L)
                Rebuild(_ids);
            return;
        }
    }

    private void Unlink(int slot)
    {
        var cells = _cells;
        var bytes = IdBytes(slot);
        for (var i = Hash(IdOf(slot)); ; i++)
        {
            var at = i & (cells.Length - 1);
            var cell = cells[at];
            if (cell == Empty)
                return;
            if (cell == slot + 1)
            {
                Volatile.Write(ref cells[at], Tombstone);
                _ids--;
                return;
            }

            if (cell <= 0 || !IdBytes(cell - 1).SequenceEqual(bytes))
                continue;
            for (var newer = cell - 1; newer >= 0; newer = At(newer).Previous)
            {
                if (At(newer).Previous == slot)
                    Volatile.Write(ref At(newer).Previous, None);
            }

            return;
        }
    }

    private void Rebuild(int ids)
    {
        var length = 64;
        while (length * 2L < ids * 3L)
            length = checked(length * 2);
        var old = _cells;
        var cells = new int[length];
        foreach (var cell in old)
        {
            if (cell <= 0)
                continue;
            var i = Hash(IdOf(cell - 1));
            while (cells[i & (length - 1)] != Empty)
                i++;
            cells[i & (length - 1)] = cell;
        }

        _used = ids;
        Volatile.Write(ref _cells, cells);
    }

    // Only for the order inside this table, which is never stored.
    private static int Hash(PointId id)
    {
        Span<byte> bytes = stackalloc byte[PointId.EncodedSize];
        id.Encode(bytes);
        var hash = (System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(bytes[9..]) + ((ulong)bytes[0] << 56))
            ^ (System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(bytes[1..]) * 0x9E3779B97F4A7C15UL);
        hash = (hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9UL;
        hash = (hash ^ (hash >> 27)) * 0x94D049BB133111EBUL;
        return (int)((hash ^ (hash >> 31)) & 0x3FFFFFFF);
    }
}
