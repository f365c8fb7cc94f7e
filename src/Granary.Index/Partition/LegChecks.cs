using System.Numerics;
using Granary.Index.Operations;

namespace Granary.Index.Partition;

/// <summary>What is refused of vectors in operations and queries, in Qdrant's words.</summary>
internal static class LegChecks
{
    /// <summary>There is no such field.</summary>
    public static GranaryException UnknownVector(string name) => GranaryException.BadInput($"Not existing vector name error: {name}");

    /// <summary>Refuses a vector of another size.</summary>
    public static void SameSize(int expected, int actual)
    {
        if (expected != actual)
            throw GranaryException.BadInput($"Vector dimension error: expected dim: {expected}, got {actual}");
    }

    /// <summary>Refuses a vector of another kind; a dense one is a matrix of one row.</summary>
    public static void SameShape(VectorKind expected, VectorKind actual, string name)
    {
        if (expected == actual || (expected == VectorKind.Multi && actual == VectorKind.Dense))
            return;
        throw WrongShape(expected == VectorKind.Sparse || actual == VectorKind.Sparse, name);
    }

    /// <summary>A vector of another kind.</summary>
    public static GranaryException WrongShape(bool sparse, string name) =>
        GranaryException.BadInput($"Conversion between {(sparse ? "sparse" : "multi")} and regular vectors failed: vector \"{name}\"");

    /// <summary>Whether no value is NaN or infinite.</summary>
    public static bool AllFinite(ReadOnlySpan<float> values)
    {
        var i = 0;
        var limit = new Vector<float>(float.MaxValue);
        for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            // A comparison with NaN is false, so one test finds NaN and infinity.
            if (!Vector.LessThanOrEqualAll(Vector.Abs(new Vector<float>(values[i..])), limit))
                return false;
        }

        for (; i < values.Length; i++)
        {
            if (!float.IsFinite(values[i]))
                return false;
        }

        return true;
    }
}
