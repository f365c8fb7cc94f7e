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
        var filterFirst = search.Selectivity < FilterFirst;
        while (batches.TryNext(ids, out var count))
        {
            search.Cancellation.ThrowIfCancellationRequested();
            CompareCodes(walk, search.Query.Target, ids, count, distances);

            // Those that are nearest by their codes first: they rule out most of the others.
            var possible = scratch.SecondPool(RowBatches.MostRows);
            var farthest = Farthest(nearest);
            for (var j = 0; j < count; j++)
            {
                var lower = bound.Lower(distances[j], (float*)(_codes!.Row(ids[j]) + header));
                if (lower <= farthest)
                    possible.Add(CandidatePool.Pack(lower, ids[j]));
            }

            for (var j = 0; j < possible.Count && CandidatePool.Distance(possible[j]) <= Farthest(nearest); j++)
            {
                var row = CandidatePool.Row(possible[j]);
                var slot = SlotOf(row);
                if (slot < 0 || (search.IndexedOnly && !IsLinked(row)) || (filterFirst && !filter.TryAccept(ref slot)))
                    continue;
                var key = KeyOf(search.Query.Pointer, row);
                if (!(key <= Farthest(nearest)) || !(filterFirst || filter.TryAccept(ref slot)))
                    continue;
                nearest.Add(CandidatePool.Pack(key, row));
                scratch.Top.Add(key, slot);
            }
        }

        // The K-th nearest so far; rows as far as it count as well.
        static float Farthest(in CandidatePool nearest) =>
            nearest.IsFull ? CandidatePool.Distance(nearest.Last) : float.PositiveInfinity;
    }
}
