using System.Collections.Concurrent;
using System.Collections.Immutable;
using Granary.Index.Memory;
using Granary.Index.Postings;
using Granary.Index.Search;

namespace Granary.Index.Sparse;

/// <summary>An inverted index over one sparse vector, ranked by dot product. One thread writes; any number search, without locks.</summary>
public sealed partial class SparseField : ISlotRows
{
    private readonly RowTable<SparseRow> _rows;
    private readonly ConcurrentDictionary<uint, PostingList> _lists = new(1, 1024);
    private long _counted;
    private float _largest;

    /// <summary>Makes an empty index.</summary>
    public SparseField(SparseVectorSchema schema, EpochClock epochs)
    {
        // Removed postings are read until they are swept, and swept lists until the collector takes them: epochs are not needed.
        _ = epochs;
        Schema = schema;
        _rows = new RowTable<SparseRow>(schema.Name);
    }

    /// <summary>The field.</summary>
    public SparseVectorSchema Schema { get; }

    /// <summary>Rows counted in the statistics.</summary>
    public long RowCount => Volatile.Read(ref _counted);

    /// <summary>One more than the largest row number given out.</summary>
    public int RowCapacity => _rows.Count;

    /// <summary>Bytes held, roughly. Called by the writing thread.</summary>
    public long Bytes => _lists.Sum(list => 64 + (2 * list.Value.Bytes)) + (100L * _rows.Alive);

    /// <summary>Indexes a vector and counts it. The dimensions need not be sorted; an empty vector is allowed. Returns its row.</summary>
    /// <exception cref="GranaryException">The lengths differ or a dimension repeats.</exception>
    public int Add(ReadOnlySpan<uint> indices, ReadOnlySpan<float> values, int slot)
    {
        if (indices.Length != values.Length)
            throw GranaryException.Validation($"indices: {indices.Length} of them, but {values.Length} values");
        var dimensions = indices.ToArray();
        var weights = values.ToArray();
        Array.Sort(dimensions, weights);
        for (var i = 1; i < dimensions.Length; i++)
        {
            if (dimensions[i] == dimensions[i - 1])
                throw GranaryException.Validation($"indices: must be unique, {dimensions[i]} is there twice");
        }

        foreach (var weight in weights)
        {
            if (Math.Abs(weight) > _largest)
                Volatile.Write(ref _largest, Math.Abs(weight));
        }

        // The row is readable before any posting names it.
        var row = _rows.Add(slot, dimensions.Length, new SparseRow(dimensions, weights, false));
        for (var i = 0; i < dimensions.Length; i++)
        {
            if (!_lists.TryGetValue(dimensions[i], out var list))
                _lists[dimensions[i]] = list = new PostingList();
            list.Append(row, BitConverter.SingleToUInt32Bits(weights[i]), SparseBounds.Instance);
            list.Frequency++;
        }

        Volatile.Write(ref _counted, _counted + 1);
        return row;
    }

    /// <summary>Says that the row belongs to a newer slot now.</summary>
    public void Retarget(int row, int slot)
    {
        if (row >= 0)
            _rows.SetSlot(row, slot);
    }

    /// <summary>The newest slot of a row; -1 when it was removed.</summary>
    public int SlotOf(int row) => _rows.SlotOf(row);

    /// <summary>Takes the row out of the statistics (at the logical delete); it stays findable for older readers.</summary>
    public void Forget(int row)
    {
        if (row < 0 || _rows.SlotOf(row) < 0)
            return;
        var vector = _rows.ValueOf(row);
        if (vector.Forgotten)
            return;
        _rows.SetValue(row, vector with { Forgotten = true });
        foreach (var dimension in vector.Indices)
            _lists[dimension].Frequency--;
        Volatile.Write(ref _counted, _counted - 1);
    }

    /// <summary>Removes a row that no reader can see any more; one that was not forgotten is forgotten first.</summary>
    public void Remove(int row)
    {
        if (row < 0 || _rows.SlotOf(row) < 0)
            return;
        Forget(row);
        var dimensions = _rows.ValueOf(row).Indices;
        _rows.Remove(row);
        foreach (var dimension in dimensions)
        {
            var list = _lists[dimension];
            if (!list.Kill())
                continue;
            list.Sweep(_rows, SparseBounds.Instance);
            if (list.Count == 0)
                _lists.TryRemove(dimension, out _);
        }
    }

    /// <summary>The vector of a row, dimensions ascending; empty when it was removed.</summary>
    public void Get(int row, out ReadOnlySpan<uint> indices, out ReadOnlySpan<float> values)
    {
        var vector = row >= 0 && row < _rows.Count ? _rows.ValueOf(row) : default;
        indices = vector.Indices;
        values = vector.Values;
    }

    /// <summary>Exact statistics for a query's dimensions.</summary>
    public SparseStatistics Statistics(ReadOnlySpan<uint> indices)
    {
        var frequencies = ImmutableDictionary.CreateBuilder<uint, long>();
        foreach (var dimension in indices)
            frequencies[dimension] = _lists.TryGetValue(dimension, out var list) ? list.Frequency : 0;
        return new SparseStatistics(RowCount, frequencies.ToImmutable());
    }

    /// <summary>
    /// Appends the k rows of highest dot product among those that share a dimension with the query, best first. Equal scores are
    /// ordered by <see cref="ISlotFilter.Precedes"/>.
    /// </summary>
    /// <param name="indices">The query's dimensions, in any order, each once.</param>
    /// <param name="values">Their weights, of any sign.</param>
    /// <param name="k">How many.</param>
    /// <param name="statistics">Statistics over all partitions; null for this field's own. Only used when the field has the idf
    /// modifier.</param>
    /// <param name="filter">Asked only about rows that would be among the best.</param>
    /// <param name="hits">Receives the hits.</param>
    /// <param name="cancellation">Ends the search early with an exception.</param>
    public void Search<TFilter>(
        ReadOnlySpan<uint> indices, ReadOnlySpan<float> values, int k, SparseStatistics? statistics, ref TFilter filter, List<SlotHit> hits,
        CancellationToken cancellation = default)
        where TFilter : struct, ISlotFilter
    {
        // Rows added from here on are beyond the end.
        var end = _rows.Count;
        var query = Prepare(indices, values, statistics);
        var search = PostingSearch.Rent();
        try
        {
            var scorer = new SparseScorer(_rows, query, Volatile.Read(ref _largest));
            var lists = 0;
            for (var i = 0; i < query.Count; i++)
            {
                if (!_lists.TryGetValue(query.Dimensions[i], out var list))
                    continue;
                query.Places[lists++] = i;
                search.Add(list, ref scorer);
            }

            search.Run(_rows, end, k, ref scorer, ref filter, hits, cancellation);
        }
        finally
        {
            PostingSearch.Return(search);
            SparseQuery.Return(query);
        }
    }

    /// <summary>The score of one row, bit-equal to the search's; null when it shares no dimension with the query or was removed.</summary>
    public float? Score(int row, ReadOnlySpan<uint> indices, ReadOnlySpan<float> values, SparseStatistics? statistics)
    {
        var score = 0f;
        ScoreRows(indices, values, statistics, [row], new Span<float>(ref score));
        return float.IsNaN(score) ? null : score;
    }

    /// <summary>Scores of several rows; NaN where a row shares no dimension with the query or was removed.</summary>
    public void ScoreRows(
        ReadOnlySpan<uint> indices, ReadOnlySpan<float> values, SparseStatistics? statistics, ReadOnlySpan<int> rows, Span<float> scores)
    {
        var query = Prepare(indices, values, statistics);
        for (var i = 0; i < rows.Length; i++)
            scores[i] = Score(rows[i], query);
        SparseQuery.Return(query);
    }

    /// <summary>The score of one row; NaN as in <see cref="ScoreRows"/>.</summary>
    internal float Score(int row, SparseQuery query)
    {
        if (row < 0 || row >= _rows.Count || _rows.ValueOf(row) is not { Indices: not null } vector)
            return float.NaN;
        var dot = (float)query.Dot(vector, out var shared);
        return shared ? dot : float.NaN;
    }

    /// <summary>A query with its final weights, to score many rows by. It is the caller's until it is returned; it need not be.</summary>
    internal SparseQuery Prepare(ReadOnlySpan<uint> indices, ReadOnlySpan<float> values, SparseStatistics? statistics)
    {
        var query = SparseQuery.Rent(indices, values);
        if (Schema.Idf)
        {
            var rows = statistics?.Documents ?? RowCount;
            for (var i = 0; i < query.Count; i++)
            {
                var dimension = query.Dimensions[i];
                if (statistics == null || !statistics.Frequencies.TryGetValue(dimension, out var frequency))
                    frequency = _lists.TryGetValue(dimension, out var list) ? list.Frequency : 0;
                frequency = Math.Min(frequency, rows);
                query.Weights[i] *= (float)Math.Log(((rows - frequency + 0.5) / (frequency + 0.5)) + 1);
            }
        }

        query.Finish();
        return query;
    }
}
