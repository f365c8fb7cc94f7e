using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Granary.Index.Vectors;

/// <summary>
/// A query prepared once for all partitions: normalised where the distance is cosine, with its integer form for walking on codes.
/// It may be used by several searches at a time, and set anew between them.
/// </summary>
public sealed unsafe class DenseQuery
{
    private readonly float[] _values;
    private readonly byte[] _target;

    /// <summary>Prepares a query.</summary>
    /// <exception cref="GranaryException">The vector has not the field's size, or is too long (<see cref="VectorNorm"/>).</exception>
    public DenseQuery(DenseVectorSchema schema, ReadOnlySpan<float> vector)
        : this(schema) => Set(vector);

    /// <summary>Room for a query, to be set.</summary>
    internal DenseQuery(DenseVectorSchema schema)
    {
        Size = schema.Size;
        Distance = schema.Distance;
        _values = GC.AllocateUninitializedArray<float>(Size, pinned: true);
        _target = GC.AllocateUninitializedArray<byte>(RowCode.TargetBytes(Size), pinned: true);
    }

    /// <summary>Dimensions.</summary>
    public int Size { get; }

    /// <summary>The comparison it was prepared for.</summary>
    public Distance Distance { get; }

    /// <summary>The values compared: normalised where the distance is cosine.</summary>
    public ReadOnlySpan<float> Values => _values;

    /// <summary>The pinned values.</summary>
    internal float* Pointer => (float*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_values));

    /// <summary>The pinned integer form (<see cref="RowCode"/>).</summary>
    internal byte* Target => (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_target));

    /// <summary>Prepares another vector; no search may be using this object.</summary>
    /// <exception cref="GranaryException">The vector has not the field's size, or is too long (<see cref="VectorNorm"/>).</exception>
    public void Set(ReadOnlySpan<float> vector)
    {
        SetExact(vector);
        RowCode.Prepare(_values, Distance == Distance.Euclid, Target);
    }

    /// <summary>The same where nothing but originals is going to be compared.</summary>
    internal void SetExact(ReadOnlySpan<float> vector)
    {
        VectorMath.CheckSize(Size, vector.Length);
        if (!VectorNorm.Fits(Distance, vector, Size))
            throw VectorNorm.TooLong("The query vector");
        VectorMath.Copy(vector, Distance, _values);
    }
}
