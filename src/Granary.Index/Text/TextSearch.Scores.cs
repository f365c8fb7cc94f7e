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
            var part = parts[i];
            var place = part.Seek(group);
            if (place < 0 || part.BoundsOf(place) is not (> 0 and var most))
                continue;
            var start = part.Starts[place];
            _slices[_sliceCount++] = new Slice(i, start, part.Starts[place + 1] - start, most);
            if (Sse.IsSupported)
                Prefetch(ref part.Entries[start]);
        }

        if (_chosenCount == Ahead)
            ScoreChosen(ref filter);
    }

    private void ScoreChosen<TFilter>(ref TFilter filter)
        where TFilter : struct, ISlotFilter
    {
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
                int bound = (ushort)(chosen.Bounds >> (16 * cell));
                if (bound <= _cut)
                    continue;
                var first = (chosen.Group << ImpactList.GroupBits) + (cell << ImpactList.CellBits);
                if (_required > 0)
                    ScoreCellOfAll(first, slices, lengths[(cell << ImpactList.CellBits)..], ref filter);
                else
                    ScoreCell(first, bound, slices, lengths[(cell << ImpactList.CellBits)..], ref filter);
            }
        }

        _chosenCount = 0;
        _sliceCount = 0;
    }

    private void ScoreCell<TFilter>(int first, int bound, ReadOnlySpan<Slice> slices, ReadOnlySpan<int> lengths, ref TFilter filter)
        where TFilter : struct, ISlotFilter
    {
        double remaining = bound, most = 0;
        var touched = 0u;
        var shift = ShiftOf(first);
        foreach (ref readonly var slice in slices)
        {
            if ((byte)(slice.Bounds >> shift) is not (> 0 and var highest))
                continue;

            // What the parts left can add does not lift any row over the floor.
            if ((most * _steps) + remaining <= _cut)
            {
                Forget(touched);
                return;
            }

            var part = _parts[slice.Part];
            remaining -= GroupBounds.Share(highest, part.Scale);
            touched |= Accumulate(part, slice, first, lengths, ref most);
        }

        Collect(first, touched, ref filter);
    }

    /// <summary>Like <see cref="ScoreCell"/>, for rows that have all terms.</summary>
    private void ScoreCellOfAll<TFilter>(int first, ReadOnlySpan<Slice> slices, ReadOnlySpan<int> lengths, ref TFilter filter)
        where TFilter : struct, ISlotFilter
    {
        // The rows first: most cells have none that all terms share.
        var shift = ShiftOf(first);
        var common = uint.MaxValue;
        var terms = 0;
        for (var i = 0; i < slices.Length && common != 0; terms++)
        {
            var term = _parts[slices[i].Part].Term;
            var have = 0u;
            for (; i < slices.Length && _parts[slices[i].Part].Term == term; i++)
            {
                if ((byte)(slices[i].Bounds >> shift) != 0)
                    have |= RowsOf(_parts[slices[i].Part], slices[i], first);
            }

            common &= have;
        }

        if (common == 0 || terms != _required)
            return;
        var most = 0.0;
        var touched = 0u;
        foreach (ref readonly var slice in slices)
            touched |= Accumulate(_parts[slice.Part], slice, first, lengths, ref most);
        Forget(touched & ~common);
        Collect(first, common, ref filter);
    }

    /// <summary>Which rows of a cell a part has.</summary>
    private static uint RowsOf(TextPart part, in Slice slice, int first)
    {
        ref var entries = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(part.Entries), slice.Start);
        var rows = 0u;
        for (var mask = OfCell(ref entries, slice.Count, first); mask != 0; mask &= mask - 1)
            rows |= 1u << ((Unsafe.Add(ref entries, BitOperations.TrailingZeroCount(mask)) >> ImpactList.FrequencyBits) & (ImpactList.CellSize - 1));
        return rows;
    }

    /// <summary>Adds what a part has for a cell; says which rows it has.</summary>
    private uint Accumulate(TextPart part, in Slice slice, int first, ReadOnlySpan<int> lengths, ref double most)
    {
        // A slice and as many entries as a group may have are within the entries and their spare. A row within the cell has 4 bits: below
        // 16, which the sums and the lengths have.
        ref var entries = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(part.Entries), slice.Start);
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

    /// <summary>Where the bound of the cell that begins with a row stands among its group's.</summary>
    private static int ShiftOf(int first) => 8 * ((first >> ImpactList.CellBits) & (ImpactList.CellsPerGroup - 1));

    /// <summary>Cells of a group to be scored.</summary>
    /// <param name="Group">Its number.</param>
    /// <param name="Bounds">The added bounds of its cells, 16 bits each; 0 for those that are not to be.</param>
    /// <param name="FirstSlice">Where its postings are looked up.</param>
    private readonly record struct Chosen(int Group, ulong Bounds, int FirstSlice);

    /// <summary>A part's postings of a group, and the bounds of its cells, 8 bits each.</summary>
    private readonly record struct Slice(int Part, int Start, int Count, uint Bounds);
}
