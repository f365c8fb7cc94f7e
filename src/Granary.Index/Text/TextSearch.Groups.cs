using System.Numerics;
using Granary.Index.Search;

namespace Granary.Index.Text;

/// <content>Which groups are scored, and in which order.</content>
internal sealed partial class TextSearch
{
    // Short lists are merged: adding bounds looks at every group of the field.
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
                return;
            var bound = 0;
            for (var i = 0; i < _count; i++)
            {
                if (_parts[i].Group == group)
                    bound += _parts[i].Bound(_parts[i].Place);
            }

            if (bound > _cut)
                Evaluate(group, bound, ref filter);
            for (var i = 0; i < _count; i++)
            {
                if (_parts[i].Group == group)
                    _parts[i].Place++;
            }
        }
    }

    /// <summary>Adds all bounds, then scores the groups in passes, those that promise most first.</summary>
    private void Prune<TFilter>(int groups, int k, ref TFilter filter)
        where TFilter : struct, ISlotFilter
    {
        // Lanes behind the last group stay 0.
        var padded = (groups + GroupBounds.Lanes - 1) & -GroupBounds.Lanes;
        if (_bounds.Length < padded)
            _bounds = GC.AllocateUninitializedArray<ushort>(padded + (padded / 4));
        var bounds = _bounds.AsSpan(0, padded);
        GroupBounds.Add(bounds, groups, _parts.AsSpan(0, _count));
        for (long wanted = k; !_top.IsFull; wanted *= 4)
        {
            var least = GroupBounds.LevelOf(bounds, wanted);
            Pass(bounds, Math.Max(least - 1, 0), ref filter);
            if (least <= 1)
                return;
        }

        Pass(bounds, 0, ref filter);
    }

    /// <summary>Scores the groups whose bound is above a level and above the cut, and strikes them out.</summary>
    private void Pass<TFilter>(Span<ushort> bounds, int level, ref TFilter filter)
        where TFilter : struct, ISlotFilter
    {
        Rewind();
        for (var at = 0; at < bounds.Length; at += GroupBounds.Lanes)
        {
            var mask = GroupBounds.Above(bounds, at, Math.Max(level, _cut));
            for (; mask != 0; mask &= mask - 1)
            {
                var group = at + BitOperations.TrailingZeroCount(mask);
                int bound = bounds[group];
                if (bound <= _cut)
                    continue;
                bounds[group] = 0;
                Evaluate(group, bound, ref filter);
            }
        }
    }
}
