using System.Numerics;
using Granary.Index.Search;

namespace Granary.Index.Postings;

/// <summary>
/// MaxScore (Turtle and Flood, 1995) over windows of rows with block bounds (Ding and Suel, 2011; Mallia et al., "Faster
/// BlockMax WAND"): in a window the lists that cannot lift a row over the k-th score by themselves are only looked into for rows found
/// in the others. An object holds a query's working memory and is reused.
/// </summary>
internal sealed class PostingSearch
{
    private const int Window = 2048;
    private const int MostCursorsKept = 512;
    private const int MostHitsKept = 16_384;

    [ThreadStatic]
    private static PostingSearch? _idle;

    private readonly double[] _sums = new double[Window];
    private readonly ulong[] _touched = new ulong[Window / 64];
    private readonly List<PostingCursor> _cursors = [];
    private readonly TopHits _top = new();
    private int[] _order = new int[16];
    private double[] _bounds = new double[16];
    private double[] _prefix = new double[17];
    private int _count;

    /// <summary>This thread's working memory, or new where it is in use.</summary>
    public static PostingSearch Rent()
    {
        var search = _idle ?? new PostingSearch();
        _idle = null;
        return search;
    }

    /// <summary>Gives working memory back.</summary>
    public static void Return(PostingSearch search)
    {
        for (var i = 0; i < search._count; i++)
            search._cursors[i].Close();
        search._count = 0;
        Array.Clear(search._sums);
        Array.Clear(search._touched);
        if (search._cursors.Count <= MostCursorsKept && search._top.Capacity <= MostHitsKept)
            _idle = search;
    }

    /// <summary>Adds the list of the next term; terms are numbered from 0 in the order they are added.</summary>
    public void Add<TScorer>(PostingList list, ref TScorer scorer)
        where TScorer : struct, IPostingScorer
    {
        if (_count == _cursors.Count)
            _cursors.Add(new PostingCursor());
        _cursors[_count].Open(list, _count, ref scorer);
        _count++;
    }

    /// <summary>Appends the k best rows below <paramref name="rowEnd"/>, best first.</summary>
    public void Run<TRow, TScorer, TFilter>(
        RowTable<TRow> rows, int rowEnd, int k, ref TScorer scorer, ref TFilter filter, List<SlotHit> hits, CancellationToken cancellation)
        where TScorer : struct, IPostingScorer
        where TFilter : struct, ISlotFilter
    {
        if (k <= 0 || _count == 0)
            return;
        if (_order.Length < _count)
        {
            _order = new int[_count * 2];
            _bounds = new double[_count * 2];
            _prefix = new double[(_count * 2) + 1];
        }

        _top.Reset(k);
        for (var i = 0; i < _count; i++)
            _order[i] = i;
        var floor = double.NegativeInfinity; // Rows whose sum cannot exceed this are of no interest.
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();

            // Lists that together cannot lift a row over the floor cannot begin a window.
            for (var i = 0; i < _count; i++)
                _bounds[i] = _cursors[i].Row >= rowEnd ? 0 : _cursors[i].Bound;
            var passive = Arrange(floor);
            var start = rowEnd;
            for (var i = passive; i < _count; i++)
                start = Math.Min(start, _cursors[_order[i]].Row);
            if (start >= rowEnd)
                break;
            var end = (int)Math.Min((long)start + Window, rowEnd);
            for (var i = 0; i < _count; i++)
            {
                _cursors[i].Skip(start);
                _bounds[i] = _cursors[i].WindowBound(i, end, ref scorer);
            }

            passive = Arrange(floor);
            if (passive < _count)
            {
                for (var i = passive; i < _count; i++)
                    Accumulate(_cursors[_order[i]], _order[i], start, end, ref scorer);
                floor = Collect(rows, passive, start, end, floor, ref scorer, ref filter);
            }

            for (var i = 0; i < _count; i++)
                _cursors[i].Skip(end);
        }

        _top.Drain(hits, ref filter);
    }

    /// <summary>Sorts the terms by bound, smallest first, and returns how many of them together stay at or below the floor.</summary>
    private int Arrange(double floor)
    {
        for (var i = 1; i < _count; i++)
        {
            var term = _order[i];
            var at = i;
            while (at > 0 && _bounds[_order[at - 1]] > _bounds[term])
            {
                _order[at] = _order[at - 1];
                at--;
            }

            _order[at] = term;
        }

        var passive = 0;
        for (var i = 0; i < _count; i++)
        {
            _prefix[i + 1] = _prefix[i] + _bounds[_order[i]];
            if (passive == i && _prefix[i + 1] <= floor)
                passive = i + 1;
        }

        return passive;
    }

    private void Accumulate<TScorer>(PostingCursor cursor, int term, int start, int end, ref TScorer scorer)
        where TScorer : struct, IPostingScorer
    {
        cursor.Settle();
        while (cursor.Row < end)
        {
            var at = cursor.Row - start;
            _sums[at] += scorer.Contribution(term, cursor.Row, cursor.Payload);
            _touched[at >> 6] |= 1UL << (at & 63);
            cursor.Next();
        }
    }

    private double Collect<TRow, TScorer, TFilter>(
        RowTable<TRow> rows, int passive, int start, int end, double floor, ref TScorer scorer, ref TFilter filter)
        where TScorer : struct, IPostingScorer
        where TFilter : struct, ISlotFilter
    {
        for (var word = 0; word <= (end - start - 1) >> 6; word++)
        {
            var bits = _touched[word];
            _touched[word] = 0;
            for (; bits != 0; bits &= bits - 1)
            {
                var at = (word << 6) + BitOperations.TrailingZeroCount(bits);
                var sum = _sums[at];
                _sums[at] = 0;
                if (sum + _prefix[passive] <= floor || !Complete(start + at, passive, floor, ref sum, ref scorer))
                    continue;
                var slot = rows.SlotOf(start + at);
                if (slot < 0)
                    continue;
                var score = scorer.Score(start + at, sum);
                if ((_top.IsFull && score < _top.Worst.Score) || !filter.TryAccept(ref slot))
                    continue;
                _top.Offer(new SlotHit(slot, score), ref filter);
                if (_top.IsFull)
                    floor = scorer.SumBelow(_top.Worst.Score);
            }
        }

        return floor;
    }

    /// <summary>Adds what the passive lists have for a row; false as soon as it cannot matter any more.</summary>
    private bool Complete<TScorer>(int row, int passive, double floor, ref double sum, ref TScorer scorer)
        where TScorer : struct, IPostingScorer
    {
        for (var i = passive - 1; i >= 0; i--)
        {
            if (sum + _prefix[i + 1] <= floor)
                return false;
            var cursor = _cursors[_order[i]];
            cursor.Seek(row);
            if (cursor.Row == row)
                sum += scorer.Contribution(_order[i], row, cursor.Payload);
        }

        return sum > floor;
    }
}
