using System.Runtime.InteropServices;
using Granary.Http.Hosting;
using Granary.Index.Operations;

namespace Granary.Http.Requests;

/// <summary>Checks sparse vectors and brings them into order.</summary>
internal static class SparseVectors
{
    /// <summary>Writes a sparse vector, dimensions ascending.</summary>
    public static void Write(OperationWriter operations, string name, List<uint> indices, List<float> values, string path)
    {
        Sort(indices, values, path);
        operations.Sparse(name, CollectionsMarshal.AsSpan(indices), CollectionsMarshal.AsSpan(values));
    }

    /// <summary>Sorts by dimension; refuses unequal lengths and repeated dimensions.</summary>
    public static void Sort(List<uint> indices, List<float> values, string path)
    {
        if (indices.Count != values.Count)
            throw ApiException.Invalid($"{path}.values", "Validation error: must be the same length as indices [{}]");
        var keys = CollectionsMarshal.AsSpan(indices);
        var sorted = true;
        for (var i = 1; i < keys.Length && sorted; i++)
            sorted = keys[i - 1] < keys[i];
        if (sorted)
            return;
        keys.Sort(CollectionsMarshal.AsSpan(values));
        for (var i = 1; i < keys.Length; i++)
        {
            if (keys[i - 1] == keys[i])
                throw ApiException.Invalid($"{path}.indices", "Validation error: must be unique [{}]");
        }
    }
}
