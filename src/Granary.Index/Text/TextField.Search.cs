using System.Runtime.InteropServices;
using Granary.Index.Search;

namespace Granary.Index.Text;

public sealed partial class TextField
{
    // In place of a length.
    private const int Removed = -1;

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
        var prepared = PreparedQuery.Rent();
        try
        {
            Prepare(prepared, query, statistics);
            Search(prepared, k, ref filter, hits, cancellation, everyTerm, floor);
        }
        finally
        {
            prepared.Return();
        }
    }

    /// <summary>The same with a query that was prepared; the scores of other documents may be asked for with it afterwards.</summary>
    internal void Search<TFilter>(
        PreparedQuery query, int k, ref TFilter filter, List<SlotHit> hits, CancellationToken cancellation = default,
        bool everyTerm = false, ScoreFloor? floor = null)
        where TFilter : struct, ISlotFilter
    {
        if (everyTerm && query.IsPartlyUnknown)
            return;
        var search = TextSearch.Rent(_rows, query.Scorer);
        try
        {
            search.Add(CollectionsMarshal.AsSpan(query.Terms));
            search.Run(query.End, k, everyTerm ? query.Terms.Count : 0, ref filter, hits, floor, cancellation);
        }
        finally
        {
            TextSearch.Return(search);
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
        var query = PreparedQuery.Rent();
        try
        {
            var (terms, all, own) = known;
            query.Begin(this, _rows.Count);
            query.AddAll(terms.AsSpan());
            if (DocumentCount != own.Documents || TotalLength != own.TotalLength || all.Frequencies.Length != query.Length
                || !CollectionsMarshal.AsSpan(query.Frequencies).SequenceEqual(own.Frequencies.AsSpan()))
                return false;
            if (k <= 0)
                return true;
            var scorer = new TextScorer(Schema, all.Documents, all.TotalLength, query.Length, query.WeightsFor(query.Terms.Count));
            for (var i = 0; i < query.Terms.Count; i++)
                scorer.SetWeight(i, all.Documents, all.Frequencies[query.FirstAt[i]], query.Occurrences[i]);
            query.Scorer = scorer;
            Search(query, k, ref filter, hits, cancellation, everyTerm, floor);
            return true;
        }
        finally
        {
            query.Return();
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
        var prepared = PreparedQuery.Rent();
        try
        {
            Prepare(prepared, query, statistics);
            ScoreDocs(prepared, docs, scores, everyTerm);
        }
        finally
        {
            prepared.Return();
        }
    }

    /// <summary>The same with a query that was prepared.</summary>
    internal void ScoreDocs(PreparedQuery query, ReadOnlySpan<int> docs, Span<float> scores, bool everyTerm = false)
    {
        var terms = CollectionsMarshal.AsSpan(query.Terms);
        var documents = query.Documents(docs.Length);
        var known = _rows.Count;
        for (var i = 0; i < docs.Length; i++)
            documents.Lengths[i] = (uint)docs[i] < (uint)known && _rows.SlotOf(docs[i]) >= 0 ? _rows.LengthOf(docs[i]) : Removed;
        for (var i = 0; i < terms.Length; i++)
            Add(query.Scorer, terms[i], i, docs, documents);
        for (var i = 0; i < docs.Length; i++)
        {
            var shared = documents.Lengths[i] == Removed ? 0 : documents.Shared[i];
            var matches = everyTerm ? shared == terms.Length && !query.IsPartlyUnknown : shared > 0;
            scores[i] = matches && shared > 0 ? query.Scorer.Score(documents.Sums[i]) : float.NaN;
        }
    }

    /// <summary>
    /// Adds what a term adds to the scores of documents: of all of them term by term, and first which of them have it, so that no read
    /// waits for another.
    /// </summary>
    private static void Add(
        in TextScorer scorer, Term term, int number, ReadOnlySpan<int> docs, in PreparedQuery.ScoredDocuments documents)
    {
        var layout = term.LaidOut(out var isWhole);
        var found = layout?.Find(docs, documents.Found) ?? 0;
        foreach (var (at, place) in documents.Found.AsSpan(0, found))
        {
            var frequency = layout!.FrequencyOf(docs[at], place);
            if (frequency < ImpactList.MostFrequency || term.TryFind(docs[at], out frequency))
                documents.Add(at, scorer.Contribution(number, frequency, documents.Lengths[at]));
        }

        // What the layout does not reach to.
        for (var i = 0; i < docs.Length && !isWhole; i++)
        {
            if ((layout is null || docs[i] > layout.LastRow) && term.TryFind(docs[i], out var frequency))
                documents.Add(i, scorer.Contribution(number, frequency, documents.Lengths[i]));
        }
    }

    /// <summary>Analyses a query, and weighs its terms.</summary>
    /// <param name="query">Is filled.</param>
    /// <param name="text">Text, analysed like the documents.</param>
    /// <param name="statistics">Statistics over all partitions; null for this field's own.</param>
    internal void Prepare(PreparedQuery query, string text, TextStatistics? statistics)
    {
        // Documents added from here on are beyond the end.
        query.Begin(this, _rows.Count);
        _analyzer.Analyze(text, TextRole.Query, query);
        var documents = statistics?.Documents ?? DocumentCount;
        var totalLength = statistics?.TotalLength ?? TotalLength;
        var scorer = new TextScorer(Schema, documents, totalLength, query.Length, query.WeightsFor(query.Terms.Count));
        for (var i = 0; i < query.Terms.Count; i++)
        {
            var term = query.Terms[i];
            var frequency = statistics != null && statistics.Frequencies.TryGetValue(term.Text, out var given)
                ? given
                : term.Postings.Frequency;
            scorer.SetWeight(i, documents, frequency, query.Occurrences[i]);
        }

        query.Scorer = scorer;
    }
}
