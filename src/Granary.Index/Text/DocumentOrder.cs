using System.Runtime.InteropServices;

namespace Granary.Index.Text;

/// <summary>
/// An order of documents in which those that share terms stand together: recursive graph bisection (Dhulipala, Kabiljo, Karrer, Ottaviano,
/// Pupyrev and Shalita, "Compressing Graphs and Indexes with Recursive Graph Bisection", KDD 2016, arXiv:1602.08820). The documents are cut
/// in halves, those are exchanged that bring most of the logarithms of the gaps between a term's documents down, and each half is cut
/// again. What a search bounds together (16 and 64 rows) is alike then, and bounds are tight.
/// </summary>
internal sealed class DocumentOrder
{
    // Rows that a search bounds together need no order among themselves.
    private const int LeastPart = 64;

    // More rounds gave no quicker searches (904,289 paragraphs in random order: 5 and 10 rounds), nor fewer exchanges than a hundredth.
    private const int Rounds = 5;
    private const int FewExchanges = 100;

    // Rarer terms have hardly two documents in a part, more frequent ones are everywhere.
    private const int LeastFrequency = 32;
    private const int MostShare = 5;

    private readonly int[] _starts;
    private readonly List<int> _terms;
    private readonly float[] _logarithms;
    private readonly int[] _order;
    private readonly int[] _left;
    private readonly int[] _right;
    private readonly float[] _toRight;
    private readonly float[] _toLeft;
    private readonly int[] _touched;
    private readonly float[] _gains;
    private readonly CancellationToken _cancellation;

    private DocumentOrder(int[] starts, List<int> terms, int known, CancellationToken cancellation)
    {
        var count = starts.Length - 1;
        _starts = starts;
        _terms = terms;
        _cancellation = cancellation;
        _logarithms = new float[count + 2];
        for (var i = 1; i < _logarithms.Length; i++)
            _logarithms[i] = MathF.Log2(i);
        _order = new int[count];
        for (var i = 0; i < count; i++)
            _order[i] = i;
        _left = new int[known];
        _right = new int[known];
        _toRight = new float[known];
        _toLeft = new float[known];
        _touched = new int[known];
        _gains = new float[count];
    }

    /// <summary>The documents in their new order: which of 0 to <paramref name="count"/> - 1 stands at each place.</summary>
    /// <param name="count">How many documents there are.</param>
    /// <param name="postings">How many terms all have together, about.</param>
    /// <param name="termsOf">The numbers of a document's distinct terms, in any order; each is asked once.</param>
    /// <param name="cancellation">
    /// Ends it with an <see cref="OperationCanceledException"/> within milliseconds, or once a half is sorted.
    /// </param>
    public static int[] Find(int count, int postings, Func<int, IEnumerable<int>> termsOf, CancellationToken cancellation)
    {
        var starts = new int[count + 1];
        var terms = new List<int>(postings);
        for (var doc = 0; doc < count; doc++)
        {
            Check(doc, cancellation);
            terms.AddRange(termsOf(doc));
            starts[doc + 1] = terms.Count;
        }

        var all = CollectionsMarshal.AsSpan(terms);
        var known = Choose(all, count, out var numbers);
        var kept = 0;
        for (var doc = 0; doc < count; doc++)
        {
            var from = starts[doc];
            starts[doc] = kept;
            foreach (var term in all[from..starts[doc + 1]])
            {
                if (numbers[term] >= 0)
                    all[kept++] = numbers[term];
            }
        }

        starts[count] = kept;
        CollectionsMarshal.SetCount(terms, kept);
        terms.TrimExcess();
        var order = new DocumentOrder(starts, terms, known, cancellation);
        order.Bisect(0, count);
        return order._order;
    }

    // Numbers those terms that say something from 0 on, and gives how many they are.
    private static int Choose(ReadOnlySpan<int> terms, int count, out int[] numbers)
    {
        var limit = 0;
        foreach (var term in terms)
            limit = Math.Max(limit, term + 1);
        numbers = new int[limit];
        foreach (var term in terms)
            numbers[term]++;
        var known = 0;
        for (var term = 0; term < limit; term++)
            numbers[term] = numbers[term] >= LeastFrequency && numbers[term] <= count / MostShare ? known++ : -1;
        return known;
    }

    private static void Check(int doc, CancellationToken cancellation)
    {
        if ((doc & 1023) == 0)
            cancellation.ThrowIfCancellationRequested();
    }

    private void Bisect(int from, int to)
    {
        while (to - from > LeastPart)
        {
            var middle = from + ((to - from) / 2);
            Exchange(from, middle, to);
            Bisect(from, middle);
            from = middle;
        }
    }

    private void Exchange(int from, int middle, int to)
    {
        var touched = 0;
        for (var i = from; i < to; i++)
        {
            Check(i, _cancellation);
            var side = i < middle ? _left : _right;
            foreach (var term in TermsOf(_order[i]))
            {
                if (_left[term] + _right[term] == 0)
                    _touched[touched++] = term;
                side[term]++;
            }
        }

        for (var round = 0; round < Rounds; round++)
        {
            WeighTerms(touched, _logarithms[middle - from], _logarithms[to - middle]);
            WeighDocuments(from, middle, _toRight);
            WeighDocuments(middle, to, _toLeft);
            var exchanges = 0;
            var most = Math.Min(middle - from, to - middle);
            while (exchanges < most && _gains[from + exchanges] + _gains[middle + exchanges] < 0)
            {
                Move(_order[from + exchanges], _left, _right);
                Move(_order[middle + exchanges], _right, _left);
                (_order[from + exchanges], _order[middle + exchanges]) = (_order[middle + exchanges], _order[from + exchanges]);
                exchanges++;
            }

            if (exchanges < (to - from) / FewExchanges)
                break;
        }

        for (var i = 0; i < touched; i++)
        {
            _left[_touched[i]] = 0;
            _right[_touched[i]] = 0;
        }
    }

    // What a term's gaps would cost less, in bits, with one document of it on the other side.
    private void WeighTerms(int touched, float left, float right)
    {
        for (var i = 0; i < touched; i++)
        {
            var term = _touched[i];
            var (l, r) = (_left[term], _right[term]);
            var now = Cost(l, left) + Cost(r, right);
            _toRight[term] = l > 0 ? now - Cost(l - 1, left) - Cost(r + 1, right) : 0;
            _toLeft[term] = r > 0 ? now - Cost(l + 1, left) - Cost(r - 1, right) : 0;
        }

        float Cost(int frequency, float size) => frequency * (size - _logarithms[frequency + 1]);
    }

    // Most to gain first: gains are kept with their sign turned.
    private void WeighDocuments(int from, int to, float[] gains)
    {
        for (var i = from; i < to; i++)
        {
            Check(i, _cancellation);
            var gain = 0f;
            foreach (var term in TermsOf(_order[i]))
                gain += gains[term];
            _gains[i] = -gain;
        }

        Array.Sort(_gains, _order, from, to - from);
    }

    private void Move(int doc, int[] from, int[] to)
    {
        foreach (var term in TermsOf(doc))
        {
            from[term]--;
            to[term]++;
        }
    }

    private ReadOnlySpan<int> TermsOf(int doc) => CollectionsMarshal.AsSpan(_terms)[_starts[doc].._starts[doc + 1]];
}
