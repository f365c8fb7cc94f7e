using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Granary.Index.Search;

namespace Granary.Index.Text;

/// <content>
/// The bounds of rows. A cell's bound is the sum of its parts' shares, and a row of it that lacks a part loses that share. Cells are
/// chosen some hundred at a time, and one part after the other, the heavy ones first, is taken from all rows of all of them: what is read
/// lies in a row, no read waits for another, and a cell without a row above the cut is left out of the parts to come.
/// </content>
internal sealed partial class TextSearch
{
    private const int Batch = 256;

    private static readonly Vector256<ushort> RowBits = Vector256.Create(
        (ushort)1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768);

    // Cells chosen, ascending, and the bounds of their rows; one more, so that their number may be made even.
    private readonly int[] _chosen = new int[Batch];
    private readonly Vector256<ushort>[] _left = new Vector256<ushort>[Batch + 1];
    private int _chosenCount;

    /// <summary>Chooses a cell to be scored; they ascend.</summary>
    private void Choose<TFilter>(int cell, ushort bound, ref TFilter filter)
        where TFilter : struct, ISlotFilter
    {
        _chosen[_chosenCount] = cell;
        _left[_chosenCount++] = Vector256.Create(bound);
        if (_chosenCount == Batch)
            ScoreChosen(ref filter);
    }

    private void ScoreChosen<TFilter>(ref TFilter filter)
        where TFilter : struct, ISlotFilter
    {
        _cancellation.ThrowIfCancellationRequested();
        LookAround();

        // The bounds of more parts do not fit in 16 bits.
        if (_count <= MostParts)
        {
            Take(dense: true);
            Take(dense: false);
        }

        // While hits are missing, the rows that promise most are scored first: the others may be below the cut by then.
        if (!_top.IsFull && _chosenCount > 0)
        {
            _left[_chosenCount] = default;
            var bounds = MemoryMarshal.Cast<Vector256<ushort>, ushort>(_left.AsSpan(0, (_chosenCount + 1) & ~1));
            var level = GroupBounds.LevelOf(bounds, _top.Missing);
            if (level > 1)
                ScoreAbove(level - 1, ref filter);
        }

        ScoreAbove(0, ref filter);
        _chosenCount = 0;
    }

    /// <summary>Parts with a place for every group come first: nothing is looked for in them.</summary>
    private void Take(bool dense)
    {
        for (var i = 0; i < _count && _chosenCount > 0; i++)
        {
            if (_parts[i].Groups is null == dense)
                Take(_parts[i]);
        }
    }

    /// <summary>Takes a part's share from the rows that lack it; cells without a row above the cut are given up.</summary>
    private void Take(TextPart part)
    {
        // A row that lacks a term where all are required loses everything.
        var whole = _required > 0 ? part.WholeBelow * (long)ImpactList.CellsPerGroup : 0;
        var chosen = _chosen.AsSpan(0, _chosenCount);
        var left = _left.AsSpan(0, _chosenCount);
        var rows = MemoryMarshal.Cast<ulong, ushort>(part.Rows.AsSpan(0, part.Places));
        var bounds = part.Bounds.AsSpan(0, rows.Length);
        var cut = Vector256.Create((ushort)_cut);
        uint scale = part.Scale;
        var kept = 0;
        if (part.Groups is not { } groups)
        {
            for (var i = 0; i < left.Length; i++)
            {
                var cell = chosen[i];
                var now = left[i];
                if (cell < rows.Length)
                {
                    var share = cell < whole ? ushort.MaxValue : (ushort)GroupBounds.Share(bounds[cell], scale);
                    now = Without(now, rows[cell], share);
                }
                else if (cell < whole)
                {
                    continue;
                }

                chosen[kept] = cell;
                left[kept] = now;
                kept += Vector256.GreaterThanAny(now, cut) ? 1 : 0;
            }

            _chosenCount = kept;
            return;
        }

        var place = part.Place;
        if (whole == 0 && (part.Group > chosen[^1] / ImpactList.CellsPerGroup))
            return;
        for (var i = 0; i < left.Length; i++)
        {
            var cell = chosen[i];
            var now = left[i];
            place = TextPart.Reach(groups, place, part.Places, cell / ImpactList.CellsPerGroup);
            if (place < part.Places && groups[place] == cell / ImpactList.CellsPerGroup)
            {
                var at = (place * ImpactList.CellsPerGroup) + (cell % ImpactList.CellsPerGroup);
                var share = cell < whole ? ushort.MaxValue : (ushort)GroupBounds.Share(bounds[at], scale);
                now = Without(now, rows[at], share);
            }
            else if (cell < whole)
            {
                continue;
            }

            chosen[kept] = cell;
            left[kept] = now;
            kept += Vector256.GreaterThanAny(now, cut) ? 1 : 0;
        }

        _chosenCount = kept;
    }

    /// <summary>Bounds without a share for the rows whose bit is not set; not below 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ushort> Without(Vector256<ushort> bounds, ushort rows, ushort share)
    {
        var lacking = Vector256.Equals(Vector256.Create(rows) & RowBits, Vector256<ushort>.Zero);
        return Vector256.SubtractSaturate(bounds, lacking & Vector256.Create(share));
    }

    /// <summary>Scores the rows of chosen cells whose bound is above a level and above the cut, and strikes them out.</summary>
    private void ScoreAbove<TFilter>(int level, ref TFilter filter)
        where TFilter : struct, ISlotFilter
    {
        for (var i = 0; i < _count && level > 0; i++)
            _parts[i].Mark = _parts[i].Place;
        for (var i = 0; i < _chosenCount; i++)
        {
            var above = Vector256.GreaterThan(_left[i], Vector256.Create((ushort)Math.Max(level, _cut)));
            var rows = above.ExtractMostSignificantBits();
            if (rows == 0)
                continue;
            _left[i] &= ~above;
            ScoreCell(_chosen[i], rows, ref filter);
        }

        for (var i = 0; i < _count && level > 0; i++)
            _parts[i].Place = _parts[i].Mark;
    }
}
