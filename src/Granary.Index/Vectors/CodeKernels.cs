using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Granary.Index.Vectors;

/// <summary>
/// Dot products of an int16 target with int8 codes, exact in int32 on every instruction set. Lengths are multiples of
/// <see cref="Block"/>; the target is zero past its dimensions, so whatever lies there in a code row does not count.
/// </summary>
internal static unsafe class CodeKernels
{
    /// <summary>Codes are processed in blocks of this many.</summary>
    public const int Block = 32;

    /// <summary>The dot product. Reads target[0..n) and codes[0..n), n a multiple of <see cref="Block"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Dot(short* target, sbyte* codes, int n)
    {
        if (Avx512BW.IsSupported)
            return Dot512(target, codes, n);
        if (AvxVnni.IsSupported)
            return DotVnni(target, codes, n);
        if (Avx2.IsSupported)
            return Dot256(target, codes, n);
        return AdvSimd.IsSupported ? DotNeon(target, codes, n) : DotPortable(target, codes, n);
    }

    /// <summary>AVX-512BW: vpmovsxbw and vpmaddwd.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int Dot512(short* target, sbyte* codes, int n)
    {
        var sum = Vector512<int>.Zero;
        for (var i = 0; i < n; i += Block)
        {
            var x = Avx512BW.ConvertToVector512Int16(Vector256.Load(codes + i));
            sum += Avx512BW.MultiplyAddAdjacent(Vector512.Load(target + i), x);
        }

        return Vector512.Sum(sum);
    }

    /// <summary>Four rows at once: the target is loaded once and the sums are folded together.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<int> Dot512(short* target, sbyte* a, sbyte* b, sbyte* c, sbyte* d, int n)
    {
        var s0 = Vector512<int>.Zero;
        var s1 = Vector512<int>.Zero;
        var s2 = Vector512<int>.Zero;
        var s3 = Vector512<int>.Zero;
        for (var i = 0; i < n; i += Block)
        {
            var t = Vector512.Load(target + i);
            s0 += Avx512BW.MultiplyAddAdjacent(t, Avx512BW.ConvertToVector512Int16(Vector256.Load(a + i)));
            s1 += Avx512BW.MultiplyAddAdjacent(t, Avx512BW.ConvertToVector512Int16(Vector256.Load(b + i)));
            s2 += Avx512BW.MultiplyAddAdjacent(t, Avx512BW.ConvertToVector512Int16(Vector256.Load(c + i)));
            s3 += Avx512BW.MultiplyAddAdjacent(t, Avx512BW.ConvertToVector512Int16(Vector256.Load(d + i)));
        }

        return Fold4(
            s0.GetLower() + s0.GetUpper(), s1.GetLower() + s1.GetUpper(), s2.GetLower() + s2.GetUpper(), s3.GetLower() + s3.GetUpper());
    }

    /// <summary>AVX-VNNI: vpmovsxbw and vpdpwssd.</summary>
    internal static int DotVnni(short* target, sbyte* codes, int n)
    {
        var low = Vector256<int>.Zero;
        var high = Vector256<int>.Zero;
        for (var i = 0; i < n; i += Block)
        {
            low = AvxVnni.MultiplyWideningAndAdd(low, Vector256.Load(target + i), Avx2.ConvertToVector256Int16(Vector128.Load(codes + i)));
            high = AvxVnni.MultiplyWideningAndAdd(
                high, Vector256.Load(target + i + 16), Avx2.ConvertToVector256Int16(Vector128.Load(codes + i + 16)));
        }

        return Vector256.Sum(low + high);
    }

    /// <summary>AVX2: vpmovsxbw and vpmaddwd.</summary>
    internal static int Dot256(short* target, sbyte* codes, int n)
    {
        var low = Vector256<int>.Zero;
        var high = Vector256<int>.Zero;
        for (var i = 0; i < n; i += Block)
        {
            low += Avx2.MultiplyAddAdjacent(Vector256.Load(target + i), Avx2.ConvertToVector256Int16(Vector128.Load(codes + i)));
            high += Avx2.MultiplyAddAdjacent(Vector256.Load(target + i + 16), Avx2.ConvertToVector256Int16(Vector128.Load(codes + i + 16)));
        }

        return Vector256.Sum(low + high);
    }

    /// <summary>NEON: sxtl and smlal.</summary>
    internal static int DotNeon(short* target, sbyte* codes, int n)
    {
        var low = Vector128<int>.Zero;
        var high = Vector128<int>.Zero;
        for (var i = 0; i < n; i += 8)
        {
            var x = AdvSimd.SignExtendWideningLower(Vector64.Load(codes + i));
            var t = Vector128.Load(target + i);
            low = AdvSimd.MultiplyWideningLowerAndAdd(low, t.GetLower(), x.GetLower());
            high = AdvSimd.MultiplyWideningLowerAndAdd(high, t.GetUpper(), x.GetUpper());
        }

        return Vector128.Sum(low + high);
    }

    /// <summary>The definition the other paths must equal.</summary>
    internal static int DotPortable(short* target, sbyte* codes, int n)
    {
        var sum = 0;
        for (var i = 0; i < n; i++)
            sum += target[i] * codes[i];
        return sum;
    }

    // Sums of the lanes of four registers, as one register: a transposed tree of horizontal additions.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<int> Fold4(Vector256<int> a, Vector256<int> b, Vector256<int> c, Vector256<int> d)
    {
        var x = Avx2.HorizontalAdd(Avx2.HorizontalAdd(a, b), Avx2.HorizontalAdd(c, d));
        return x.GetLower() + x.GetUpper();
    }
}
