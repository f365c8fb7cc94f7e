using Granary.Index.Memory;
using Granary.Index.Search;

namespace Granary.Index.Sparse;

/// <summary>An inverted index over one sparse vector, ranked by dot product. One thread writes; any number search, without locks.</summary>
public sealed class SparseField
{
    /// <summary>Makes an empty index.</summary>
    public SparseField(SparseVectorSchema schema, EpochClock epochs) => throw new NotImplementedException();

    /// <summary>The field.</summary>
    public SparseVectorSchema Schema => throw new NotImplementedException();

    /// <summary>Rows counted in the statistics.</summary>
    public long RowCount => throw new NotImplementedException();

    /// <summary>One more than the largest row number given out.</summary>
    public int RowCapacity => throw new NotImplementedException();

    /// <summary>Bytes held, roughly.</summary>
    public long Bytes => throw new NotImplementedException();

    /// <summary>Indexes a vector and counts it. The dimensions need not be sorted; an empty vector is allowed. Returns its row.</summary>
    public int Add(ReadOnlySpan<uint> indices, ReadOnlySpan<float> values, int slot) => throw new NotImplementedException();

    /// <summary>Says that the row belongs to a newer slot now.</summary>
    public void Retarget(int row, int slot) => throw new NotImplementedException();

    /// <summary>The newest slot of a row; -1 when it was removed.</summary>
    public int SlotOf(int row) => throw new NotImplementedException();

    /// <summary>Takes the row out of the statistics (at the logical delete); it stays findable for older readers.</summary>
    public void Forget(int row) => throw new NotImplementedException();

    /// <summary>Removes a forgotten row that no reader can see any more.</summary>
    public void Remove(int row) => throw new NotImplementedException();

    /// <summary>The vector of a row, dimensions ascending; empty when it was removed.</summary>
    public void Get(int row, out ReadOnlySpan<uint> indices, out ReadOnlySpan<float> values) => throw new NotImplementedException();

    /// <summary>Exact statistics for a query's dimensions.</summary>
    public SparseStatistics Statistics(ReadOnlySpan<uint> indices) => throw new NotImplementedException();

    /// <summary>
    /// Appends the k rows of highest dot product among those that share a dimension with the query, best first. Equal scores: by the
    /// filter's <see cref="ISlotOrder"/> if it has one, else by slot.
    /// </summary>
    /// <param name="indices">The query's dimensions, in any order, each once.</param>
    /// <param name="values">Their weights, of any sign.</param>
    /// <param name="k">How many.</param>
    /// <param name="statistics">Statistics over all partitions; null for this field's own. Only used when the field has the idf modifier.</param>
    /// <param name="filter">Asked only about rows that would be among the best.</param>
    /// <param name="hits">Receives the hits.</param>
    /// <param name="cancellation">Ends the search early with an exception.</param>
    public void Search<TFilter>(
        ReadOnlySpan<uint> indices, ReadOnlySpan<float> values, int k, SparseStatistics? statistics, ref TFilter filter, List<SlotHit> hits,
        CancellationToken cancellation = default)
        where TFilter : struct, ISlotFilter => throw new NotImplementedException();

    /// <summary>The score of one row, bit-equal to the search's; null when it shares no dimension with the query.</summary>
    public float? Score(int row, ReadOnlySpan<uint> indices, ReadOnlySpan<float> values, SparseStatistics? statistics) =>
        throw new NotImplementedException();

    /// <summary>Writes the index. Called by the writing thread; searches go on.</summary>
    public void Save(Stream stream) => throw new NotImplementedException();

    /// <summary>Reads an index written by <see cref="Save"/>.</summary>
    /// <exception cref="GranaryException">The stream is damaged or of a newer format.</exception>
    public static SparseField Load(Stream stream, SparseVectorSchema schema, EpochClock epochs) => throw new NotImplementedException();
}
