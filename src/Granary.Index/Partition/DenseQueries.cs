using Granary.Index.Vectors;

namespace Granary.Index.Partition;

/// <summary>Prepared queries to be used again: each thread keeps one for each of a few shapes.</summary>
internal static class DenseQueries
{
    private const int Kept = 4;

    [ThreadStatic]
    private static List<DenseQuery>? _idle;

    /// <summary>Prepares a query; <see cref="Return"/> it when no search uses it any more.</summary>
    /// <exception cref="GranaryException">The vector has not the field's size, or is too long.</exception>
    public static DenseQuery Rent(DenseVectorSchema schema, ReadOnlySpan<float> vector)
    {
        var query = Rent(schema);
        query.Set(vector);
        return query;
    }

    /// <summary>Room for a query, to be set; <see cref="Return"/> it when no search uses it any more.</summary>
    public static DenseQuery Rent(DenseVectorSchema schema)
    {
        var idle = _idle ??= new List<DenseQuery>(Kept);
        for (var i = idle.Count - 1; i >= 0; i--)
        {
            var query = idle[i];
            if (query.Size != schema.Size || query.Distance != schema.Distance)
                continue;
            idle.RemoveAt(i);
            return query;
        }

        return new DenseQuery(schema);
    }

    /// <summary>Takes a query back.</summary>
    public static void Return(DenseQuery query)
    {
        var idle = _idle ??= new List<DenseQuery>(Kept);
        if (idle.Count == Kept)
            idle.RemoveAt(0);
        idle.Add(query);
    }
}
