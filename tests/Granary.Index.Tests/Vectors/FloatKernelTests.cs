using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Granary.Index.Vectors;

namespace Granary.Index.Tests.Vectors;

public sealed unsafe class FloatKernelTests
{
    public static TheoryData<int> Sizes =>
        [1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 33, 47, 48, 63, 64, 100, 127, 128, 384, 1000, 1536, 4099, 65_535];

    [Theory]
    [MemberData(nameof(Sizes))]
    public void EveryPathGivesTheSameBits(int n)
    {
        var pair = TestVectors.Normal(2, n, n);
        fixed (float* a = pair[0])
        fixed (float* b = pair[1])
        {
            AssertSame<FloatKernels.DotStep>(a, b, n);
            AssertSame<FloatKernels.EuclidStep>(a, b, n);
            AssertSame<FloatKernels.ManhattanStep>(a, b, n);
        }
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void ResultsAgreeWithFloat64(int n)
    {
        var pair = TestVectors.Normal(2, n, n + 1);
        double dot = 0, euclid = 0, manhattan = 0, size = 0;
        for (var i = 0; i < n; i++)
        {
            double x = pair[0][i], y = pair[1][i];
            dot += x * y;
            size += Math.Abs(x * y);
            euclid += (x - y) * (x - y);
            manhattan += Math.Abs(x - y);
        }

        fixed (float* a = pair[0])
        fixed (float* b = pair[1])
        {
            Assert.Equal(dot, FloatKernels.Dot(a, b, n), 1e-5 * size);
            Assert.Equal(euclid, FloatKernels.SquaredEuclid(a, b, n), 1e-5 * euclid);
            Assert.Equal(manhattan, FloatKernels.Manhattan(a, b, n), 1e-5 * manhattan);
        }
    }

    private static void AssertSame<TStep>(float* a, float* b, int n)
        where TStep : struct, FloatKernels.IStep
    {
        var portable = BitConverter.SingleToUInt32Bits(FloatKernels.RunPortable<TStep>(a, b, n));
        Assert.Equal(portable, BitConverter.SingleToUInt32Bits(FloatKernels.Run128<TStep>(a, b, n)));
        if (Vector256.IsHardwareAccelerated)
            Assert.Equal(portable, BitConverter.SingleToUInt32Bits(FloatKernels.Run256<TStep>(a, b, n)));
        if (Avx512F.IsSupported)
            Assert.Equal(portable, BitConverter.SingleToUInt32Bits(FloatKernels.Run512<TStep>(a, b, n)));
    }
}
