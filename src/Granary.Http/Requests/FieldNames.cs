using System.Text;
using Granary.Collections;
using Granary.Index;

namespace Granary.Http.Requests;

/// <summary>Finds a collection's vectors by the bytes of their names.</summary>
internal sealed class FieldNames
{
    private readonly (byte[] Name, DenseVectorSchema Field)[] _dense;
    private readonly (byte[] Name, SparseVectorSchema Field)[] _sparse;

    private readonly DenseVectorSchema[] _bytes;

    /// <summary>Takes the names from a collection's settings.</summary>
    public FieldNames(CollectionConfig config)
    {
        var schema = config.Schema;
        _bytes = [.. schema.Dense.Where(f => DeclaredVectors.Datatype(config, f.Name) == "uint8")];
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

    /// <summary>Whether the vector was declared to hold bytes.</summary>
    public bool IsBytes(DenseVectorSchema field) => _bytes.Length > 0 && _bytes.Contains(field);

    /// <summary>Makes of each value the byte that Qdrant would store.</summary>
    public static void Truncate(Span<float> values)
    {
        foreach (ref var value in values)
            value = (byte)Math.Clamp(value, 0, 255);
    }
}
