namespace Granary.Index.Postings;

/// <summary>
/// What a field knows of each row, in chunks. Numbers ascend and are never reused, so a posting can never speak of another row;
/// a chunk whose rows are all removed is dropped. One thread writes; readers need no locks.
/// </summary>
internal sealed class RowTable<TRow>(string field)
{
    private const int Bits = 12;
    private const int ChunkSize = 1 << Bits;
    private Chunk?[] _chunks = new Chunk?[4];
    private int _count;

    /// <summary>One more than the largest row number.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Rows that were not removed.</summary>
    public int Alive { get; private set; }

    /// <summary>Adds a row and returns its number.</summary>
    public int Add(int slot, int length, TRow value)
    {
        var row = _count;
        if (row == int.MaxValue)
        {
            throw new GranaryException(
                ErrorKind.InsufficientStorage, $"\"{field}\" has used all {int.MaxValue} row numbers; rebuild the index");
        }

        var index = row >> Bits;
        if (index == _chunks.Length)
        {
            var larger = new Chunk?[index * 2];
            _chunks.CopyTo(larger, 0);
            Volatile.Write(ref _chunks, larger);
        }

        var chunk = _chunks[index] ??= new Chunk();
        var at = row & (ChunkSize - 1);
        chunk.Slots[at] = slot;
        chunk.Lengths[at] = length;
        chunk.Values[at] = value;
        chunk.Alive++;
        Alive++;
        Volatile.Write(ref _count, row + 1);
        return row;
    }

    /// <summary>The slot of a row; -1 when it was removed.</summary>
    public int SlotOf(int row) => Find(row) is { } chunk ? Volatile.Read(ref chunk.Slots[row & (ChunkSize - 1)]) : -1;

    /// <summary>The length given when the row was added; 0 when its chunk is gone.</summary>
    public int LengthOf(int row) => Find(row) is { } chunk ? chunk.Lengths[row & (ChunkSize - 1)] : 0;

    /// <summary>The lengths of the rows from one on, as far as its chunk goes; empty when the chunk is gone.</summary>
    public ReadOnlySpan<int> LengthsFrom(int row) => Find(row) is { } chunk ? chunk.Lengths.AsSpan(row & (ChunkSize - 1)) : [];

    public TRow? ValueOf(int row) => Find(row) is { } chunk ? chunk.Values[row & (ChunkSize - 1)] : default;

    public void SetSlot(int row, int slot)
    {
        if (Find(row) is { } chunk)
            Volatile.Write(ref chunk.Slots[row & (ChunkSize - 1)], slot);
    }

    public void SetValue(int row, TRow value)
    {
        if (Find(row) is { } chunk)
            chunk.Values[row & (ChunkSize - 1)] = value;
    }

    /// <summary>Removes a row; false when it was removed before.</summary>
    public bool Remove(int row)
    {
        if (SlotOf(row) < 0)
            return false;
        var chunk = Find(row)!;
        Volatile.Write(ref chunk.Slots[row & (ChunkSize - 1)], -1);
        chunk.Values[row & (ChunkSize - 1)] = default!;
        chunk.Alive--;
        Alive--;
        DropIfEmpty(row);
        return true;
    }

    private Chunk? Find(int row) => Volatile.Read(ref _chunks)[row >> Bits];

    private void DropIfEmpty(int row)
    {
        // Only a full chunk may go: the last one is still being filled.
        var index = row >> Bits;
        if (_chunks[index]!.Alive == 0 && (long)(index + 1) << Bits <= _count)
            _chunks[index] = null;
    }

    private sealed class Chunk
    {
        public readonly int[] Slots = new int[ChunkSize];
        public readonly int[] Lengths = new int[ChunkSize];
        public readonly TRow[] Values = new TRow[ChunkSize];
        public int Alive;
    }
}
