using System.Numerics;
using Granary.Index.Search;

namespace Granary.Index.Text;

/// <content>Which cells are scored, and in which order.</content>
internal sealed partial class TextSearch
{
    // Short lists are merged: adding bounds looks at every cell of the field.
    private const int MergeShare = 16;

    /// <summary>Goes through the groups of a few short lists in order.</summary>
    private void Merge<TFilter>(int groups, ref TFilter filter)
        where TFilter : struct, ISlotFilter
    {
        while (true)
        {
            var group = int.MaxValue;
            for (var i = 0; i < _count; i++)
                group = Math.Min(group, _parts[i].Group);
            if (group >= groups)
                break;
            _cancellation.ThrowIfCancellationRequested();
            for (var cell = group * ImpactList.CellsPerGroup; cell < (group + 1) * ImpactList.CellsPerGroup; cell++)
            {
                var bound = 0u;
                for (var i = 0; i < _count; i++)
                {
                    if (_parts[i].Group == group)
                        bound += _parts[i].Share(_parts[i].Place, cell);
                }

                if (bound > _cut)
                    Choose(cell, (int)bound, ref filter);
            }

            for (var i = 0; i < _count; i++)
            {
                if (_parts[i].Group == group)
                    _parts[i].Place++;
            }
        }

        ScoreChosen(ref filter);
    }

    /// <summary>Adds all bounds, then scores the cells in passes, those that promise most first.</summary>
    private void Prune<TFilter>(int groups, int k, ref TFilter filter)
        where TFilter : struct, ISlotFilter
    {
        // What is behind the last cell, or the last peak, stays 0.
        const int Lanes = GroupBounds.Lanes;
        var cells = ((groups * ImpactList.CellsPerGroup) + Lanes - 1) & -Lanes;
        var vectors = ((cells / Lanes) + Lanes - 1) & -Lanes;
        if (_bounds.Length < cells)
        {
            _bounds = GC.AllocateUninitializedArray<ushort>(cells + (cells / 4));
            _peaks = GC.AllocateUninitializedArray<ushort>(vectors + (vectors / 4) + Lanes);
        }

        Span<ushort> bounds = _bounds.AsSpan(0, cells), peaks = _peaks.AsSpan(0, vectors);
        GroupBounds.Add(bounds, peaks, _parts.AsSpan(0, _count));
        for (long wanted = k; !_top.IsFull; wanted *= 4)
        {
            var level = GroupBounds.LevelOf(wanted * 8 < vectors ? peaks : bounds, wanted);
            Pass(bounds, peaks, level - 1, ref filter);
            if (level == 1)
                return;
        }

        Pass(bounds, peaks, 0, ref filter);
    }

    /// <summary>Scores the cells whose bound is above a level and above the cut, and strikes them out.</summary>
    private void Pass<TFilter>(Span<ushort> bounds, Span<ushort> peaks, int level, ref TFilter filter)
        where TFilter : struct, ISlotFilter
    {
        Rewind();
        for (var at = 0; at < peaks.Length; at += GroupBounds.Lanes)
        {
            for (var high = GroupBounds.Above(peaks, at, Math.Max(level, _cut)); high != 0; high &= high - 1)
            {
                var first = (at + BitOperations.TrailingZeroCount(high)) * GroupBounds.Lanes;
                for (var mask = GroupBounds.Above(bounds, first, Math.Max(level, _cut)); mask != 0; mask &= mask - 1)
                {
                    var cell = first + BitOperations.TrailingZeroCount(mask);
                    int bound = bounds[cell];
                    bounds[cell] = 0;
                    Choose(cell, bound, ref filter);
                }
            }
        }

        ScoreChosen(ref filter);
    }
}
