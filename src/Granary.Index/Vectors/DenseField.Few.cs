using Granary.Index.Search;

namespace Granary.Index.Vectors;

/// <content>Exact search among few rows that are known beforehand.</content>
public sealed unsafe partial class DenseField
{
    // Up to so many values, of all rows together, the originals are compared at once.
    private const int FewValues = 1 << 15;

    /// <summary>
    /// Finds what comparing the originals of all rows of the mask finds, but compares only those that, by the bounds of their codes, can be
    /// among the nearest.
    /// </summary>
    private void CompareFew<TFilter>(in DenseSearch search, RowMask mask, ref TFilter filter, SearchScratch scratch)
        where TFilter : struct, ISlotFilter
    {
        if (_codes is null || mask.Count <= RescoreCount(search.K) || (long)mask.Count * _size <= FewValues)
        {
            CompareMask(search, mask, ref filter, scratch);
            return;
        }

        CompareBounded(search, new RowBatches(mask, Math.Min(mask.Bound, RowCapacity)), ref filter, scratch);
    }

    /// <summary>The same of any rows.</summary>
    private void CompareBounded<TFilter>(in DenseSearch search, RowBatches batches, ref TFilter filter, SearchScratch scratch)
        where TFilter : struct, ISlotFilter
    {
        var walk = Codes();
        var bound = new CodeBound(search.Query);
        var header = RowCode.HeaderOffset(_size);
        var nearest = scratch.Pool(search.K);
        var ids = scratch.Rows(RowBatches.MostRows);
        var distances = scratch.Distances(RowBatches.MostRows);
        while (batches.TryNext(ids, out var count))
        {
            search.Cancellation.ThrowIfCancellationRequested();
            walk.Scan(search.Query.Target, ids, count, distances);

            // Until there are K, those that are nearest by their codes are taken: they rule out most of the others.
            if (!nearest.IsFull)
            {
                var first = scratch.SecondPool(search.K);
                for (var j = 0; j < count; j++)
                    first.Add(CandidatePool.Pack(distances[j], j));
                for (var j = 0; j < first.Count; j++)
                {
                    var place = CandidatePool.Row(first[j]);
                    Compare(search, ids[place], ref nearest, ref filter, scratch);
                    ids[place] = -1;
                }
            }

            var possible = scratch.SecondPool(RowBatches.MostRows);
            var farthest = Farthest(nearest);
            for (var j = 0; j < count; j++)
            {
                if (ids[j] < 0)
                    continue;
                var lower = bound.Lower(distances[j], (float*)(_codes!.Row(ids[j]) + header));
                if (lower <= farthest)
                    possible.Add(CandidatePool.Pack(lower, ids[j]));
            }

            for (var j = 0; j < possible.Count && CandidatePool.Distance(possible[j]) <= Farthest(nearest); j++)
                Compare(search, CandidatePool.Row(possible[j]), ref nearest, ref filter, scratch);
        }
    }

    private void Compare<TFilter>(
        in DenseSearch search, int row, ref CandidatePool nearest, ref TFilter filter, SearchScratch scratch)
        where TFilter : struct, ISlotFilter
    {
        var filterFirst = search.Selectivity < FilterFirst;
        var slot = SlotOf(row);
        if (slot < 0 || (search.IndexedOnly && !IsLinked(row)) || (filterFirst && !filter.TryAccept(ref slot)))
            return;
        var key = KeyOf(search.Query.Pointer, row);
        if (!(key <= Farthest(nearest)) || !(filterFirst || filter.TryAccept(ref slot)))
            return;
        nearest.Add(CandidatePool.Pack(key, row));
        scratch.Top.Add(key, slot);
    }

    // The K-th nearest so far; rows as far as it count as well.
    private static float Farthest(in CandidatePool nearest) =>
        nearest.IsFull ? CandidatePool.Distance(nearest.Last) : float.PositiveInfinity;
}
