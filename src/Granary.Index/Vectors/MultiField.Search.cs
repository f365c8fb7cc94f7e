using Granary.Index.Search;

namespace Granary.Index.Vectors;

public sealed unsafe partial class MultiField
{
    /// <summary>Compares every row that the filter accepts; hits as <see cref="DenseField.SearchExact"/> gives them.</summary>
    public void SearchExact<TFilter>(
        MultiQuery query, int k, ref TFilter filter, List<SlotHit> hits, CancellationToken cancellation = default)
        where TFilter : struct, ISlotFilter
    {
        Check(query);
        var scratch = SearchScratch.Rent();
        try
        {
            var top = scratch.Top;
            top.Reset(k);
            var rows = RowCapacity;
            for (var row = 0; row < rows; row++)
            {
                cancellation.ThrowIfCancellationRequested();
                var slot = SlotOf(row);
                if (slot >= 0 && filter.TryAccept(ref slot))
                    top.Add(Key(query, row), slot);
            }

            top.Drain(Schema.Distance, hits);
        }
        finally
        {
            scratch.Return();
        }
    }

    /// <summary>Compares the given rows that the filter accepts; hits as <see cref="DenseField.SearchExact"/> gives them.</summary>
    public void SearchRows<TFilter>(
        MultiQuery query, int k, ReadOnlySpan<int> rows, ref TFilter filter, List<SlotHit> hits, CancellationToken cancellation = default)
        where TFilter : struct, ISlotFilter
    {
        Check(query);
        var scratch = SearchScratch.Rent();
        try
        {
            var top = scratch.Top;
            top.Reset(k);
            foreach (var row in rows)
            {
                cancellation.ThrowIfCancellationRequested();
                var slot = SlotOf(row);
                if (slot >= 0 && filter.TryAccept(ref slot))
                    top.Add(Key(query, row), slot);
            }

            top.Drain(Schema.Distance, hits);
        }
        finally
        {
            scratch.Return();
        }
    }

    /// <summary>The MaxSim of a row, as the caller sees it.</summary>
    public float Score(MultiQuery query, int row)
    {
        Check(query);
        return VectorMath.Score(Schema.Distance, Key(query, row));
    }

    private float Key(MultiQuery query, int row)
    {
        ref var entry = ref At(row);
        var size = Schema.Size;
        var sum = 0f;
        fixed (float* values = query.Values)
        {
            for (var i = 0; i < query.Rows; i++)
            {
                var best = float.PositiveInfinity;
                for (var j = 0; j < entry.Rows; j++)
                    best = MathF.Min(
                        best, VectorMath.Key(Schema.Distance, values + ((long)i * size), entry.Values + ((long)j * size), size));
                sum += best;
            }
        }

        return sum;
    }

    private void Check(MultiQuery query)
    {
        VectorMath.CheckSize(Schema.Size, query.Size);
        if (query.Distance != Schema.Distance)
            throw GranaryException.BadInput(
                $"the query was prepared for {query.Distance}, the vector {Schema.Name} is compared by {Schema.Distance}");
    }
}
