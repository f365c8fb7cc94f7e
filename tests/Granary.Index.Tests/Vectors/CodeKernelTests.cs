using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using Granary.Index.Vectors;

namespace Granary.Index.Tests.Vectors;

public sealed unsafe class CodeKernelTests
{
    [Theory]
    [InlineData(32)]
    [InlineData(64)]
    [InlineData(96)]
    [InlineData(416)]
    [InlineData(65_536)]
    public void EveryPathIsExact(int n)
    {
        var random = new Random(n);
        var target = (short*)NativeMemory.AlignedAlloc((nuint)n * sizeof(short), 64);
        var codes = (sbyte*)NativeMemory.AlignedAlloc((nuint)n, 64);
        var limit = Math.Min(short.MaxValue, int.MaxValue / (127 * n));
        long exact = 0;
        for (var i = 0; i < n; i++)
        {
            target[i] = (short)random.Next(-limit, limit + 1);
            codes[i] = (sbyte)random.Next(-127, 128);
            exact += target[i] * codes[i];
        }

        Assert.Equal(exact, CodeKernels.Dot(target, codes, n));
        Assert.Equal(exact, CodeKernels.DotPortable(target, codes, n));
        if (Avx2.IsSupported)
            Assert.Equal(exact, CodeKernels.Dot256(target, codes, n));
        if (AvxVnni.IsSupported)
            Assert.Equal(exact, CodeKernels.DotVnni(target, codes, n));
        if (AdvSimd.IsSupported)
            Assert.Equal(exact, CodeKernels.DotNeon(target, codes, n));
        if (Avx512BW.IsSupported)
        {
            Assert.Equal(exact, CodeKernels.Dot512(target, codes, n));
            Assert.All(Enumerable.Range(0, 4), i => Assert.Equal(exact, CodeKernels.Dot512(target, codes, codes, codes, codes, n)[i]));
        }

        NativeMemory.AlignedFree(target);
        NativeMemory.AlignedFree(codes);
    }

    [Fact]
    public void TheSumHoldsTheLargestTargetAndCodes()
    {
        const int Size = DenseVectorSchema.MaxSize;
        var ones = Enumerable.Repeat(1f, Size).ToArray();
        var row = (byte*)NativeMemory.AlignedAlloc((nuint)RowCode.Stride(Size), 64);
        var target = (byte*)NativeMemory.AlignedAlloc((nuint)RowCode.TargetBytes(Size), 64);
        RowCode.Encode(ones, euclid: false, row);
        RowCode.Prepare(ones, euclid: false, target);
        Assert.Equal(-Size, RowCode.Distance(target, row, RowCode.Padded(Size), RowCode.HeaderOffset(Size)), Size * 1e-4);
        NativeMemory.AlignedFree(row);
        NativeMemory.AlignedFree(target);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(23)]
    [InlineData(24)]
    [InlineData(25)]
    [InlineData(100)]
    [InlineData(128)]
    [InlineData(384)]
    public void CodedDistancesAreNearTheRealOnes(int size)
    {
        var pair = TestVectors.Normal(2, size, size);
        var row = (byte*)NativeMemory.AlignedAlloc((nuint)RowCode.Stride(size), 64);
        var target = (byte*)NativeMemory.AlignedAlloc((nuint)RowCode.TargetBytes(size), 64);
        double dot = 0, euclid = 0, norms = 0;
        for (var i = 0; i < size; i++)
        {
            dot += pair[0][i] * (double)pair[1][i];
            euclid += Math.Pow(pair[0][i] - (double)pair[1][i], 2);
            norms += (pair[0][i] * (double)pair[0][i]) + (pair[1][i] * (double)pair[1][i]);
        }

        foreach (var isEuclid in new[] { false, true })
        {
            RowCode.Encode(pair[0], isEuclid, row);
            RowCode.Prepare(pair[1], isEuclid, target);
            var expected = isEuclid ? euclid : -dot;
            Assert.Equal(expected, RowCode.Distance(target, row, RowCode.Padded(size), RowCode.HeaderOffset(size)), norms * 0.02);
            RowCode.Encode(pair[1], isEuclid, row);
            RowCode.Widen(row, size, isEuclid, target);
            RowCode.Encode(pair[0], isEuclid, row);
            Assert.Equal(expected, RowCode.Distance(target, row, RowCode.Padded(size), RowCode.HeaderOffset(size)), norms * 0.02);
        }

        NativeMemory.AlignedFree(row);
        NativeMemory.AlignedFree(target);
    }
}
