namespace Granary.Index.Sparse;

/// <summary>A query's dimensions, ascending, with their weights. Reused by its thread.</summary>
internal sealed class SparseQuery
{
    private const int MostKept = 65_536;

    [ThreadStatic]
    private static SparseQuery? _idle;

    public uint[] Dimensions { get; private set; } = new uint[16];

    public float[] Weights { get; private set; } = new float[16];

    /// <summary>For each posting list searched, the place of its dimension.</summary>
    public int[] Places { get; private set; } = new int[16];

    public int Count { get; private set; }

    /// <summary>Sum of the weights' absolute values.</summary>
    public double AbsoluteSum { get; private set; }

    /// <summary>This thread's object, or a new one where it is in use.</summary>
    /// <exception cref="GranaryException">The lengths differ or a dimension repeats.</exception>
    public static SparseQuery Rent(ReadOnlySpan<uint> indices, ReadOnlySpan<float> values)
    {
        if (indices.Length != values.Length)
            throw GranaryException.Validation($"indices: {indices.Length} of them, but {values.Length} values");
        var query = _idle ?? new SparseQuery();
        _idle = null;
        if (query.Dimensions.Length < indices.Length)
        {
            query.Dimensions = new uint[indices.Length * 2];
            query.Weights = new float[indices.Length * 2];
            query.Places = new int[indices.Length * 2];
        }

        query.Count = indices.Length;
        indices.CopyTo(query.Dimensions);
        values.CopyTo(query.Weights);
        query.Dimensions.AsSpan(0, query.Count).Sort(query.Weights.AsSpan(0, query.Count));
        for (var i = 1; i < query.Count; i++)
        {
            if (query.Dimensions[i] == query.Dimensions[i - 1])
                throw GranaryException.Validation($"indices: must be unique, {query.Dimensions[i]} is there twice");
        }

        return query;
    }

    /// <summary>Gives it back to its thread, unless it is very large.</summary>
    public static void Return(SparseQuery query) => _idle = query.Dimensions.Length <= MostKept ? query : null;

    /// <summary>Makes what follows from the weights, once they are final.</summary>
    public void Finish()
    {
        AbsoluteSum = 0;
        foreach (var weight in Weights.AsSpan(0, Count))
            AbsoluteSum += Math.Abs(weight);
    }

    /// <summary>The dot product with a row, added in ascending order of dimensions.</summary>
    public double Dot(SparseRow row, out bool shared)
    {
        var sum = 0.0;
        shared = false;
        for (int i = 0, j = 0; i < Count && j < row.Indices.Length;)
        {
            var dimension = row.Indices[j];
            if (Dimensions[i] == dimension)
            {
                sum += (double)Weights[i++] * row.Values[j++];
                shared = true;
            }
            else if (Dimensions[i] < dimension)
            {
                i++;
            }
            else
            {
                j++;
            }
        }

        return sum;
    }
}
