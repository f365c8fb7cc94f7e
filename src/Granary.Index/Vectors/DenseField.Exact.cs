using Granary.Index.Search;

namespace Granary.Index.Vectors;

public sealed unsafe partial class DenseField
{
    // Below this share it is cheaper to ask the filter before the vector is read.
    private const float FilterFirst = 0.5f;

    // How many rows ahead of the one that is scored its original is asked for.
    private const int ScoreAhead = 4;

    // After so many rows a scan asks whether it is still wanted.
    private const int RowsAtOnce = 4096;

    // Up to so many hits, codes are compared first and originals only where the bounds of the codes do not rule them out.
    private const int MostBounded = 1024;

    /// <summary>
    /// Compares every row that the filter accepts. Appends the best, best first, and every hit whose score equals the last one's, so
    /// that there may be more than K.
    /// </summary>
    public void SearchExact<TFilter>(in DenseSearch search, ref TFilter filter, List<SlotHit> hits)
        where TFilter : struct, ISlotFilter
    {
        Check(search.Query);
        var scratch = SearchScratch.Rent();
        try
        {
            var top = scratch.Top;
            top.Reset(search.K);
            if (BoundsPay(search))
                CompareBounded(search, new RowBatches(RowCapacity), ref filter, scratch);
            else
                CompareAll(search, ref filter, top);
            top.Drain(Schema.Distance, hits);
        }
        finally
        {
            scratch.Return();
        }
    }

    // Where a filter refuses most it is asked first, unless each original may have to come from a disk.
    private bool BoundsPay(in DenseSearch search) => _codes is not null && search.K is > 0 and <= MostBounded
        && (long)RowCapacity * _size > FewValues && (search.Selectivity >= FilterFirst || MappedBytes > 0);

    private void CompareAll<TFilter>(in DenseSearch search, ref TFilter filter, TopHits top)
        where TFilter : struct, ISlotFilter
    {
        var query = search.Query.Pointer;
        var filterFirst = search.Selectivity < FilterFirst;
        var rows = RowCapacity;
        var readAhead = ReadAheadRows;
        for (var row = 0; row < rows; row++)
        {
            if (row % RowsAtOnce == 0)
                search.Cancellation.ThrowIfCancellationRequested();
            if (row % readAhead == 0)
                _vectors?.WillNeed(row, readAhead);
            var slot = SlotOf(row);
            if (slot < 0 || (search.IndexedOnly && !IsLinked(row)) || (filterFirst && !filter.TryAccept(ref slot)))
                continue;
            var key = KeyOf(query, row);
            if (key <= top.Threshold && (filterFirst || filter.TryAccept(ref slot)))
                top.Add(key, slot);
        }
    }

    /// <summary>Compares the given rows that the filter accepts; otherwise as <see cref="SearchExact"/>.</summary>
    public void SearchRows<TFilter>(
        DenseQuery query, int k, ReadOnlySpan<int> rows, ref TFilter filter, List<SlotHit> hits,
        CancellationToken cancellation = default)
        where TFilter : struct, ISlotFilter
    {
        Check(query);
        var scratch = SearchScratch.Rent();
        try
        {
            var top = scratch.Top;
            top.Reset(k);
            for (var i = 0; i < rows.Length; i++)
            {
                if (i % RowsAtOnce == 0)
                    cancellation.ThrowIfCancellationRequested();
                var row = rows[i];
                var slot = SlotOf(row);
                if (slot < 0 || !filter.TryAccept(ref slot))
                    continue;
                top.Add(KeyOf(query.Pointer, row), slot);
            }

            top.Drain(Schema.Distance, hits);
        }
        finally
        {
            scratch.Return();
        }
    }

    /// <summary>The exact score of a row, as the caller sees it.</summary>
    public float Score(DenseQuery query, int row)
    {
        Check(query);
        return VectorMath.Score(Schema.Distance, KeyOf(query.Pointer, row));
    }

    /// <summary>The exact scores of some rows.</summary>
    public void Score(DenseQuery query, ReadOnlySpan<int> rows, Span<float> scores)
    {
        Check(query);
        for (var i = 0; i < rows.Length; i++)
        {
            if (_vectors is not null && i + ScoreAhead < rows.Length)
                Floats().Prefetch(rows[i + ScoreAhead]);
            scores[i] = VectorMath.Score(Schema.Distance, KeyOf(query.Pointer, rows[i]));
        }
    }

    private void Check(DenseQuery query)
    {
        VectorMath.CheckSize(_size, query.Size);
        if (query.Distance != Schema.Distance)
            throw GranaryException.BadInput(
                $"the query was prepared for {query.Distance}, the vector {Schema.Name} is compared by {Schema.Distance}");
    }
}
