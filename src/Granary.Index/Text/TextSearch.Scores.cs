using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Granary.Index.Search;

namespace Granary.Index.Text;

/// <content>The exact scores of a group.</content>
internal sealed partial class TextSearch
{
    private void Evaluate<TFilter>(int group, int bound, ref TFilter filter)
        where TFilter : struct, ISlotFilter
    {
        if (++_evaluated % Patience == 0)
            _cancellation.ThrowIfCancellationRequested();
        var first = group << ImpactList.RowBits;
        var lengths = _rows.LengthsFrom(first);
        if (lengths.Length < ImpactList.GroupSize)
            return; // All its documents were removed.
        var touched = 0UL;
        for (var i = 0; i < _count; i++)
        {
            var part = _parts[i];
            var place = part.Seek(group);
            if (place >= 0)
                touched |= Accumulate(part, place, first, lengths);
        }

        Collect(first, touched, ref filter);
    }

    /// <summary>Adds what a part has for a group; says which rows it has.</summary>
    private ulong Accumulate(TextPart part, int place, int first, ReadOnlySpan<int> lengths)
    {
        var list = part.List;
        var entries = list.Entries.AsSpan(list.Starts[place]..list.Starts[place + 1]);
        var weight = part.Weight;
        double constant = _scorer.Saturation.Constant, slope = _scorer.Saturation.Slope;

        // A row within the group has 6 bits: below 64, which the sums and the lengths have.
        ref var sums = ref MemoryMarshal.GetArrayDataReference(_sums);
        ref var length = ref MemoryMarshal.GetReference(lengths);
        var touched = 0UL;
        foreach (uint entry in entries)
        {
            var row = entry >> ImpactList.FrequencyBits;
            var frequency = entry & ImpactList.MostFrequency;
            if (frequency == ImpactList.MostFrequency)
                part.Postings.TryFind(first + (int)row, out frequency);
            touched |= 1UL << (int)row;
            Unsafe.Add(ref sums, row) +=
                Math.Floor(weight * (frequency / (frequency + (constant + (slope * Unsafe.Add(ref length, row))))));
        }

        return touched;
    }

    private void Collect<TFilter>(int first, ulong touched, ref TFilter filter)
        where TFilter : struct, ISlotFilter
    {
        for (; touched != 0; touched &= touched - 1)
        {
            var at = BitOperations.TrailingZeroCount(touched);
            var sum = _sums[at];
            _sums[at] = 0;
            if (sum <= _floor || first + at >= _rowEnd)
                continue;
            var slot = _rows.SlotOf(first + at);
            if (slot < 0)
                continue;
            var score = _scorer.Score(sum);
            if ((_top.IsFull && score < _top.Worst.Score) || !filter.TryAccept(ref slot))
                continue;
            _top.Offer(new SlotHit(slot, score), ref filter);
            if (!_top.IsFull)
                continue;
            _floor = _scorer.SumBelow(_top.Worst.Score);
            SetCut();
        }
    }
}
