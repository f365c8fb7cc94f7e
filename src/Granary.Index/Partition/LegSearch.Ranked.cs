using System.Buffers;
using System.Runtime.InteropServices;
using Granary.Index.Search;
using Granary.Index.Vectors;

namespace Granary.Index.Partition;

/// <content>Legs that a field ranks: dense, multi, sparse, text.</content>
internal sealed partial class LegSearch
{
    /// <summary>k nearest neighbours.</summary>
    public LegResult Dense(DenseLeg dense)
    {
        if (!LegChecks.AllFinite(dense.Query.Span))
            throw GranaryException.BadInput($"The query for vector \"{dense.Vector}\" holds a value that is not a finite number");
        switch (Fields.Find(dense.Vector))
        {
            case DenseColumn column:
                if (dense.Rows != 1)
                    throw LegChecks.WrongShape(sparse: false, dense.Vector);
                if (ranked?.Prepare(column, dense) is { } prepared)
                {
                    Nearest(dense, column, prepared);
                    return Finish(prepared.Distance.HigherIsNearer());
                }

                var query = DenseQueries.Rent(column.Vectors.Schema, dense.Query.Span);
                Nearest(dense, column, query);
                DenseQueries.Return(query);
                return Finish(query.Distance.HigherIsNearer());
            case MultiColumn column:
                LegChecks.SameSize(column.Matrices.Schema.Size, dense.Rows < 1 ? 0 : dense.Query.Length / dense.Rows);
                var matrix = new MultiQuery(column.Matrices.Schema, dense.Query.Span);
                var filter = new SnapshotFilter(view, column, plan);
                var k = Wanted(column);
                if (k <= 0)
                    return Finish(matrix.Distance.HigherIsNearer());
                if (TryRows(column, CandidateBound, out var rows))
                    column.Matrices.SearchRows(matrix, k, CollectionsMarshal.AsSpan(rows), ref filter, _hits, cancellation);
                else
                    column.Matrices.SearchExact(matrix, k, ref filter, _hits, cancellation);
                return Finish(matrix.Distance.HigherIsNearer());
            case SparseColumn:
                throw LegChecks.WrongShape(sparse: true, dense.Vector);
            default:
                throw LegChecks.UnknownVector(dense.Vector);
        }
    }

    // Rows that the payload indexes name are compared or walked among, whichever costs less. Else the graph is walked with the filter.
    // Exact, or no graph: compare all rows.
    private void Nearest(DenseLeg dense, DenseColumn column, DenseQuery query)
    {
        var field = column.Vectors;
        var settings = view.Published.Schema.FindDense(dense.Vector)!.Hnsw;
        var k = Wanted(column);
        if (k <= 0)
            return;
        cancellation.ThrowIfCancellationRequested();
        var exact = dense.Exact || settings.M == 0;
        var search = new DenseSearch(query, k)
        {
            Ef = dense.Ef ?? (settings.Ef > 0 ? settings.Ef : null),
            IndexedOnly = dense.IndexedOnly,
            Cancellation = cancellation,
            Selectivity = plan is null ? 1f : Math.Clamp((float)plan.Estimate.Expected / Math.Max(1, view.PointCount), 0f, 1f),
        };
        if (!exact && TryMask(column, out var words, out var mask, out var matching))
        {
            var masked = new SnapshotFilter(view, column, plan, matching);
            field.Search(search with
            {
                Mask = mask,
                Selectivity = (float)mask!.Count / Math.Max(1, mask.Bound),
                Way = mask.Count <= settings.FullScanThreshold ? MaskedWay.Exact : MaskedWay.Cheapest,
            }, ref masked, _hits);
            if (words is not null)
                ArrayPool<ulong>.Shared.Return(words);
            return;
        }

        var filter = new SnapshotFilter(view, column, plan);
        var few = plan is not null && plan.Estimate.Expected <= settings.FullScanThreshold;
        if ((leg.Candidates is not null || few || (exact && plan is not null && !dense.IndexedOnly))
            && TryRows(column, exact ? CandidateBound : Math.Max(settings.FullScanThreshold * 4, 1024), out var rows))
            field.SearchRows(query, k, CollectionsMarshal.AsSpan(rows), ref filter, _hits, cancellation);
        else if (exact || few)
            field.SearchExact(search, ref filter, _hits);
        else
            field.Search(search, ref filter, _hits);
    }

    /// <summary>Highest dot products with a sparse vector.</summary>
    public LegResult Sparse(SparseLeg sparse)
    {
        if (Fields.Find(sparse.Vector) is not SparseColumn column)
            throw Fields.Find(sparse.Vector) is VectorColumn
                ? LegChecks.WrongShape(sparse: true, sparse.Vector) : LegChecks.UnknownVector(sparse.Vector);
        var indices = sparse.Indices.AsSpan();
        var values = sparse.Values.AsSpan();
        if (indices.Length != values.Length)
            throw GranaryException.BadInput(
                $"Sparse query of \"{sparse.Vector}\": {indices.Length} indices and {values.Length} values, they must be as many");
        if (!LegChecks.AllFinite(values))
            throw GranaryException.BadInput($"The query for vector \"{sparse.Vector}\" holds a value that is not a finite number");
        if (TryRows(column, leg.Candidates is null ? 0 : int.MaxValue, out var rows))
        {
            var filter = new SnapshotFilter(view, column, plan);
            foreach (var row in rows)
            {
                var slot = column.SlotOf(row);
                if (slot >= 0 && filter.TryAccept(ref slot) && column.Postings.Score(row, indices, values, sparse.Statistics) is { } score)
                    _hits.Add(new SlotHit(slot, score));
            }
        }
        else if (Wanted(column) > 0)
        {
            var filter = new SnapshotFilter(view, column, plan);
            column.Postings.Search(indices, values, Wanted(column), sparse.Statistics, ref filter, _hits, cancellation);
        }

        return Finish(higherIsBetter: true);
    }

    /// <summary>BM25.</summary>
    public LegResult Text(TextLeg text)
    {
        if (Fields.Find(text.Field) is not TextColumn column)
            throw LegChecks.UnknownVector(text.Field);
        if (leg.Candidates is not null && TryRows(column, int.MaxValue, out var docs))
        {
            var scores = new float[docs.Count];
            column.Postings.ScoreDocs(text.Text, text.Statistics, CollectionsMarshal.AsSpan(docs), scores, text.EveryTerm);
            var filter = new SnapshotFilter(view, column, plan);
            for (var i = 0; i < scores.Length; i++)
            {
                var slot = column.SlotOf(docs[i]);
                if (slot >= 0 && !float.IsNaN(scores[i]) && filter.TryAccept(ref slot))
                    _hits.Add(new SlotHit(slot, scores[i]));
            }
        }
        else if (leg.Candidates is null && text.Known is { } known)
        {
            var filter = new SnapshotFilter(view, column, plan);
            if (!column.Postings.TrySearch(Wanted(column), known, ref filter, _hits, cancellation, text.EveryTerm, text.Floor))
                return new LegResult([], true) { Outdated = true };
        }
        else if (leg.Candidates is null && Wanted(column) > 0)
        {
            var filter = new SnapshotFilter(view, column, plan);
            if (ranked?.Prepare(column, text) is { } prepared)
                column.Postings.Search(prepared, Wanted(column), ref filter, _hits, cancellation, text.EveryTerm, text.Floor);
            else
                column.Postings.Search(
                    text.Text, Wanted(column), text.Statistics, ref filter, _hits, cancellation, text.EveryTerm, text.Floor);
        }

        var result = Finish(higherIsBetter: true);
        return leg.Candidates is null && text.Floor is { Value: > float.NegativeInfinity and var floor }
            ? result with { Floor = floor } : result;
    }
}
