using System.Buffers;
using System.Numerics;
using Granary.Index.Payload;
using Granary.Index.Vectors;

namespace Granary.Index.Partition;

/// <content>Filters as bitmaps of rows.</content>
internal sealed partial class LegSearch
{
    // Where indexes name more than this share of the points, one by one, filtering what a walk finds costs less than the bitmap.
    private const float LargestMask = 0.4f;

    /// <summary>The rows whose points can match, where payload indexes name them.</summary>
    /// <param name="field">Whose rows.</param>
    /// <param name="words">Rented by this method when not null; to be returned.</param>
    /// <param name="mask">The rows.</param>
    /// <param name="matching">The slots that match, when the indexes know it without looking into payloads.</param>
    private bool TryMask(Field field, out ulong[]? words, out RowMask? mask, out SlotBits? matching)
    {
        (words, mask, matching) = (null, null, null);
        var limit = Math.Max(1024L, (long)(view.SlotBound * LargestMask));
        if (plan is null || leg.Candidates is not null || !plan.TryBits(limit, out var bits, out var exact))
            return false;
        if (exact)
            matching = bits;
        var rows = field.RowCapacity;

        // Nothing of the view is dead, so none of its slots has been taken again; and slots are rows.
        if (view.PointCount == view.SlotBound && field.RowsAreSlots)
        {
            var bound = Math.Min(rows, view.SlotBound);
            var used = (bound + 63) >> 6;
            if ((bound & 63) != 0)
                bits.Words[used - 1] &= (1UL << bound) - 1;
            mask = new RowMask(bits.Words, bound, exact);
            return true;
        }

        words = ArrayPool<ulong>.Shared.Rent((rows + 63) >> 6);
        words.AsSpan(0, (rows + 63) >> 6).Clear();
        for (var i = 0; i < (view.SlotBound + 63) >> 6; i++)
        {
            for (var word = bits.Words[i]; word != 0; word &= word - 1)
            {
                var slot = (i << 6) + BitOperations.TrailingZeroCount(word);
                if (!view.Sees(slot))
                    continue;
                var row = field.RowOf(slot);
                if ((uint)row < (uint)rows)
                    words[row >> 6] |= 1UL << row;
            }
        }

        mask = new RowMask(words, rows, exact);
        return true;
    }
}
