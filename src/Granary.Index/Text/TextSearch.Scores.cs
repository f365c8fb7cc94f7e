using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Granary.Index.Search;

namespace Granary.Index.Text;

/// <content>
/// The exact scores of cells. Cells are chosen some at a time: where their postings are is looked up first, so that memory fetches them
/// while others are scored.
/// </content>
internal sealed partial class TextSearch
{
    private const int Ahead = 16;

    private readonly Chosen[] _chosen = new Chosen[Ahead];
    private int _chosenCount;
    private Slice[] _slices = new Slice[Ahead * 16];
    private int _sliceCount;

    private void Choose<TFilter>(int cell, int bound, ref TFilter filter)
        where TFilter : struct, ISlotFilter
    {
        var group = cell / ImpactList.CellsPerGroup;
        if (_sliceCount + _count > _slices.Length)
            Array.Resize(ref _slices, (_sliceCount + _count) * 2);
        _chosen[_chosenCount++] = new Chosen(cell, bound, _sliceCount);
        for (var i = 0; i < _count; i++)
        {
            var part = _parts[i];
            var place = part.Seek(group);
            if (place < 0 || part.Share(place, cell) is not (> 0 and var share))
                continue;
            var start = part.List.Starts[place];
            _slices[_sliceCount++] = new Slice(i, start, (ushort)(part.List.Starts[place + 1] - start), (ushort)share);
            if (Sse.IsSupported)
                Prefetch(ref part.List.Entries[start]);
        }

        if (_chosenCount == Ahead)
            ScoreChosen(ref filter);
    }

    private void ScoreChosen<TFilter>(ref TFilter filter)
        where TFilter : struct, ISlotFilter
    {
        for (var i = 0; i < _chosenCount; i++)
        {
            var chosen = _chosen[i];
            if (chosen.Bound <= _cut)
                continue;
            var end = i + 1 < _chosenCount ? _chosen[i + 1].FirstSlice : _sliceCount;
            if (_required > 0)
                ScoreCellOfAll(chosen, _slices.AsSpan(chosen.FirstSlice..end), ref filter);
            else
                ScoreCell(chosen, _slices.AsSpan(chosen.FirstSlice..end), ref filter);
        }

        _chosenCount = 0;
        _sliceCount = 0;
    }

    private void ScoreCell<TFilter>(Chosen chosen, ReadOnlySpan<Slice> slices, ref TFilter filter)
        where TFilter : struct, ISlotFilter
    {
        if (++_scored % Patience == 0)
            _cancellation.ThrowIfCancellationRequested();
        var first = chosen.Cell << ImpactList.CellBits;
        var lengths = _rows.LengthsFrom(first);
        if (lengths.Length < ImpactList.CellSize)
            return; // All its documents were removed.
        double remaining = chosen.Bound, most = 0;
        var touched = 0u;
        foreach (var slice in slices)
        {
            // What the parts left can add does not lift any row over the floor.
            if ((most * _steps) + remaining <= _cut)
            {
                Forget(touched);
                return;
            }

            remaining -= slice.Share;
            touched |= Accumulate(_parts[slice.Part], slice, first, lengths, ref most);
        }

        Collect(first, touched, ref filter);
    }

    /// <summary>Like <see cref="ScoreCell"/>, for rows that have all terms.</summary>
    private void ScoreCellOfAll<TFilter>(Chosen chosen, ReadOnlySpan<Slice> slices, ref TFilter filter)
        where TFilter : struct, ISlotFilter
    {
        if (++_scored % Patience == 0)
            _cancellation.ThrowIfCancellationRequested();
        var first = chosen.Cell << ImpactList.CellBits;
        var lengths = _rows.LengthsFrom(first);
        if (lengths.Length < ImpactList.CellSize)
            return;
        var most = 0.0;
        var touched = 0u;
        var common = uint.MaxValue;
        var terms = 0;
        for (var i = 0; i < slices.Length && common != 0; terms++)
        {
            var term = _parts[slices[i].Part].Term;
            var have = 0u;
            for (; i < slices.Length && _parts[slices[i].Part].Term == term; i++)
                have |= Accumulate(_parts[slices[i].Part], slices[i], first, lengths, ref most);
            touched |= have;
            common &= have;
        }

        common = terms == _required ? common : 0;
        Forget(touched & ~common);
        Collect(first, common, ref filter);
    }

    /// <summary>Adds what a part has for a cell; says which rows it has.</summary>
    private uint Accumulate(TextPart part, Slice slice, int first, ReadOnlySpan<int> lengths, ref double most)
    {
        // A slice and as many entries as a group may have are within the entries and their spare. A row within the cell has 4 bits: below
        // 16, which the sums and the lengths have.
        ref var entries = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(part.List.Entries), slice.Start);
        ref var sums = ref MemoryMarshal.GetArrayDataReference(_sums);
        ref var length = ref MemoryMarshal.GetReference(lengths);
        var weight = part.Weight;
        double constant = _scorer.Saturation.Constant, slope = _scorer.Saturation.Slope;
        var touched = 0u;
        for (var mask = OfCell(ref entries, slice.Count, first); mask != 0; mask &= mask - 1)
        {
            uint entry = Unsafe.Add(ref entries, BitOperations.TrailingZeroCount(mask));
            var row = (entry >> ImpactList.FrequencyBits) & (ImpactList.CellSize - 1);
            var frequency = entry & ImpactList.MostFrequency;
            if (frequency == ImpactList.MostFrequency)
                part.Postings.TryFind(first + (int)row, out frequency);
            touched |= 1u << (int)row;
            ref var sum = ref Unsafe.Add(ref sums, row);
            sum += Math.Floor(weight * (frequency / (frequency + (constant + (slope * Unsafe.Add(ref length, row))))));
            most = Math.Max(most, sum);
        }

        return touched;
    }

    /// <summary>Which of a group's entries are of the cell that begins with a row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong OfCell(ref ushort entries, int count, int first)
    {
        const int CellShift = ImpactList.FrequencyBits + ImpactList.CellBits;
        var cell = (ushort)((first >> ImpactList.CellBits) & (ImpactList.CellsPerGroup - 1));
        var mask = 0UL;
        if (Vector512.IsHardwareAccelerated)
        {
            var wanted = Vector512.Create(cell);
            mask = Vector512.Equals(Vector512.LoadUnsafe(ref entries) >>> CellShift, wanted).ExtractMostSignificantBits();
            if (count > 32)
                mask |= Vector512.Equals(Vector512.LoadUnsafe(ref entries, 32) >>> CellShift, wanted).ExtractMostSignificantBits() << 32;
        }
        else
        {
            var wanted = Vector128.Create(cell);
            for (var at = 0; at < count; at += 8)
            {
                var equal = Vector128.Equals(Vector128.LoadUnsafe(ref entries, (nuint)at) >>> CellShift, wanted);
                mask |= (ulong)equal.ExtractMostSignificantBits() << at;
            }
        }

        return count >= 64 ? mask : mask & ((1UL << count) - 1);
    }

    private void Collect<TFilter>(int first, uint touched, ref TFilter filter)
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

    private void Forget(uint touched)
    {
        for (; touched != 0; touched &= touched - 1)
            _sums[BitOperations.TrailingZeroCount(touched)] = 0;
    }

    /// <summary>A hint: that the collector may move the entries does no harm.</summary>
    private static unsafe void Prefetch(ref ushort entry) => Sse.Prefetch0(Unsafe.AsPointer(ref entry));

    /// <summary>A cell to be scored.</summary>
    /// <param name="Cell">Its number.</param>
    /// <param name="Bound">Its added bounds.</param>
    /// <param name="FirstSlice">Where its postings are looked up.</param>
    private readonly record struct Chosen(int Cell, int Bound, int FirstSlice);

    /// <summary>A part's postings of the cell's group.</summary>
    private readonly record struct Slice(int Part, int Start, ushort Count, ushort Share);
}
