using Granary.Index.Postings;

namespace Granary.Index.Text;

/// <summary>
/// Keeps of a block the (frequency, length) pairs no other pair beats in both: whatever k1, b and the average length are at
/// query time, the best score of the block is that of one of them. At most 8 pairs; beyond, neighbours merge to a bound of both.
/// </summary>
internal sealed class TextBounds(RowTable<TextRow> rows) : BoundRule
{
    private const int MaxPairs = MaxWords / 2;

    public override int Summarise(ReadOnlySpan<int> rowNumbers, ReadOnlySpan<uint> payloads, Span<uint> summary)
    {
        Span<ulong> pairs = stackalloc ulong[rowNumbers.Length];
        for (var i = 0; i < rowNumbers.Length; i++)
            pairs[i] = Pair(payloads[i], (uint)rows.LengthOf(rowNumbers[i]));
        return Reduce(pairs, summary);
    }

    public override uint[] Merge(ReadOnlySpan<uint> one, ReadOnlySpan<uint> other)
    {
        Span<ulong> pairs = stackalloc ulong[(one.Length + other.Length) / 2];
        for (var i = 0; i < one.Length; i += 2)
            pairs[i / 2] = Pair(one[i], one[i + 1]);
        for (var i = 0; i < other.Length; i += 2)
            pairs[(one.Length + i) / 2] = Pair(other[i], other[i + 1]);
        Span<uint> summary = stackalloc uint[MaxWords];
        return summary[..Reduce(pairs, summary)].ToArray();
    }

    /// <summary>Sorts by length, shortest first, then by frequency, highest first.</summary>
    private static ulong Pair(uint frequency, uint length) => ((ulong)length << 32) | ~frequency;

    private static int Reduce(Span<ulong> pairs, Span<uint> summary)
    {
        pairs.Sort();
        var kept = 0;
        uint best = 0;
        foreach (var pair in pairs)
        {
            var frequency = ~(uint)pair;
            if (frequency <= best)
                continue;
            best = frequency;
            pairs[kept++] = pair;
        }

        // Each group of neighbours becomes (its highest frequency, its shortest length).
        var groups = Math.Min(kept, MaxPairs);
        for (var group = 0; group < groups; group++)
        {
            var first = pairs[group * kept / groups];
            var last = pairs[((group + 1) * kept / groups) - 1];
            summary[2 * group] = ~(uint)last;
            summary[(2 * group) + 1] = (uint)(first >> 32);
        }

        return 2 * groups;
    }
}
