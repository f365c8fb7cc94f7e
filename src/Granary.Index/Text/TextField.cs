using Granary.Index.Memory;
using Granary.Index.Search;

namespace Granary.Index.Text;

/// <summary>An inverted index over one text field, ranked with BM25. One thread writes; any number search, without locks.</summary>
public sealed class TextField
{
    /// <summary>Makes an empty index.</summary>
    public TextField(TextFieldSchema schema, EpochClock epochs) => throw new NotImplementedException();

    /// <summary>The field.</summary>
    public TextFieldSchema Schema => throw new NotImplementedException();

    /// <summary>Documents counted in the statistics.</summary>
    public long DocumentCount => throw new NotImplementedException();

    /// <summary>One more than the largest document number given out.</summary>
    public int DocumentCapacity => throw new NotImplementedException();

    /// <summary>Bytes held, roughly.</summary>
    public long Bytes => throw new NotImplementedException();

    /// <summary>Indexes texts as one document and counts it. Returns its number, or -1 when no term is left.</summary>
    public int Add(IReadOnlyList<string> texts, int slot) => throw new NotImplementedException();

    /// <summary>Says that the document belongs to a newer slot now.</summary>
    public void Retarget(int doc, int slot) => throw new NotImplementedException();

    /// <summary>The newest slot of a document; -1 when it was removed.</summary>
    public int SlotOf(int doc) => throw new NotImplementedException();

    /// <summary>Takes the document out of the statistics (at the logical delete); it stays findable for older readers.</summary>
    public void Forget(int doc) => throw new NotImplementedException();

    /// <summary>Removes a forgotten document that no reader can see any more.</summary>
    public void Remove(int doc) => throw new NotImplementedException();

    /// <summary>Exact statistics for the terms of a query.</summary>
    public TextStatistics Statistics(string query) => throw new NotImplementedException();

    /// <summary>
    /// Appends the k best documents that share a term with the query, best first. Equal scores: by the filter's
    /// <see cref="ISlotOrder"/> if it has one, else by slot.
    /// </summary>
    /// <param name="query">Text, analysed like the documents.</param>
    /// <param name="k">How many.</param>
    /// <param name="statistics">Statistics over all partitions; null for this field's own.</param>
    /// <param name="filter">Asked only about documents that would be among the best.</param>
    /// <param name="hits">Receives the hits.</param>
    /// <param name="cancellation">Ends the search early with an exception.</param>
    public void Search<TFilter>(
        string query, int k, TextStatistics? statistics, ref TFilter filter, List<SlotHit> hits, CancellationToken cancellation = default)
        where TFilter : struct, ISlotFilter => throw new NotImplementedException();

    /// <summary>The score of one document, bit-equal to the search's; null when it shares no term with the query.</summary>
    public float? ScoreDoc(string query, TextStatistics? statistics, int doc) => throw new NotImplementedException();

    /// <summary>Scores of several documents; NaN where a document shares no term with the query.</summary>
    public void ScoreDocs(string query, TextStatistics? statistics, ReadOnlySpan<int> docs, Span<float> scores) =>
        throw new NotImplementedException();

    /// <summary>Writes the index. Called by the writing thread; searches go on.</summary>
    public void Save(Stream stream) => throw new NotImplementedException();

    /// <summary>Reads an index written by <see cref="Save"/>.</summary>
    /// <exception cref="GranaryException">The stream is damaged or of a newer format.</exception>
    public static TextField Load(Stream stream, TextFieldSchema schema, EpochClock epochs) => throw new NotImplementedException();
}
