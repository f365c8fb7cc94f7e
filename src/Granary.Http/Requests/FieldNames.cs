using System.Text;
using Granary.Collections;
using Granary.Index;

namespace Granary.Http.Requests;

/// <summary>Finds a collection's vectors by the bytes of their names.</summary>
internal sealed class FieldNames
{
    private readonly (byte[] Name, DenseVectorSchema Field)[] _dense;
    private readonly (byte[] Name, SparseVectorSchema Field)[] _sparse;

    /// <summary>Takes the names from a schema.</summary>
    public FieldNames(IndexSchema schema)
    {
        _dense = [.. schema.Dense.Select(f => (Encoding.UTF8.GetBytes(f.Name), f))];
        _sparse = [.. schema.Sparse.Select(f => (Encoding.UTF8.GetBytes(f.Name), f))];
    }

    /// <summary>The dense vector of that name, or null.</summary>
    public DenseVectorSchema? Dense(ReadOnlySpan<byte> name)
    {
        foreach (var (candidate, field) in _dense)
        {
            if (name.SequenceEqual(candidate))
                return field;
        }

        return null;
    }

    /// <summary>The sparse vector of that name, or null.</summary>
    public SparseVectorSchema? Sparse(ReadOnlySpan<byte> name)
    {
        foreach (var (candidate, field) in _sparse)
        {
            if (name.SequenceEqual(candidate))
                return field;
        }

        return null;
    }

    /// <summary>The error that there is no such vector.</summary>
    public static GranaryException Unknown(ReadOnlySpan<byte> name) => Errors.VectorNotFound(Encoding.UTF8.GetString(name));
}
