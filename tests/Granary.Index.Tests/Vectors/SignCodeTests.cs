using System.Runtime.Intrinsics.X86;
using Granary.Index.Memory;
using Granary.Index.Vectors;

namespace Granary.Index.Tests.Vectors;

public sealed unsafe class SignCodeTests
{
    [Theory]
    [InlineData(200)]
    [InlineData(384)]
    [InlineData(4096)]
    public void EveryKernelAddsUpTheSame(int size)
    {
        var padded = SignCode.Padded(size);
        var random = new Random(size);
        var target = new byte[SignCode.TargetBytes(size)];
        var rows = new byte[4 * SignCode.Stride(size)];
        var turned = Enumerable.Range(0, padded).Select(_ => (float)(random.NextDouble() - 0.5)).ToArray();
        fixed (float* values = turned)
        fixed (byte* query = target, row = rows)
        {
            Assert.True(SignCode.Prepare(values, padded, 1.5f, 2f, 3f, query));
            for (var i = 0; i < 4; i++)
            {
                var other = Enumerable.Range(0, padded).Select(_ => (float)(random.NextDouble() - 0.5)).ToArray();
                fixed (float* of = other)
                    SignCode.Encode(of, padded, i, row + (i * SignCode.Stride(size)));
            }

            var ascending = (sbyte*)query + SignCode.TargetHeader;
            for (var i = 0; i < 4; i++)
            {
                var one = row + (i * SignCode.Stride(size));
                var expected = SignCode.NegativePortable(ascending, one, padded);
                if (Avx2.IsSupported)
                    Assert.Equal(expected, SignCode.Negative256(ascending, one, padded));
            }

            if (!Avx512BW.IsSupported)
                return;
            var stride = SignCode.Stride(size);
            var four = SignCode.Lower512(query, row, row + stride, row + (2 * stride), row + (3 * stride), padded);
            for (var i = 0; i < 4; i++)
                Assert.Equal(SignCode.Lower(query, row + (i * stride), padded), four[i], 1e-3f);
        }
    }

    [Theory]
    [InlineData(128)]
    [InlineData(384)]
    public void TurningKeepsLengthsAndProducts(int padded)
    {
        var turn = new SignTurn(padded);
        var vectors = TestVectors.Normal(2, padded, 7);
        var before = (Product(vectors[0], vectors[0]), Product(vectors[0], vectors[1]));
        var spare = new float[padded];
        foreach (var vector in vectors)
        {
            fixed (float* values = vector, work = spare)
                turn.Turn(values, work);
        }

        Assert.Equal(before.Item1, Product(vectors[0], vectors[0]), 1e-2);
        Assert.Equal(before.Item2, Product(vectors[0], vectors[1]), 1e-2);

        // One value alone is dealt out over many.
        var single = new float[padded];
        single[3] = 1;
        fixed (float* values = single, work = spare)
            turn.Turn(values, work);
        Assert.True(single.Max(Math.Abs) < 0.5f);
    }

    [Theory]
    [InlineData(Distance.Cosine)]
    [InlineData(Distance.Dot)]
    [InlineData(Distance.Euclid)]
    public void HardlyARowIsNearerThanIsSaid(Distance distance)
    {
        const int Count = 1024;
        const int Size = 200;
        var vectors = TestVectors.Clustered(Count, Size, 3);
        for (var i = 0; i < Count; i++)
        {
            // Nowhere near the origin, and some dimensions count for more.
            for (var j = 0; j < Size; j++)
                vectors[i][j] = (vectors[i][j] * (j < 10 ? 5 : 1)) + 2;
        }

        using var codes = new RowArena(RowCode.Stride(Size));
        var schema = new DenseVectorSchema("v", Size, distance);
        var euclid = distance == Distance.Euclid;
        for (var i = 0; i < Count; i++)
        {
            codes.Ensure(i);
            RowCode.Encode(new DenseQuery(schema, vectors[i]).Values, euclid, codes.Row(i));
        }

        using var plane = new SignPlane(codes, Size, euclid, Count);
        for (var chunk = 0; chunk < 2; chunk++)
            plane.TryMake(chunk, Count);
        Assert.Equal(Count * SignCode.Stride(Size), plane.Bytes);
        var (above, gaps, spread) = (0, 0.0, 0.0);
        var queries = TestVectors.Clustered(20, Size, 4);
        foreach (var vector in queries)
        {
            var query = new DenseQuery(schema, vector);
            var lower = Lower(plane, query, Count);
            var real = Enumerable.Range(0, Count).Select(i =>
                RowCode.Distance(query.Target, codes.Row(i), RowCode.Padded(Size), RowCode.HeaderOffset(Size))).ToArray();
            above += real.Zip(lower).Count(pair => pair.Second > pair.First);
            gaps += real.Zip(lower).Average(pair => pair.First - pair.Second);
            spread += real.Max() - real.Min();
        }

        Assert.True(above <= queries.Length * Count / 500, $"{above}");
        Assert.True(gaps < spread / 2, $"{gaps} of {spread}");
    }

    [Fact]
    public void RowsThatSayNothingAreWorthComparing()
    {
        const int Size = 256;
        using var codes = new RowArena(RowCode.Stride(Size));
        var vectors = TestVectors.Normal(600, Size, 9);
        vectors[5] = [.. vectors[5].Select(v => v * 1e25f)];
        vectors[6] = new float[Size];
        for (var i = 0; i < vectors.Length; i++)
        {
            codes.Ensure(i);
            RowCode.Encode(vectors[i], euclid: false, codes.Row(i));
        }

        using var plane = new SignPlane(codes, Size, euclid: false, 5);
        plane.TryMake(0, vectors.Length);
        plane.TryMake(1, vectors.Length);
        var query = new DenseQuery(new DenseVectorSchema("v", Size, Distance.Dot), vectors[0]);
        var lower = Lower(plane, query, vectors.Length);
        Assert.Equal(float.NegativeInfinity, lower[5]);
        Assert.All(lower[..5], l => Assert.True(float.IsFinite(l)));
        Assert.True(float.IsFinite(lower[6]));

        // The second chunk has rows that were not written yet: it was not made.
        Assert.All(lower[512..], l => Assert.Equal(float.NegativeInfinity, l));
    }

    [Theory]
    [InlineData(1e-25f)]
    [InlineData(1e25f)]
    public void AQueryWhoseSquaresAreNoNumbersIsRefused(float factor)
    {
        var turned = TestVectors.Normal(1, 256, 1)[0].Select(v => v * factor).ToArray();
        fixed (float* values = turned)
        fixed (byte* target = new byte[SignCode.TargetBytes(256)])
            Assert.False(SignCode.Prepare(values, 256, 0f, 1f, 3f, target));
    }

    private static float[] Lower(SignPlane plane, DenseQuery query, int count)
    {
        var lower = new float[count];
        var rows = Enumerable.Range(0, count).ToArray();
        var form = GC.AllocateUninitializedArray<byte>(plane.TargetBytes + 64, pinned: true);
        fixed (byte* target = form)
        fixed (float* into = lower)
        fixed (int* of = rows)
        fixed (ulong* places = new ulong[SignPlane.Places])
        {
            Assert.True(plane.TryPrepare(query.Target, target));
            plane.Lower(target, of, count, into, (byte**)places);
        }

        return lower;
    }

    private static double Product(float[] a, float[] b) => a.Zip(b, static (x, y) => (double)x * y).Sum();
}
