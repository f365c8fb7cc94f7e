using System.Numerics;
using Granary.Index.Search;

namespace Granary.Index.Text;

/// <content>Which cells are scored, and in which order.</content>
internal sealed partial class TextSearch
{
    // Short lists are merged: adding bounds looks at every cell of the field.
    private const int MergeShare = 16;

    // Each pass but the last takes so many times the cells of the one before.
    private const long StepShare = 8;

    private int[] _places = new int[16];
    private int[] _cells = []; // Those gathered; their bounds stand in _bounds.

    /// <summary>Goes through the groups of a few short lists, or of the shortest that every hit must be in.</summary>
    private void Merge<TFilter>(int groups, int leader, int k, ref TFilter filter)
        where TFilter : struct, ISlotFilter
    {
        const int Lanes = GroupBounds.Lanes;
        var count = Gather(groups, leader);
        var padded = (count + Lanes - 1) & -Lanes;
        var bounds = _bounds.AsSpan(0, padded);
        bounds[count..].Clear();
        for (long wanted = k; !_top.IsFull; wanted *= 4)
        {
            var level = GroupBounds.LevelOf(bounds, wanted);
            Pass(bounds, level - 1, ref filter);
            if (level - 1 <= _cut)
                break;
            if (wanted > k)
                LetOthersBegin(); // Most is refused, and to find enough may take long.
        }

        LetOthersBegin();
        Pass(bounds, 0, ref filter);
    }

    /// <summary>Collects the cells that have a bound, and where all terms are required one of each; says how many.</summary>
    private int Gather(int groups, int leader)
    {
        var count = 0;
        if (_places.Length < _count)
            _places = new int[_count * 2];
        Rewind();
        while (true)
        {
            var group = int.MaxValue;
            for (var i = 0; i < _count; i++)
                group = leader < 0 || _parts[i].Term == leader ? Math.Min(group, _parts[i].Group) : group;
            if (group >= groups)
                return count;
            _cancellation.ThrowIfCancellationRequested();
            var rows = Locate(group, leader >= 0);
            Reserve(count + ImpactList.CellsPerGroup);
            for (var cell = 0; cell < ImpactList.CellsPerGroup; cell++)
            {
                if ((ushort)(rows >> (cell * ImpactList.CellSize)) == 0)
                    continue;
                _cells[count] = (group * ImpactList.CellsPerGroup) + cell;
                _bounds[count++] = (ushort)Math.Min(BoundOf(cell), ushort.MaxValue);
            }

            for (var i = 0; i < _count; i++)
            {
                if (_parts[i].Group == group)
                    _parts[i].Place++;
            }
        }
    }

    /// <summary>Finds the places of a group, and the rows that have any term, or every one; the parts of a term are neighbours.</summary>
    private ulong Locate(int group, bool every)
    {
        ulong any = 0, common = ulong.MaxValue;
        var terms = 0;
        _places.AsSpan(0, _count).Fill(-1);
        for (var i = 0; i < _count; terms++)
        {
            var term = _parts[i].Term;
            var rows = 0UL;
            for (; i < _count && _parts[i].Term == term; i++)
            {
                _places[i] = _parts[i].Seek(group);
                rows |= _places[i] < 0 ? 0 : _parts[i].Rows[_places[i]];
            }

            any |= rows;
            common &= rows;
            if (every && common == 0)
                return 0;
        }

        return !every ? any : terms == _required ? common : 0;
    }

    /// <summary>The bound of a cell of the group at hand.</summary>
    private uint BoundOf(int cell)
    {
        uint bound = 0;
        for (var i = 0; i < _count; i++)
            bound += _places[i] < 0 ? 0 : GroupBounds.Share((byte)(_parts[i].BoundsOf(_places[i]) >> (8 * cell)), _parts[i].Scale);
        return bound;
    }

    private void Reserve(int cells)
    {
        if (_cells.Length < cells)
            Array.Resize(ref _cells, Math.Max(cells, _cells.Length * 2));
        if (_bounds.Length < cells + GroupBounds.Lanes)
            Array.Resize(ref _bounds, Math.Max(cells + GroupBounds.Lanes, _bounds.Length * 2));
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
            _bounds = GC.AllocateUninitializedArray<ushort>(cells + (cells / 4));
        if (_peaks.Length < vectors)
            _peaks = GC.AllocateUninitializedArray<ushort>(vectors + (vectors / 4));

        Span<ushort> bounds = _bounds.AsSpan(0, cells), peaks = _peaks.AsSpan(0, vectors);
        GroupBounds.Add(bounds, peaks, _parts.AsSpan(0, _count), _required > 0);
        for (long wanted = k; !_top.IsFull; wanted *= 4)
        {
            var level = GroupBounds.LevelOf(wanted * 8 < vectors ? peaks : bounds, wanted);
            Pass(bounds, peaks, level - 1, ref filter);
            if (level - 1 <= _cut)
                break;
            if (wanted > k)
                LetOthersBegin(); // Most is refused, and to find enough may take long.
        }

        // Cells just above the cut would be looked at for nothing where better ones raise it.
        for (var wanted = k * StepShare; wanted * 2 < vectors; wanted *= StepShare)
            Pass(bounds, peaks, GroupBounds.LevelOf(peaks, wanted) - 1, ref filter);
        LetOthersBegin();
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
                var mask = GroupBounds.Above(bounds, first, Math.Max(level, _cut));
                for (; mask != 0; mask &= mask - 1)
                {
                    var cell = first + BitOperations.TrailingZeroCount(mask);
                    var bound = bounds[cell];
                    bounds[cell] = 0;
                    Choose(cell, bound, ref filter);
                }
            }
        }

        ScoreChosen(ref filter);
    }

    /// <summary>The same over gathered cells.</summary>
    private void Pass<TFilter>(Span<ushort> bounds, int level, ref TFilter filter)
        where TFilter : struct, ISlotFilter
    {
        Rewind();
        for (var at = 0; at < bounds.Length; at += GroupBounds.Lanes)
        {
            for (var mask = GroupBounds.Above(bounds, at, Math.Max(level, _cut)); mask != 0; mask &= mask - 1)
            {
                var place = at + BitOperations.TrailingZeroCount(mask);
                var bound = bounds[place];
                bounds[place] = 0;
                Choose(_cells[place], bound, ref filter);
            }
        }

        ScoreChosen(ref filter);
    }
}
