using Granary.Index.Operations;
using Granary.Index.Search;
using Granary.Index.Vectors;

namespace Granary.Index.Tests.Vectors;

public sealed class VectorNormTests
{
    [Theory]
    [InlineData(1e19f, 3, true)]
    [InlineData(1e19f, 4, false)]
    [InlineData(1e19f, 20, false)]
    [InlineData(4e18f, 20, true)]
    [InlineData(-2e19f, 1, false)]
    [InlineData(float.MaxValue, 17, false)]
    [InlineData(float.NaN, 9, false)]
    public void TheSumOfSquaresMustBeAFloat(float value, int size, bool fits)
    {
        var row = Enumerable.Repeat(value, size).ToArray();
        Assert.Equal(fits, VectorNorm.Fits(Distance.Dot, row, size));
        Assert.Equal(fits, VectorNorm.Fits(Distance.Euclid, [.. new float[size], .. row], size));
        Assert.True(VectorNorm.Fits(Distance.Cosine, row, size));
    }

    [Fact]
    public void WhatIsNotANumberIsFarthest()
    {
        var negative = BitConverter.Int32BitsToSingle(unchecked((int)0xFFC0_0000));
        Assert.True(float.IsNaN(negative));
        Assert.True(CandidatePool.Pack(negative, 0) > CandidatePool.Pack(float.MaxValue, int.MaxValue));
        Assert.Equal(CandidatePool.Pack(float.PositiveInfinity, 7), CandidatePool.Pack(float.NaN, 7));
    }

    [Theory]
    [InlineData(Distance.Dot)]
    [InlineData(Distance.Euclid)]
    [InlineData(Distance.Manhattan)]
    public void AVectorThatIsTooLongIsPoisonAndNoQuery(Distance distance)
    {
        using var index = new PartitionIndex(new IndexSchema { Dense = [new DenseVectorSchema("", 2, distance)] });
        Assert.Equal(ApplyOutcome.Poison, Put(index, 1, [1e25f, 1f], out var why));
        Assert.StartsWith("Vector \"\" is too long", why, StringComparison.Ordinal);
        Assert.Equal(ApplyOutcome.Applied, Put(index, 2, [1e18f, 1f], out _));
        using var reader = index.OpenReader();
        Assert.Equal(ErrorKind.BadInput, Assert.Throws<GranaryException>(() => reader.Search(new DenseLeg("", new[] { 1e25f, 1f }))).Kind);
        Assert.True(float.IsFinite(Assert.Single(reader.Search(new DenseLeg("", new[] { -1e18f, 1f })).Hits).Score));
    }

    [Fact]
    public void CosineVectorsMayHaveAnyLength()
    {
        using var index = new PartitionIndex(new IndexSchema { Dense = [new DenseVectorSchema("", 2, Distance.Cosine)] });
        Assert.Equal(ApplyOutcome.Applied, Put(index, 1, [3e38f, 3e38f], out _));
        using var reader = index.OpenReader();
        Assert.Equal(1f, Assert.Single(reader.Search(new DenseLeg("", new[] { 2e38f, 2e38f })).Hits).Score, 1e-6f);
    }

    private static ApplyOutcome Put(PartitionIndex index, long operation, float[] vector, out string? why)
    {
        var writer = new OperationWriter();
        writer.Begin(OperationKind.Upsert, new PointId((ulong)operation));
        writer.Dense("", vector);
        writer.End();
        return index.Apply(operation, new OperationView(writer.Written.Span[4..]), out why);
    }
}
