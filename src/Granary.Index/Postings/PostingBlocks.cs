namespace Granary.Index.Postings;

/// <summary>
/// The sealed part of a posting list: packed blocks of 128. Immutable as seen through <see cref="Count"/>; the arrays are shared
/// with later versions, which only write behind what this one covers.
/// </summary>
internal sealed class PostingBlocks
{
    public int Count { get; private init; }

    /// <summary>Last row of each block.</summary>
    public int[] Last { get; private init; } = new int[4];

    /// <summary>A summary over all blocks.</summary>
    public uint[] Total { get; private init; } = [];

    private int[] Offsets { get; init; } = new int[5];

    private int[] SummaryOffsets { get; init; } = new int[5];

    private uint[] Data { get; init; } = new uint[64];

    private uint[] Summaries { get; init; } = new uint[8];

    public long Bytes => 4L * (Last.Length + Offsets.Length + SummaryOffsets.Length + Data.Length + Summaries.Length + Total.Length);

    public ReadOnlySpan<uint> Summary(int block) =>
        Summaries.AsSpan(SummaryOffsets[block], SummaryOffsets[block + 1] - SummaryOffsets[block]);

    /// <summary>The row before the first that block may hold.</summary>
    public int Before(int block) => block == 0 ? -1 : Last[block - 1];

    /// <summary>These blocks and one more of 128 postings, rows ascending.</summary>
    public PostingBlocks Append(ReadOnlySpan<int> rows, ReadOnlySpan<uint> payloads, BoundRule rule)
    {
        Span<uint> deltas = stackalloc uint[BlockCodec.Size];
        var before = Before(Count);
        for (var i = 0; i < BlockCodec.Size; i++)
        {
            deltas[i] = (uint)(rows[i] - before - 1);
            before = rows[i];
        }

        Span<uint> summary = stackalloc uint[BoundRule.MaxWords];
        summary = summary[..rule.Summarise(rows[..BlockCodec.Size], payloads[..BlockCodec.Size], summary)];
        int rowBits = BlockCodec.Width(deltas), payloadBits = BlockCodec.Width(payloads[..BlockCodec.Size]);
        var start = Offsets[Count];
        var end = start + 1 + BlockCodec.Words(rowBits) + BlockCodec.Words(payloadBits);
        var summaryEnd = SummaryOffsets[Count] + summary.Length;

        // Unpacking reads one word beyond a block, so the data always has one to spare.
        var next = new PostingBlocks
        {
            Count = Count + 1,
            Last = Grown(Last, Count + 1),
            Offsets = Grown(Offsets, Count + 2),
            SummaryOffsets = Grown(SummaryOffsets, Count + 2),
            Data = Grown(Data, end + 1),
            Summaries = Grown(Summaries, summaryEnd),
            Total = Count == 0 ? summary.ToArray() : rule.Merge(Total, summary),
        };
        next.Last[Count] = rows[BlockCodec.Size - 1];
        next.Offsets[Count + 1] = end;
        next.SummaryOffsets[Count + 1] = summaryEnd;
        summary.CopyTo(next.Summaries.AsSpan(SummaryOffsets[Count]));
        next.Data[start] = (uint)(rowBits | (payloadBits << 8));
        BlockCodec.Pack(deltas, rowBits, next.Data.AsSpan(start + 1));
        BlockCodec.Pack(payloads, payloadBits, next.Data.AsSpan(start + 1 + BlockCodec.Words(rowBits)));
        return next;
    }

    /// <summary>Decodes the rows of a block.</summary>
    public void ReadRows(int block, Span<int> rows)
    {
        var start = Offsets[block];
        var deltas = System.Runtime.InteropServices.MemoryMarshal.Cast<int, uint>(rows);
        BlockCodec.Unpack(Data.AsSpan(start + 1), (int)(Data[start] & 0xFF), deltas);
        var row = Before(block);
        for (var i = 0; i < BlockCodec.Size; i++)
        {
            row += rows[i] + 1;
            rows[i] = row;
        }
    }

    /// <summary>Decodes the payloads of a block.</summary>
    public void ReadPayloads(int block, Span<uint> payloads)
    {
        var start = Offsets[block];
        var header = (int)Data[start];
        BlockCodec.Unpack(Data.AsSpan(start + 1 + BlockCodec.Words(header & 0xFF)), header >> 8, payloads);
    }

    private static T[] Grown<T>(T[] array, int needed)
    {
        if (needed <= array.Length)
            return array;
        var larger = new T[Math.Max(needed, array.Length + (array.Length / 2))];
        array.CopyTo(larger, 0);
        return larger;
    }
}
