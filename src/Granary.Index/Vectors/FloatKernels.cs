using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Granary.Index.Vectors;

/// <summary>
/// Dot product, squared Euclidean and Manhattan distance of float32 vectors, bit-equal on every instruction set: element i goes to
/// virtual lane i mod 32, each lane is summed in order (with fused multiply-add), and the lanes are folded in halves: 16, 8, 4, 2, 1.
/// </summary>
internal static unsafe partial class FloatKernels
{
    /// <summary>Virtual lanes.</summary>
    public const int Lanes = 32;

    /// <summary>The dot product of two vectors of <paramref name="n"/> floats.</summary>
    public static float Dot(float* a, float* b, int n) => Run<DotStep>(a, b, n);

    /// <summary>The squared Euclidean distance of two vectors of <paramref name="n"/> floats.</summary>
    public static float SquaredEuclid(float* a, float* b, int n) => Run<EuclidStep>(a, b, n);

    /// <summary>The Manhattan distance of two vectors of <paramref name="n"/> floats.</summary>
    public static float Manhattan(float* a, float* b, int n) => Run<ManhattanStep>(a, b, n);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Run<TStep>(float* a, float* b, int n)
        where TStep : struct, IStep
    {
        if (Avx512F.IsSupported)
            return Run512<TStep>(a, b, n);
        if (Fma.IsSupported && Avx2.IsSupported)
            return Run256<TStep>(a, b, n);
        return Vector128.IsHardwareAccelerated ? Run128<TStep>(a, b, n) : RunPortable<TStep>(a, b, n);
    }

    /// <summary>
    /// Reads only a[0..n) and b[0..n): whole registers while 32 elements are left, masked loads or a copied tail after that.
    /// </summary>
    internal static float Run512<TStep>(float* a, float* b, int n)
        where TStep : struct, IStep
    {
        var low = Vector512<float>.Zero;
        var high = Vector512<float>.Zero;
        var i = 0;
        for (; i <= n - Lanes; i += Lanes)
        {
            low = TStep.Add(low, Vector512.Load(a + i), Vector512.Load(b + i));
            high = TStep.Add(high, Vector512.Load(a + i + 16), Vector512.Load(b + i + 16));
        }

        if (i + 16 <= n)
        {
            low = TStep.Add(low, Vector512.Load(a + i), Vector512.Load(b + i));
            i += 16;
            if (i < n)
                high = TStep.Add(high, Masked512(a + i, n - i), Masked512(b + i, n - i));
        }
        else if (i < n)
        {
            low = TStep.Add(low, Masked512(a + i, n - i), Masked512(b + i, n - i));
        }

        var sixteen = low + high;
        return Fold(sixteen.GetLower() + sixteen.GetUpper());
    }

    /// <summary>As <see cref="Run512"/>, with four registers of eight.</summary>
    internal static float Run256<TStep>(float* a, float* b, int n)
        where TStep : struct, IStep
    {
        var s0 = Vector256<float>.Zero;
        var s1 = Vector256<float>.Zero;
        var s2 = Vector256<float>.Zero;
        var s3 = Vector256<float>.Zero;
        var i = 0;
        for (; i <= n - Lanes; i += Lanes)
        {
            s0 = TStep.Add(s0, Vector256.Load(a + i), Vector256.Load(b + i));
            s1 = TStep.Add(s1, Vector256.Load(a + i + 8), Vector256.Load(b + i + 8));
            s2 = TStep.Add(s2, Vector256.Load(a + i + 16), Vector256.Load(b + i + 16));
            s3 = TStep.Add(s3, Vector256.Load(a + i + 24), Vector256.Load(b + i + 24));
        }

        if (i < n)
        {
            var x = stackalloc float[Lanes];
            var y = stackalloc float[Lanes];
            CopyTail(a + i, b + i, n - i, x, y);
            s0 = TStep.Add(s0, Vector256.Load(x), Vector256.Load(y));
            s1 = TStep.Add(s1, Vector256.Load(x + 8), Vector256.Load(y + 8));
            s2 = TStep.Add(s2, Vector256.Load(x + 16), Vector256.Load(y + 16));
            s3 = TStep.Add(s3, Vector256.Load(x + 24), Vector256.Load(y + 24));
        }

        return Fold((s0 + s2) + (s1 + s3));
    }

    /// <summary>As <see cref="Run512"/>, with eight registers of four.</summary>
    internal static float Run128<TStep>(float* a, float* b, int n)
        where TStep : struct, IStep
    {
        var s0 = Vector128<float>.Zero;
        var s1 = s0;
        var s2 = s0;
        var s3 = s0;
        var s4 = s0;
        var s5 = s0;
        var s6 = s0;
        var s7 = s0;
        var x = stackalloc float[Lanes];
        var y = stackalloc float[Lanes];
        for (var i = 0; i < n; i += Lanes)
        {
            var p = a + i;
            var q = b + i;
            if (n - i < Lanes)
            {
                CopyTail(p, q, n - i, x, y);
                p = x;
                q = y;
            }

            s0 = TStep.Add(s0, Vector128.Load(p), Vector128.Load(q));
            s1 = TStep.Add(s1, Vector128.Load(p + 4), Vector128.Load(q + 4));
            s2 = TStep.Add(s2, Vector128.Load(p + 8), Vector128.Load(q + 8));
            s3 = TStep.Add(s3, Vector128.Load(p + 12), Vector128.Load(q + 12));
            s4 = TStep.Add(s4, Vector128.Load(p + 16), Vector128.Load(q + 16));
            s5 = TStep.Add(s5, Vector128.Load(p + 20), Vector128.Load(q + 20));
            s6 = TStep.Add(s6, Vector128.Load(p + 24), Vector128.Load(q + 24));
            s7 = TStep.Add(s7, Vector128.Load(p + 28), Vector128.Load(q + 28));
        }

        // Lane i meets lane i+16, then i+8: the same tree as the wider paths.
        return Fold(((s0 + s4) + (s2 + s6)) + ((s1 + s5) + (s3 + s7)));
    }

    /// <summary>The definition the other paths must equal.</summary>
    internal static float RunPortable<TStep>(float* a, float* b, int n)
        where TStep : struct, IStep
    {
        var lanes = stackalloc float[Lanes];
        new Span<float>(lanes, Lanes).Clear();
        for (var i = 0; i < n; i++)
            lanes[i & (Lanes - 1)] = TStep.Add(lanes[i & (Lanes - 1)], a[i], b[i]);
        for (var width = Lanes / 2; width > 0; width /= 2)
        {
            for (var i = 0; i < width; i++)
                lanes[i] += lanes[i + width];
        }

        return lanes[0];
    }

    private static float Fold(Vector256<float> eight) => Fold(eight.GetLower() + eight.GetUpper());

    private static float Fold(Vector128<float> four)
    {
        var two = four + Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1));
        return two.GetElement(0) + two.GetElement(1);
    }

    // Reads p[0..count), count below 16; absent lanes are zero, and adding a zero leaves a lane as it was (no lane is ever -0).
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Masked512(float* p, int count) =>
        Avx512F.MaskLoad(
            p, Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(count)).AsSingle(), Vector512<float>.Zero);

    private static void CopyTail(float* a, float* b, int count, float* x, float* y)
    {
        new Span<float>(x, Lanes).Clear();
        new Span<float>(y, Lanes).Clear();
        new ReadOnlySpan<float>(a, count).CopyTo(new Span<float>(x, Lanes));
        new ReadOnlySpan<float>(b, count).CopyTo(new Span<float>(y, Lanes));
    }
}
