using System.Runtime.Intrinsics;

namespace Granary.Index.Vectors;

/// <summary>
/// How long a vector may be: the sum of its squares must be a float32, or distances to it are infinite or not numbers at all. Cosine
/// vectors are normalised in float64 and may have any length.
/// </summary>
public static class VectorNorm
{
    /// <summary>
    /// Whether every row of a vector or matrix is short enough for a distance; a row with a value that is not finite never is.
    /// </summary>
    /// <param name="distance">The comparison.</param>
    /// <param name="values">Row after row.</param>
    /// <param name="size">Dimensions of a row.</param>
    public static bool Fits(Distance distance, ReadOnlySpan<float> values, int size)
    {
        if (distance == Distance.Cosine)
            return true;
        for (var i = 0; i < values.Length; i += size)
        {
            if (!Fits(values.Slice(i, size)))
                return false;
        }

        return true;
    }

    /// <summary>What is said of one that is too long.</summary>
    public static GranaryException TooLong(string what) =>
        GranaryException.BadInput($"{what} is too long: the sum of the squares of its values must be at most {float.MaxValue}");

    private static bool Fits(ReadOnlySpan<float> row)
    {
        // Eight lanes whatever the machine has, so that every replica decides alike. NaN compares as false.
        var sums = Vector256<float>.Zero;
        var i = 0;
        for (; i <= row.Length - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            var values = Vector256.Create(row[i..]);
            sums += values * values;
        }

        double total = 0;
        for (var lane = 0; lane < Vector256<float>.Count; lane++)
            total += sums[lane];
        for (; i < row.Length; i++)
            total += (double)row[i] * row[i];
        return total <= float.MaxValue;
    }
}
