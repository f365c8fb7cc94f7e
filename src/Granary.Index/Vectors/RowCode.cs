using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Granary.Index.Vectors;

/// <summary>
/// The int8 code of a row: value i is <c>code[i] * scale</c>, scale = max|v| / 127, and beside the codes, in the row's last eight bytes,
/// the scale and (for Euclid) the squared norm of the decoded row, so that one fetch brings all a distance needs. A target is the other
/// side of a distance, in int16: 64 bytes of header (factor, norm), then the values padded with zeros.
/// The distance is <c>row.norm + target.norm - target.factor * row.scale * dot</c>, smaller is nearer.
/// </summary>
internal static unsafe class RowCode
{
    /// <summary>Bytes before a target's values.</summary>
    public const int TargetHeader = 64;

    private const int RowHeader = 8;
    private const int Limit = 127;

    /// <summary>Dimensions rounded up to the kernels' block.</summary>
    public static int Padded(int size) => (size + CodeKernels.Block - 1) & -CodeKernels.Block;

    /// <summary>Bytes of a code row: what the kernels read, and the header, which may lie in it.</summary>
    public static int Stride(int size) => Math.Max(Padded(size), (size + (2 * RowHeader) - 1) & -RowHeader);

    /// <summary>Bytes of a target.</summary>
    public static int TargetBytes(int size) => TargetHeader + (Padded(size) * sizeof(short));

    /// <summary>Writes the code row of a vector.</summary>
    public static void Encode(ReadOnlySpan<float> vector, bool euclid, byte* row)
    {
        var stride = Stride(vector.Length);
        var codes = (sbyte*)row;
        var max = MaxMagnitude(vector);
        var inverse = max > 0 ? Limit / max : 0f;
        var scale = max > 0 ? max / Limit : 0f;
        long squares = 0;
        if (!float.IsFinite(inverse))
        {
            // Subnormal magnitudes: nothing is lost by treating them as zero while walking; rescoring uses the originals.
            inverse = 0;
            scale = 0;
        }

        for (var i = 0; i < vector.Length; i++)
        {
            // |v| * (127 / max|v|) is below 127.5, so the rounded value needs no clamp.
            var code = (int)MathF.Round(vector[i] * inverse);
            codes[i] = (sbyte)code;
            squares += code * code;
        }

        new Span<byte>(row + vector.Length, stride - vector.Length).Clear();
        var header = (float*)(row + stride - RowHeader);
        header[0] = scale;
        header[1] = euclid ? (float)((double)scale * scale * squares) : 0f;
    }

    /// <summary>Writes the target of a query: as many bits as the int32 sum allows.</summary>
    public static void Prepare(ReadOnlySpan<float> vector, bool euclid, byte* target)
    {
        var values = (short*)(target + TargetHeader);
        var limit = (int)Math.Min(short.MaxValue, int.MaxValue / ((long)Limit * vector.Length));
        var max = MaxMagnitude(vector);
        var inverse = max > 0 ? limit / max : 0f;
        var scale = max > 0 ? max / limit : 0f;
        if (!float.IsFinite(inverse))
        {
            inverse = 0;
            scale = 0;
        }

        long squares = 0;
        for (var i = 0; i < vector.Length; i++)
        {
            var value = Math.Clamp((int)MathF.Round(vector[i] * inverse), -limit, limit);
            values[i] = (short)value;
            squares += (long)value * value;
        }

        new Span<short>(values + vector.Length, Padded(vector.Length) - vector.Length).Clear();
        WriteHeader(target, scale, euclid, (float)((double)scale * scale * squares));
    }

    /// <summary>Writes the values that a target stands for.</summary>
    public static void Decode(byte* target, int size, bool euclid, float* values)
    {
        var scale = ((float*)target)[0] * (euclid ? 0.5f : 1f);
        var from = (short*)(target + TargetHeader);
        for (var i = 0; i < size; i++)
            values[i] = from[i] * scale;
    }

    /// <summary>Makes a target of a code row.</summary>
    public static void Widen(byte* row, int size, bool euclid, byte* target)
    {
        var values = (short*)(target + TargetHeader);
        var codes = (sbyte*)row;
        var padded = Padded(size);
        for (var i = 0; i < padded; i += CodeKernels.Block)
        {
            var (low, high) = Vector256.Widen(Vector256.Load(codes + i));
            low.Store(values + i);
            high.Store(values + i + Vector256<short>.Count);
        }

        new Span<short>(values + size, padded - size).Clear();
        var header = Header(row, size);
        WriteHeader(target, header[0], euclid, header[1]);
    }

    /// <summary>The distance of a target to a code row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Distance(byte* target, byte* row, int padded, int headerOffset)
    {
        var dot = CodeKernels.Dot((short*)(target + TargetHeader), (sbyte*)row, padded);
        return Combine(target, row + headerOffset, dot);
    }

    /// <summary>Makes a distance of a dot product.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Combine(byte* target, byte* header, int dot) =>
        ((float*)header)[1] + ((float*)target)[1] - (((float*)target)[0] * ((float*)header)[0] * dot);

    /// <summary>Makes distances of the dot products of four rows, whose headers are given.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Combine(byte* target, byte* a, byte* b, byte* c, byte* d, Vector128<int> dots)
    {
        // Scale and norm side by side, of two rows a register; then the scales of all and the norms of all.
        var low = Vector128.Create(*(long*)a, *(long*)b).AsSingle();
        var high = Vector128.Create(*(long*)c, *(long*)d).AsSingle();
        var scales = Sse.Shuffle(low, high, 0b10_00_10_00);
        var norms = Sse.Shuffle(low, high, 0b11_01_11_01);
        var factor = Vector128.Create(((float*)target)[0]);
        return norms + Vector128.Create(((float*)target)[1]) - (factor * scales * Vector128.ConvertToSingle(dots));
    }

    /// <summary>Where a code row's scale and norm stand.</summary>
    public static int HeaderOffset(int size) => Stride(size) - RowHeader;

    private static float* Header(byte* row, int size) => (float*)(row + HeaderOffset(size));

    private static void WriteHeader(byte* target, float scale, bool euclid, float norm)
    {
        ((float*)target)[0] = euclid ? 2 * scale : scale;
        ((float*)target)[1] = euclid ? norm : 0f;
    }

    private static float MaxMagnitude(ReadOnlySpan<float> vector)
    {
        var max = 0f;
        var i = 0;
        if (vector.Length >= Vector256<float>.Count)
        {
            var largest = Vector256<float>.Zero;
            for (; i <= vector.Length - Vector256<float>.Count; i += Vector256<float>.Count)
                largest = Vector256.Max(largest, Vector256.Abs(Vector256.Create(vector[i..])));
            for (var lane = 0; lane < Vector256<float>.Count; lane++)
                max = MathF.Max(max, largest[lane]);
        }

        for (; i < vector.Length; i++)
            max = MathF.Max(max, MathF.Abs(vector[i]));
        return max;
    }
}
