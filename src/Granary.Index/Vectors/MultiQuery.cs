namespace Granary.Index.Vectors;

/// <summary>A query matrix prepared once: each row normalised where the distance is cosine.</summary>
public sealed class MultiQuery
{
    private readonly float[] _values;

    /// <summary>Prepares a matrix given row after row.</summary>
    /// <exception cref="GranaryException">It is empty or not a whole number of rows, or one is too long
    /// (<see cref="VectorNorm"/>).</exception>
    public MultiQuery(DenseVectorSchema schema, ReadOnlySpan<float> matrix)
    {
        Rows = VectorMath.CountRows(schema.Size, matrix.Length);
        Size = schema.Size;
        Distance = schema.Distance;
        if (!VectorNorm.Fits(Distance, matrix, Size))
            throw VectorNorm.TooLong("A row of the query");
        _values = GC.AllocateUninitializedArray<float>(matrix.Length, pinned: true);
        for (var i = 0; i < matrix.Length; i += Size)
            VectorMath.Copy(matrix.Slice(i, Size), Distance, _values.AsSpan(i, Size));
    }

    /// <summary>Dimensions of a row.</summary>
    public int Size { get; }

    /// <summary>Rows.</summary>
    public int Rows { get; }

    /// <summary>The comparison it was prepared for.</summary>
    public Distance Distance { get; }

    /// <summary>The values compared.</summary>
    public ReadOnlySpan<float> Values => _values;
}
