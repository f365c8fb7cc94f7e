using Granary.Index.Search;

namespace Granary.Index.Text;

public sealed partial class TextField
{
    [ThreadStatic]
    private static QuerySink? _idleSink;

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
    public void Search<TFilter>(
        string query, int k, TextStatistics? statistics, ref TFilter filter, List<SlotHit> hits, CancellationToken cancellation = default)
        where TFilter : struct, ISlotFilter
    {
        // Documents added from here on are beyond the end.
        var end = _rows.Count;
        var sink = Prepare(query, statistics, out var scorer);
        var search = TextSearch.Rent(_rows, scorer);
        try
        {
            for (var term = 0; term < sink.Terms.Count; term++)
                search.Add(sink.Terms[term], term);
            search.Run(end, k, ref filter, hits, cancellation);
        }
        finally
        {
            TextSearch.Return(search);
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

    /// <summary>Scores of several documents; NaN where a document shares no term with the query or was removed.</summary>
    public void ScoreDocs(string query, TextStatistics? statistics, ReadOnlySpan<int> docs, Span<float> scores)
    {
        var sink = Prepare(query, statistics, out var scorer);
        try
        {
            for (var i = 0; i < docs.Length; i++)
            {
                var sum = 0.0;
                var any = false;
                if (docs[i] >= 0 && docs[i] < _rows.Count && _rows.SlotOf(docs[i]) >= 0)
                {
                    for (var term = 0; term < sink.Terms.Count; term++)
                    {
                        if (!sink.Terms[term].Postings.TryFind(docs[i], out var frequency))
                            continue;
                        any = true;
                        sum += scorer.Contribution(term, frequency, _rows.LengthOf(docs[i]));
                    }
                }

                scores[i] = any ? scorer.Score(sum) : float.NaN;
            }
        }
        finally
        {
            sink.Release();
        }
    }

    private QuerySink Prepare(string query, TextStatistics? statistics, out TextScorer scorer)
    {
        var sink = _idleSink ?? new QuerySink();
        _idleSink = null;
        sink.Field = this;
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
        private readonly Dictionary<Term, int> _places = [];
        private double[] _weights = new double[16];

        public TextField Field { get; set; } = null!;

        public List<Term> Terms { get; } = [];

        public List<int> Occurrences { get; } = [];

        /// <summary>Terms of the query, unknown and repeated ones included.</summary>
        public int Length { get; private set; }

        public double[] WeightsFor(int terms)
        {
            if (_weights.Length < terms)
                _weights = new double[terms * 2];
            return _weights;
        }

        public override void Add(ReadOnlySpan<char> text)
        {
            Length++;
            if (!Field._termOf.TryGetValue(text, out var term))
                return;
            if (_places.TryAdd(term, Terms.Count))
            {
                Terms.Add(term);
                Occurrences.Add(1);
            }
            else
            {
                Occurrences[_places[term]]++;
            }
        }

        public void Release()
        {
            Field = null!;
            Terms.Clear();
            Occurrences.Clear();
            _places.Clear();
            Length = 0;
            _idleSink = this;
        }
    }
}
