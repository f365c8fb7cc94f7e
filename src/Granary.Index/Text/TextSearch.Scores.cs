using System.Numerics;
using System.Runtime.Intrinsics;
using Granary.Index.Search;

namespace Granary.Index.Text;

/// <content>
/// The scores of cells. The bounds of a cell's parts are added for each of its 16 rows that have the term, all rows at once; only
/// rows whose bound is above the cut are scored exactly. Where postings are is looked up for some groups at a time: the
/// processor then waits for memory for all of them together.
/// </content>
internal sealed partial class TextSearch
{
    private const int Ahead = 16;

    private static readonly Vector256<ushort> RowBits = Vector256.Create(
        (ushort)1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768);

    private readonly Chosen[] _chosen = new Chosen[Ahead];
    private int _chosenCount;
    private Slice[] _slices = new Slice[Ahead * 16];
    private int _sliceCount;

    /// <summary>Chooses cells of a group: those with bounds, 16 bits each.</summary>
    private void Choose<TFilter>(int group, ulong bounds, ref TFilter filter)
        where TFilter : struct, ISlotFilter
    {
        if (_sliceCount + _count > _slices.Length)
            Array.Resize(ref _slices, (_sliceCount + _count) * 2);
        _chosen[_chosenCount++] = new Chosen(group, bounds, _sliceCount);
        var parts = _parts.AsSpan(0, _count);
        for (var i = 0; i < parts.Length; i++)
        {
            var place = parts[i].Seek(group);
            if (place >= 0 && parts[i].Rows[place] is not 0 and var rows)
                _slices[_sliceCount++] = new Slice(rows, i, place, parts[i].BoundsOf(place));
        }

        if (_chosenCount == Ahead)
            ScoreChosen(ref filter);
    }

    private void ScoreChosen<TFilter>(ref TFilter filter)
        where TFilter : struct, ISlotFilter
    {
        LookAround();
        for (var i = 0; i < _chosenCount; i++)
        {
            if (++_scored % Patience == 0)
                _cancellation.ThrowIfCancellationRequested();
            var chosen = _chosen[i];
            var end = i + 1 < _chosenCount ? _chosen[i + 1].FirstSlice : _sliceCount;
            var slices = _slices.AsSpan(chosen.FirstSlice..end);
            var lengths = _rows.LengthsFrom(chosen.Group << ImpactList.GroupBits);
            if (lengths.Length < ImpactList.GroupSize)
                continue; // All its documents were removed.
            for (var cell = 0; cell < ImpactList.CellsPerGroup; cell++)
            {
                if ((ushort)(chosen.Bounds >> (16 * cell)) <= _cut)
                    continue;
                var rows = RowsAbove(slices, cell);
                if (_required > 0 && rows != 0)
                    rows &= RowsOfAll(slices, cell);
                for (; rows != 0; rows &= rows - 1)
                {
                    var at = (cell * ImpactList.CellSize) + BitOperations.TrailingZeroCount(rows);
                    ScoreRow(chosen.Group, at, slices, lengths, ref filter);
                }
            }
        }

        _chosenCount = 0;
        _sliceCount = 0;
    }

    /// <summary>The rows of a cell whose added bounds are above the cut, a bit each.</summary>
    private uint RowsAbove(ReadOnlySpan<Slice> slices, int cell)
    {
        if (_count > MostParts)
        {
            // Their bounds do not fit in 16 bits.
            var any = 0UL;
            foreach (ref readonly var slice in slices)
                any |= slice.Rows >> (ImpactList.CellSize * cell);
            return (ushort)any;
        }

        var sums = Vector256<ushort>.Zero;
        foreach (ref readonly var slice in slices)
        {
            var share = Vector256.Create((ushort)GroupBounds.Share((byte)(slice.Bounds >> (8 * cell)), _parts[slice.Part].Scale));
            var rows = Vector256.Create((ushort)(slice.Rows >> (ImpactList.CellSize * cell))) & RowBits;
            sums += Vector256.Equals(rows, RowBits) & share;
        }

        return Vector256.GreaterThan(sums, Vector256.Create((ushort)_cut)).ExtractMostSignificantBits();
    }

    /// <summary>The rows of a cell that have all terms, a bit each; the parts of a term are neighbours.</summary>
    private uint RowsOfAll(ReadOnlySpan<Slice> slices, int cell)
    {
        uint common = ushort.MaxValue;
        var terms = 0;
        for (var i = 0; i < slices.Length && common != 0; terms++)
        {
            var term = _parts[slices[i].Part].Term;
            var rows = 0UL;
            for (; i < slices.Length && _parts[slices[i].Part].Term == term; i++)
                rows |= slices[i].Rows >> (ImpactList.CellSize * cell);
            common &= (uint)rows;
        }

        return terms == _required ? common : 0;
    }

    private void ScoreRow<TFilter>(int group, int at, ReadOnlySpan<Slice> slices, ReadOnlySpan<int> lengths, ref TFilter filter)
        where TFilter : struct, ISlotFilter
    {
        var row = (group << ImpactList.GroupBits) + at;
        var saturation = _scorer.Saturation;
        var bit = 1UL << at;
        var sum = 0.0;
        foreach (ref readonly var slice in slices)
        {
            if ((slice.Rows & bit) == 0)
                continue;
            var part = _parts[slice.Part];
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

    /// <summary>Cells of a group to be scored.</summary>
    /// <param name="Group">Its number.</param>
    /// <param name="Bounds">The added bounds of its cells, 16 bits each; 0 for those that are not to be.</param>
    /// <param name="FirstSlice">Where its postings are looked up.</param>
    private readonly record struct Chosen(int Group, ulong Bounds, int FirstSlice);

    /// <summary>A part's postings of a group: which rows, and the bounds of its cells, 8 bits each.</summary>
    private readonly record struct Slice(ulong Rows, int Part, int Place, uint Bounds);
}
