using System.Numerics;
using Granary.Index.Search;

namespace Granary.Index.Text;

/// <content>The scores of rows.</content>
internal sealed partial class TextSearch
{
    private Slice[] _slices = new Slice[16]; // A place for each part.

    /// <summary>Scores rows of a cell, a bit each; cells ascend.</summary>
    private void ScoreCell<TFilter>(int cell, uint rows, ref TFilter filter)
        where TFilter : struct, ISlotFilter
    {
        var group = cell / ImpactList.CellsPerGroup;
        var lengths = _rows.LengthsFrom(group << ImpactList.GroupBits);
        if (lengths.Length < ImpactList.GroupSize)
            return; // All its documents were removed.
        for (var i = 0; i < _count; i++)
        {
            var place = _parts[i].Seek(group);
            _slices[i] = place < 0 ? default : new Slice(_parts[i].Rows[place], place);
        }

        var first = (cell % ImpactList.CellsPerGroup) * ImpactList.CellSize;
        if (_required > 0 || _count > MostParts)
            rows &= RowsOf(first);
        for (; rows != 0; rows &= rows - 1)
            ScoreRow(group, first + BitOperations.TrailingZeroCount(rows), lengths, ref filter);
    }

    /// <summary>The rows of a cell that have all terms, where they are required, or any; the parts of a term are neighbours.</summary>
    private uint RowsOf(int first)
    {
        ulong any = 0, common = ulong.MaxValue;
        var terms = 0;
        for (var i = 0; i < _count; terms++)
        {
            var term = _parts[i].Term;
            var rows = 0UL;
            for (; i < _count && _parts[i].Term == term; i++)
                rows |= _slices[i].Rows;
            any |= rows;
            common &= rows;
        }

        return (ushort)((_required == 0 ? any : terms == _required ? common : 0) >> first);
    }

    private void ScoreRow<TFilter>(int group, int at, ReadOnlySpan<int> lengths, ref TFilter filter)
        where TFilter : struct, ISlotFilter
    {
        var row = (group << ImpactList.GroupBits) + at;
        var saturation = _scorer.Saturation;
        var bit = 1UL << at;
        var sum = 0.0;
        for (var i = 0; i < _count; i++)
        {
            var slice = _slices[i];
            if ((slice.Rows & bit) == 0)
                continue;
            var part = _parts[i];
            uint frequency = part.Frequencies[part.Starts[slice.Place] + BitOperations.PopCount(slice.Rows & (bit - 1))];
            if (frequency == ImpactList.MostFrequency)
                part.Postings.TryFind(row, out frequency);
            sum += Math.Floor(part.Weight * saturation.Of(frequency, lengths[at]));
        }

        if (sum <= _floor || row >= _rowEnd)
            return;
        var slot = _rows.SlotOf(row);
        if (slot < 0)
            return;
        var score = _scorer.Score(sum);
        if ((_top.IsFull && score < _top.Worst.Score) || !filter.TryAccept(ref slot))
            return;
        _top.Offer(new SlotHit(slot, score), ref filter);
        _shared?.Offer(score);
        if (_top.IsFull && _scorer.SumBelow(_top.Worst.Score) is var least && least > _floor)
        {
            _floor = least;
            SetCut();
        }

        LookAround();
    }

    /// <summary>A part's postings of a group: which rows, and where they stand; none where it has no rows.</summary>
    private readonly record struct Slice(ulong Rows, int Place);
}
