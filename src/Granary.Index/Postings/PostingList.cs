namespace Granary.Index.Postings;

/// <summary>
/// The rows that hold one term or dimension, ascending, each with a 32-bit payload (a term frequency, or a weight's bits). One thread
/// appends and sweeps; readers take <see cref="Current"/> once and see a consistent prefix.
/// </summary>
internal class PostingList
{
    private View _view = View.Empty;
    private long _extent;
    private int _frequency;

    /// <summary>Rows counted in the statistics.</summary>
    public int Frequency
    {
        get => Volatile.Read(ref _frequency);
        set => Volatile.Write(ref _frequency, value);
    }

    /// <summary>Postings of removed rows that are still here.</summary>
    public int Dead { get; private set; }

    /// <summary>Postings, those of removed rows included.</summary>
    public int Count => (int)Extent;

    /// <summary>
    /// The generation above the count: of two lists with the same, one holds what the other does. Published after the postings it
    /// counts.
    /// </summary>
    public long Extent => Volatile.Read(ref _extent);

    /// <summary>What a reader sees from now on.</summary>
    public View Current => Volatile.Read(ref _view);

    public long Bytes => 96 + (8L * _view.Tail.Length) + (_view.Blocks?.Bytes ?? 0);

    /// <summary>Appends a posting; the row must be above all before it.</summary>
    public void Append(int row, uint payload, BoundRule rule)
    {
        var view = _view;
        var count = view.TailCount;
        if (count == view.Tail.Length)
        {
            view = count == BlockCodec.Size ? Seal(view, rule) : new View(view.Blocks, Grown(view.Tail), count, view.Generation);
            count = view.TailCount;
        }

        view.Tail[count] = ((ulong)(uint)row << 32) | payload;
        view.TailCount = count + 1;
        if (!ReferenceEquals(view, _view))
            Volatile.Write(ref _view, view);
        Volatile.Write(ref _extent, _extent + 1);
    }

    /// <summary>Counts a removed row; true when so many are dead that <see cref="Sweep"/> pays.</summary>
    public bool Kill()
    {
        Dead++;
        return Dead == Count || (Dead >= 32 && Dead * 4L > Count);
    }

    /// <summary>Rebuilds the list without removed rows. Its cost is shared by the removals that led to it.</summary>
    public void Sweep<TRow>(RowTable<TRow> rows, BoundRule rule)
    {
        var old = _view;
        var fresh = new PostingList { _view = new View(null, [], 0, old.Generation + 1) };
        var rowBuffer = new int[BlockCodec.Size];
        var payloads = new uint[BlockCodec.Size];
        for (var block = 0; block < (old.Blocks?.Count ?? 0); block++)
        {
            old.Blocks!.ReadRows(block, rowBuffer);
            old.Blocks.ReadPayloads(block, payloads);
            for (var i = 0; i < BlockCodec.Size; i++)
            {
                if (rows.SlotOf(rowBuffer[i]) >= 0)
                    fresh.Append(rowBuffer[i], payloads[i], rule);
            }
        }

        for (var i = 0; i < old.TailCount; i++)
        {
            var row = (int)(old.Tail[i] >> 32);
            if (rows.SlotOf(row) >= 0)
                fresh.Append(row, (uint)old.Tail[i], rule);
        }

        Dead = 0;
        Volatile.Write(ref _view, fresh._view);
        Volatile.Write(ref _extent, ExtentOf(fresh._view.Generation, fresh.Count));
    }

    /// <summary><see cref="Extent"/> of so many postings.</summary>
    public static long ExtentOf(int generation, int count) => ((long)generation << 32) | (uint)count;

    /// <summary>The payload of a row, if the list holds it. Safe for readers.</summary>
    public bool TryFind(int row, out uint payload)
    {
        var view = Current;
        var count = view.TailCount;
        if (view.Blocks is { } blocks && row <= blocks.Last[blocks.Count - 1])
        {
            var block = blocks.Last.AsSpan(0, blocks.Count).BinarySearch(row);
            if (block < 0)
                block = ~block;
            Span<int> rows = stackalloc int[BlockCodec.Size];
            blocks.ReadRows(block, rows);
            var at = rows.BinarySearch(row);
            if (at >= 0)
            {
                Span<uint> payloads = stackalloc uint[BlockCodec.Size];
                blocks.ReadPayloads(block, payloads);
                payload = payloads[at];
                return true;
            }
        }
        else
        {
            for (var i = 0; i < count; i++)
            {
                if ((int)(view.Tail[i] >> 32) == row)
                {
                    payload = (uint)view.Tail[i];
                    return true;
                }
            }
        }

        payload = 0;
        return false;
    }

    /// <summary>Reads the first postings above a row, a block of them at most; returns how many, 0 when there is none.</summary>
    public int ReadAbove(int row, Span<int> rows, Span<uint> payloads)
    {
        var view = Current;
        var count = 0;
        if (view.Blocks is { } blocks && row < blocks.Last[blocks.Count - 1])
        {
            var block = blocks.Last.AsSpan(0, blocks.Count).BinarySearch(row + 1);
            if (block < 0)
                block = ~block;
            blocks.ReadRows(block, rows);
            blocks.ReadPayloads(block, payloads);
            for (var i = 0; i < BlockCodec.Size; i++)
            {
                if (rows[i] > row)
                    (rows[count], payloads[count++]) = (rows[i], payloads[i]);
            }

            return count;
        }

        var tail = view.Tail.AsSpan(0, view.TailCount);
        foreach (var posting in tail)
        {
            if ((int)(posting >> 32) > row)
                (rows[count], payloads[count++]) = ((int)(posting >> 32), (uint)posting);
        }

        return count;
    }

    /// <summary>Every posting, in order. Safe for readers.</summary>
    public IEnumerable<(int Row, uint Payload)> Enumerate()
    {
        var view = Current;
        var count = view.TailCount;
        var rows = new int[BlockCodec.Size];
        var payloads = new uint[BlockCodec.Size];
        for (var block = 0; block < (view.Blocks?.Count ?? 0); block++)
        {
            view.Blocks!.ReadRows(block, rows);
            view.Blocks.ReadPayloads(block, payloads);
            for (var i = 0; i < BlockCodec.Size; i++)
                yield return (rows[i], payloads[i]);
        }

        for (var i = 0; i < count; i++)
            yield return ((int)(view.Tail[i] >> 32), (uint)view.Tail[i]);
    }

    private static View Seal(View view, BoundRule rule)
    {
        Span<int> rows = stackalloc int[BlockCodec.Size];
        Span<uint> payloads = stackalloc uint[BlockCodec.Size];
        for (var i = 0; i < BlockCodec.Size; i++)
        {
            rows[i] = (int)(view.Tail[i] >> 32);
            payloads[i] = (uint)view.Tail[i];
        }

        return new View((view.Blocks ?? new PostingBlocks()).Append(rows, payloads, rule), new ulong[8], 0, view.Generation);
    }

    private static ulong[] Grown(ulong[] tail)
    {
        var larger = new ulong[Math.Clamp(tail.Length * 2, 1, BlockCodec.Size)];
        tail.CopyTo(larger, 0);
        return larger;
    }

    /// <summary>A version of the list: sealed blocks, and a tail that may still grow.</summary>
    internal sealed class View(PostingBlocks? blocks, ulong[] tail, int tailCount, int generation)
    {
        public static readonly View Empty = new(null, [], 0, 0);

        private int _tailCount = tailCount;

        /// <summary>The same for all versions of a list between two sweeps: one of them is a prefix of any later.</summary>
        public int Generation { get; } = generation;

        public PostingBlocks? Blocks { get; } = blocks;

        /// <summary>Row in the upper half, payload in the lower; valid below <see cref="TailCount"/>.</summary>
        public ulong[] Tail { get; } = tail;

        /// <summary>Published after the entry it covers.</summary>
        public int TailCount
        {
            get => Volatile.Read(ref _tailCount);
            set => Volatile.Write(ref _tailCount, value);
        }
    }
}
