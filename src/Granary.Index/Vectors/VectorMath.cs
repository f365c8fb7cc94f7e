using System.Runtime.CompilerServices;

namespace Granary.Index.Vectors;

/// <summary>What the distances have in common: sizes, normalising, and keys, which are smaller where a vector is nearer.</summary>
internal static unsafe class VectorMath
{
    /// <summary>Refuses a vector of another size.</summary>
    public static void CheckSize(int expected, int actual)
    {
        if (expected != actual)
            throw GranaryException.BadInput($"Vector dimension error: expected dim: {expected}, got {actual}");
    }

    /// <summary>Rows of a matrix of <paramref name="length"/> values; refuses an empty or ragged one.</summary>
    public static int CountRows(int size, int length)
    {
        if (length == 0 || length % size != 0)
            throw GranaryException.BadInput($"Vector dimension error: expected a multiple of dim: {size}, got {length} values");
        return length / size;
    }

    /// <summary>
    /// Copies a vector as it is stored: of unit length where the distance is cosine (the sum of squares in float64, in order). A vector
    /// without length stays zero, and has similarity 0 to everything.
    /// </summary>
    public static void Copy(ReadOnlySpan<float> vector, Distance distance, Span<float> stored)
    {
        if (distance != Distance.Cosine)
        {
            vector.CopyTo(stored);
            return;
        }

        double squares = 0;
        foreach (var value in vector)
            squares += (double)value * value;
        if (squares == 0)
        {
            stored[..vector.Length].Clear();
            return;
        }

        var length = Math.Sqrt(squares);
        for (var i = 0; i < vector.Length; i++)
            stored[i] = (float)(vector[i] / length);
    }

    /// <summary>The key of two vectors, in the order of the scores a caller sees: ties of keys are ties of scores.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Key(Distance distance, float* a, float* b, int size) => distance switch
    {
        Distance.Euclid => MathF.Sqrt(FloatKernels.SquaredEuclid(a, b, size)),
        Distance.Manhattan => FloatKernels.Manhattan(a, b, size),
        _ => 0f - FloatKernels.Dot(a, b, size),
    };

    /// <summary>The score a caller sees.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Score(Distance distance, float key) => distance.HigherIsNearer() ? 0f - key : key;
}
