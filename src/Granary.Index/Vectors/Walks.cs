using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Granary.Index.Memory;

namespace Granary.Index.Vectors;

/// <summary>
/// How rows are compared while the graph is walked. A target is the other side of the comparison, in the form that suits the rows.
/// </summary>
internal unsafe interface IWalk
{
    /// <summary>Bytes of a target.</summary>
    int TargetBytes { get; }

    /// <summary>Makes a target of a row.</summary>
    void Load(int row, byte* target);

    /// <summary>The form of a query that is a target.</summary>
    byte* TargetOf(DenseQuery query);

    /// <summary>Asks for a row's bytes ahead of time.</summary>
    void Prefetch(int row);

    /// <summary>Asks for the bytes of <paramref name="count"/> rows ahead of time.</summary>
    void Prefetch(int* rows, int count);

    /// <summary>The distance of a row, smaller is nearer.</summary>
    float Distance(byte* target, int row);

    /// <summary>The distances of <paramref name="count"/> rows.</summary>
    void Distances(byte* target, int* rows, int count, float* distances);

    /// <summary>The same of many rows, whose bytes nobody has asked for.</summary>
    void Scan(byte* target, int* rows, int count, float* distances);
}

/// <summary>Walks on int8 codes: cosine, dot and Euclid.</summary>
internal readonly unsafe partial struct CodeWalk(RowArena codes, int size, bool euclid) : IWalk
{
    private const int Line = 64;
    private readonly RowArena _codes = codes;
    private readonly int _size = size;
    private readonly int _padded = RowCode.Padded(size);
    private readonly int _header = RowCode.HeaderOffset(size);
    private readonly bool _euclid = euclid;

    /// <inheritdoc/>
    public int TargetBytes => RowCode.TargetBytes(_size);

    /// <inheritdoc/>
    public void Load(int row, byte* target) => RowCode.Widen(_codes.Row(row), _size, _euclid, target);

    /// <inheritdoc/>
    public byte* TargetOf(DenseQuery query) => query.Target;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Prefetch(int row)
    {
        if (!Sse.IsSupported)
            return;
        var p = _codes.Row(row);
        var end = p + _codes.Stride;
        for (; p < end; p += Line)
            Sse.Prefetch0(p);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public void Prefetch(int* rows, int count)
    {
        if (!Sse.IsSupported)
            return;
        var codes = _codes.View;
        nint stride = _codes.Stride;
        for (var i = 0; i < count; i++)
        {
            var p = codes.Row(rows[i]);
            for (nint offset = 0; offset < stride; offset += Line)
                Sse.Prefetch0(p + offset);
        }
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Distance(byte* target, int row) => RowCode.Distance(target, _codes.Row(row), _padded, _header);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public void Distances(byte* target, int* rows, int count, float* distances)
    {
        var codes = _codes.View;
        var values = (short*)(target + RowCode.TargetHeader);
        var padded = _padded;
        nint header = _header;
        var i = 0;
        if (Avx512BW.IsSupported)
        {
            for (; i <= count - 4; i += 4)
            {
                var a = codes.Row(rows[i]);
                var b = codes.Row(rows[i + 1]);
                var c = codes.Row(rows[i + 2]);
                var d = codes.Row(rows[i + 3]);
                var dots = CodeKernels.Dot512(values, (sbyte*)a, (sbyte*)b, (sbyte*)c, (sbyte*)d, padded);
                RowCode.Combine(target, a + header, b + header, c + header, d + header, dots).Store(distances + i);
            }
        }

        for (; i < count; i++)
        {
            var row = codes.Row(rows[i]);
            distances[i] = RowCode.Combine(target, row + header, CodeKernels.Dot(values, (sbyte*)row, padded));
        }
    }
}

/// <summary>Walks on the float32 originals: Manhattan, and fields without codes. Euclid is left squared.</summary>
internal readonly unsafe struct FloatWalk(RowArena vectors, int size, Distance distance) : IWalk
{
    private const int Line = 64;
    private const int PrefetchLimit = 1024;
    private const int ScanAhead = 8;
    private readonly RowArena _vectors = vectors;
    private readonly int _size = size;
    private readonly Distance _distance = distance;

    /// <inheritdoc/>
    public int TargetBytes => _size * sizeof(float);

    /// <inheritdoc/>
    public void Load(int row, byte* target) =>
        new ReadOnlySpan<byte>(_vectors.Row(row), TargetBytes).CopyTo(new Span<byte>(target, TargetBytes));

    /// <inheritdoc/>
    public byte* TargetOf(DenseQuery query) => (byte*)query.Pointer;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Prefetch(int row)
    {
        if (!Sse.IsSupported)
            return;
        var p = _vectors.Row(row);
        var end = p + Math.Min(_vectors.Stride, PrefetchLimit);
        for (; p < end; p += Line)
            Sse.Prefetch0(p);
    }

    /// <inheritdoc/>
    public void Prefetch(int* rows, int count)
    {
        for (var i = 0; i < count; i++)
            Prefetch(rows[i]);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Distance(byte* target, int row)
    {
        var a = (float*)target;
        var b = (float*)_vectors.Row(row);
        return _distance switch
        {
            Index.Distance.Euclid => FloatKernels.SquaredEuclid(a, b, _size),
            Index.Distance.Manhattan => FloatKernels.Manhattan(a, b, _size),
            _ => 0f - FloatKernels.Dot(a, b, _size),
        };
    }

    /// <inheritdoc/>
    public void Distances(byte* target, int* rows, int count, float* distances)
    {
        for (var i = 0; i < count; i++)
            distances[i] = Distance(target, rows[i]);
    }

    /// <inheritdoc/>
    public void Scan(byte* target, int* rows, int count, float* distances)
    {
        for (var i = 0; i < count; i++)
        {
            if (i + ScanAhead < count)
                Prefetch(rows[i + ScanAhead]);
            distances[i] = Distance(target, rows[i]);
        }
    }
}
