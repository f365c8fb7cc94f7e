using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

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

        var squares = Squares(vector);
        if (squares == 0)
        {
            stored[..vector.Length].Clear();
            return;
        }

        // Each quotient is rounded on its own, whatever the register holds.
        var length = Math.Sqrt(squares);
        var lengths = Vector256.Create(length);
        var i = 0;
        for (; i <= vector.Length - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            var (low, high) = Vector256.Widen(Vector256.Create(vector[i..]));
            Vector256.Narrow(low / lengths, high / lengths).CopyTo(stored[i..]);
        }

        for (; i < vector.Length; i++)
            stored[i] = (float)(vector[i] / length);
    }

    /// <summary>The sum of squares in float64, in order.</summary>
    public static double Squares(ReadOnlySpan<float> vector)
    {
        double squares = 0;
        foreach (var value in vector)
            squares += (double)value * value;
        return squares;
    }

    /// <summary>The same of three vectors of one size: an addition waits for the one before it, but not for those of the others.</summary>
    public static (double First, double Second, double Third) Squares(
        ReadOnlySpan<float> first, ReadOnlySpan<float> second, ReadOnlySpan<float> third)
    {
        second = second[..first.Length];
        third = third[..first.Length];
        double a = 0, b = 0, c = 0;
        for (var i = 0; i < first.Length; i++)
        {
            a += (double)first[i] * first[i];
            b += (double)second[i] * second[i];
            c += (double)third[i] * third[i];
        }

        return (a, b, c);
    }

    /// <summary>Adds a vector times a factor: the product is computed in float64 and rounded, then added.</summary>
    public static void AddScaled(ReadOnlySpan<float> vector, double factor, Span<float> sums)
    {
        var factors = Vector256.Create(factor);
        var i = 0;
        for (; i <= sums.Length - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            var (low, high) = Vector256.Widen(Vector256.Create(vector[i..]));
            (Vector256.Create(sums[i..]) + Vector256.Narrow(low * factors, high * factors)).CopyTo(sums[i..]);
        }

        for (; i < sums.Length; i++)
            sums[i] += (float)(vector[i] * factor);
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
