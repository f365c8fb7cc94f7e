using Granary.Index.Postings;

namespace Granary.Index.Sparse;

/// <summary>Keeps the highest and the lowest weight of a block.</summary>
internal sealed class SparseBounds : BoundRule
{
    public static readonly SparseBounds Instance = new();

    public override int Summarise(ReadOnlySpan<int> rows, ReadOnlySpan<uint> payloads, Span<uint> summary)
    {
        float high = float.NegativeInfinity, low = float.PositiveInfinity;
        foreach (var payload in payloads)
        {
            var weight = BitConverter.UInt32BitsToSingle(payload);
            high = Math.Max(high, weight);
            low = Math.Min(low, weight);
        }

        summary[0] = BitConverter.SingleToUInt32Bits(high);
        summary[1] = BitConverter.SingleToUInt32Bits(low);
        return 2;
    }

    public override uint[] Merge(ReadOnlySpan<uint> one, ReadOnlySpan<uint> other)
    {
        Span<uint> weights = [one[0], one[1], other[0], other[1]];
        var summary = new uint[2];
        Summarise([], weights, summary);
        return summary;
    }
}
