using System.Runtime.InteropServices;
using Granary.Index.Search;

namespace Granary.Index.Text;

public sealed partial class TextField
{
    private const int MostIdleSinks = 8;

    [ThreadStatic]
    private static Stack<QuerySink>? _idleSinks;

    /// <summary>
    /// Appends the k best documents that share a term with the query, best first; a term counts as often as the query repeats it.
    /// Equal scores are ordered by <see cref="ISlotFilter.Precedes"/>.
    /// </summary>
    /// <param name="query">Text, analysed like the documents.</param>
    /// <param name="k">How many.</param>
    /// <param name="statistics">Statistics over all partitions; null for this field's own.</param>
    /// <param name="filter">Asked only about documents that would be among the best.</param>
    /// <param name="hits">Receives the hits.</param>
    /// <param name="cancellation">Ends the search early with an exception.</param>
    /// <param name="everyTerm">Whether a hit must hold every term of the query.</param>
    /// <param name="floor">
    /// Shared with searches of the same query, with the same statistics, in other partitions: hits below it may lack.
    /// </param>
    public void Search<TFilter>(
        string query, int k, TextStatistics? statistics, ref TFilter filter, List<SlotHit> hits, CancellationToken cancellation = default,
        bool everyTerm = false, ScoreFloor? floor = null)
        where TFilter : struct, ISlotFilter
    {
        // Documents added from here on are beyond the end.
        var end = _rows.Count;
        var sink = Prepare(query, statistics, out var scorer);
        try
        {
            Run(sink, scorer, end, k, everyTerm, ref filter, hits, floor, cancellation);
        }
        finally
        {
            sink.Release();
        }
    }

    /// <summary>
    /// Searches with statistics over all partitions that were heard of earlier, where this field's part in them is still what it was
    /// then; false, and nothing searched, where it is not.
    /// </summary>
    public bool TrySearch<TFilter>(
        int k, KnownCounts known, ref TFilter filter, List<SlotHit> hits, CancellationToken cancellation = default, bool everyTerm = false,
        ScoreFloor? floor = null)
        where TFilter : struct, ISlotFilter
    {
        var end = _rows.Count;
        var sink = RentSink();
        try
        {
            var (terms, all, own) = known;
            sink.AddAll(terms.AsSpan());
            if (DocumentCount != own.Documents || TotalLength != own.TotalLength || all.Frequencies.Length != sink.Length
                || !CollectionsMarshal.AsSpan(sink.Frequencies).SequenceEqual(own.Frequencies.AsSpan()))
                return false;
            if (k <= 0)
                return true;
            var scorer = new TextScorer(Schema, all.Documents, all.TotalLength, sink.Length, sink.WeightsFor(sink.Terms.Count));
            for (var i = 0; i < sink.Terms.Count; i++)
                scorer.SetWeight(i, all.Documents, all.Frequencies[sink.FirstAt[i]], sink.Occurrences[i]);
            Run(sink, scorer, end, k, everyTerm, ref filter, hits, floor, cancellation);
            return true;
        }
        finally
        {
            sink.Release();
        }
    }

    /// <summary>The score of one document, bit-equal to the search's; null when it shares no term with the query.</summary>
    public float? ScoreDoc(string query, TextStatistics? statistics, int doc)
    {
        var score = 0f;
        ScoreDocs(query, statistics, [doc], new Span<float>(ref score));
        return float.IsNaN(score) ? null : score;
    }

    /// <summary>
    /// Scores of several documents; NaN where a document shares no term with the query (or not every term, where they are required) or was
    /// removed.
    /// </summary>
    public void ScoreDocs(string query, TextStatistics? statistics, ReadOnlySpan<int> docs, Span<float> scores, bool everyTerm = false)
    {
        var sink = Prepare(query, statistics, out var scorer);
        try
        {
            for (var i = 0; i < docs.Length; i++)
            {
                var sum = 0.0;
                var shared = 0;
                if (docs[i] >= 0 && docs[i] < _rows.Count && _rows.SlotOf(docs[i]) >= 0)
                {
                    for (var term = 0; term < sink.Terms.Count; term++)
                    {
                        if (!sink.Terms[term].TryFindLaidOut(docs[i], out var frequency))
                            continue;
                        shared++;
                        sum += scorer.Contribution(term, frequency, _rows.LengthOf(docs[i]));
                    }
                }

                var matches = everyTerm ? shared == sink.Terms.Count && !sink.IsPartlyUnknown : shared > 0;
                scores[i] = matches && shared > 0 ? scorer.Score(sum) : float.NaN;
            }
        }
        finally
        {
            sink.Release();
        }
    }

    private void Run<TFilter>(
        QuerySink sink, in TextScorer scorer, int end, int k, bool everyTerm, ref TFilter filter, List<SlotHit> hits,
        ScoreFloor? floor, CancellationToken cancellation)
        where TFilter : struct, ISlotFilter
    {
        if (everyTerm && sink.IsPartlyUnknown)
            return;
        var search = TextSearch.Rent(_rows, scorer);
        try
        {
            search.Add(CollectionsMarshal.AsSpan(sink.Terms));
            search.Run(end, k, everyTerm ? sink.Terms.Count : 0, ref filter, hits, floor, cancellation);
        }
        finally
        {
            TextSearch.Return(search);
        }
    }

    private QuerySink RentSink()
    {
        var sink = _idleSinks is { } idle && idle.TryPop(out var known) ? known : new QuerySink();
        sink.Field = this;
        return sink;
    }

    private QuerySink Prepare(string query, TextStatistics? statistics, out TextScorer scorer)
    {
        var sink = RentSink();
        _analyzer.Analyze(query, TextRole.Query, sink);
        var documents = statistics?.Documents ?? DocumentCount;
        var totalLength = statistics?.TotalLength ?? TotalLength;
        scorer = new TextScorer(Schema, documents, totalLength, sink.Length, sink.WeightsFor(sink.Terms.Count));
        for (var i = 0; i < sink.Terms.Count; i++)
        {
            var term = sink.Terms[i];
            var frequency = statistics != null && statistics.Frequencies.TryGetValue(term.Text, out var given)
                ? given
                : term.Postings.Frequency;
            scorer.SetWeight(i, documents, frequency, sink.Occurrences[i]);
        }

        return sink;
    }

    /// <summary>Collects a query's distinct terms that the field knows; reused by its thread.</summary>
    private sealed class QuerySink : TermSink
    {
        private const int MostKept = 16_384;

        // Each reads some lines, and a core waits for some dozens at once.
        private const int Together = 32;
        private const int FewTerms = 32;

        private readonly int[] _hashes = new int[Together];
        private readonly Term?[] _guesses = new Term?[Together];
        private readonly Dictionary<Term, int> _places = [];
        private double[] _weights = new double[16];

        public TextField Field { get; set; } = null!;

        public List<Term> Terms { get; } = [];

        public List<int> Occurrences { get; } = [];

        /// <summary>Where in the query each of the terms comes first.</summary>
        public List<int> FirstAt { get; } = [];

        /// <summary>How many documents hold each term of the query, unknown and repeated ones included.</summary>
        public List<long> Frequencies { get; } = [];

        /// <summary>Whether the field has no document with one of the query's terms.</summary>
        public bool IsPartlyUnknown { get; private set; }

        /// <summary>Terms of the query, unknown and repeated ones included.</summary>
        public int Length => Frequencies.Count;

        public double[] WeightsFor(int terms)
        {
            if (_weights.Length < terms)
                _weights = new double[terms * 2];
            return _weights;
        }

        public override void Add(ReadOnlySpan<char> text) => Put(Field._terms.Find(text));

        /// <summary>Adds terms; what is read of one is waited for together with the same of the others.</summary>
        public void AddAll(ReadOnlySpan<string> terms)
        {
            for (var from = 0; from < terms.Length; from += Together)
                AddTogether(terms[from..Math.Min(from + Together, terms.Length)]);
        }

        private void AddTogether(ReadOnlySpan<string> terms)
        {
            var table = Field._terms;
            var hashes = _hashes.AsSpan(0, terms.Length);
            var guesses = _guesses.AsSpan(0, terms.Length);
            for (var i = 0; i < terms.Length; i++)
                table.Prefetch(hashes[i] = TermTable.HashOf(terms[i]));
            for (var i = 0; i < terms.Length; i++)
                (guesses[i] = table.Guess(hashes[i]))?.Prefetch();
            foreach (var term in guesses)
                term?.PrefetchParts();
            for (var i = 0; i < terms.Length; i++)
                Put(guesses[i] is { IsDropped: false } term && term.Text == terms[i] ? term : table.Find(terms[i], hashes[i]));
            guesses.Clear();
        }

        private void Put(Term? term)
        {
            Frequencies.Add(term?.Postings.Frequency ?? 0);
            if (term is null)
            {
                IsPartlyUnknown = true;
                return;
            }

            var place = PlaceOf(term);
            if (place >= 0)
            {
                Occurrences[place]++;
                return;
            }

            if (Terms.Count >= FewTerms)
                _places.Add(term, Terms.Count);
            Terms.Add(term);
            Occurrences.Add(1);
            FirstAt.Add(Frequencies.Count - 1);
        }

        /// <summary>Where the term is; -1 where it is new. A few are looked through, the places of those after them are kept.</summary>
        private int PlaceOf(Term term)
        {
            var terms = CollectionsMarshal.AsSpan(Terms);
            for (var i = 0; i < terms.Length && i < FewTerms; i++)
            {
                if (ReferenceEquals(terms[i], term))
                    return i;
            }

            return _places.TryGetValue(term, out var place) ? place : -1;
        }

        public void Release()
        {
            Field = null!;
            Terms.Clear();
            Occurrences.Clear();
            FirstAt.Clear();
            Frequencies.Clear();
            _places.Clear();
            IsPartlyUnknown = false;
            if (Terms.Capacity <= MostKept)
            {
                var idle = _idleSinks ??= new Stack<QuerySink>();
                if (idle.Count < MostIdleSinks)
                    idle.Push(this);
            }
        }
    }
}
