using System.Runtime.InteropServices;
using Granary.Index.Memory;
using Granary.Index.Vectors;

namespace Granary.Index.Tests.Vectors;

/// <summary>Fields that keep int8 codes and no originals.</summary>
public sealed class CodesOnlyTests
{
    private const int Count = 3000;
    private const int Size = 40;
    private const int K = 10;
    private static readonly float[][] Base = TestVectors.Clustered(Count, Size, 41);
    private static readonly float[][] Queries = TestVectors.Clustered(40, Size, 42);

    [Theory]
    [InlineData(Distance.Cosine)]
    [InlineData(Distance.Dot)]
    [InlineData(Distance.Euclid)]
    public void WhatIsDecodedEncodesToItself(Distance distance)
    {
        using var field = Field(distance, Base[..500]);
        using var copy = new DenseField(field.Schema, new EpochClock());
        using var again = new DenseField(field.Schema, new EpochClock());
        for (var row = 0; row < 500; row++)
        {
            copy.AddStored(field.Vector(row), row);
            again.Add(field.Vector(row), row);
            Assert.True(Same(field.Vector(row), copy.Vector(row)));
            Assert.True(Same(field.Vector(row), again.Vector(row)));
            Assert.True(field.Holds(row, Base[row]));
            Assert.True(field.Holds(row, field.Vector(row)));
            Assert.False(field.Holds(row, Base[row + 1]));
        }
    }

    [Theory]
    [InlineData(Distance.Cosine)]
    [InlineData(Distance.Dot)]
    [InlineData(Distance.Euclid)]
    public void ValuesAreWithinHalfAStepOfTheOriginals(Distance distance)
    {
        using var field = Field(distance, [.. Base[..200], new float[Size]]);
        for (var row = 0; row < 200; row++)
        {
            var original = new float[Size];
            VectorMath.Copy(Base[row], distance, original);
            var step = original.Max(MathF.Abs) / 127;
            var vector = field.Vector(row).ToArray();
            Assert.All(vector.Zip(original), v => Assert.InRange(MathF.Abs(v.First - v.Second), 0, step));
            if (distance == Distance.Cosine)
                Assert.InRange(MathF.Sqrt(vector.Sum(v => v * v)), 1 - 1e-6f, 1 + 1e-6f);
        }

        Assert.Equal(new float[Size], field.Vector(200).ToArray());
    }

    [Theory]
    [InlineData(Distance.Cosine, 16)]
    [InlineData(Distance.Dot, 16)]
    [InlineData(Distance.Euclid, 16)]
    [InlineData(Distance.Cosine, 0)]
    public void ScoresAndExactSearchAreThoseOfTheDecodedVectors(Distance distance, int m)
    {
        using var field = Field(distance, Base, m);
        using var decoded = new DenseField(new DenseVectorSchema("v", Size, distance), new EpochClock());
        for (var row = 0; row < Count; row++)
            decoded.AddStored(field.Vector(row), row);
        foreach (var query in Queries)
        {
            var expected = TestVectors.Exact(decoded, query, K, default(Everything));
            Assert.Equal(expected, TestVectors.Exact(field, query, K, default(Everything)));
            var prepared = new DenseQuery(field.Schema, query);
            foreach (var hit in TestVectors.Search(field, query, K, default(Everything)))
            {
                Assert.Equal(decoded.Score(prepared, hit.Slot), hit.Score);
                Assert.Equal(hit.Score, field.Score(prepared, hit.Slot));
            }
        }

        Assert.True(TestVectors.Recall(field, Queries, K, default(Everything)) >= 0.97);
        var inside = Enumerable.Range(0, Count).Where(i => i % 6 == 0).ToHashSet();
        Assert.True(TestVectors.Recall(field, Queries, K, new Only(inside), 1 / 6f) >= 0.95);
    }

    [Theory]
    [InlineData(Distance.Cosine)]
    [InlineData(Distance.Dot)]
    [InlineData(Distance.Euclid)]
    public void AnImageHoldsTheCodesAndIsReadBackToTheBit(Distance distance)
    {
        using var field = Field(distance, Base[..800]);
        for (var i = 800; i < 830; i++)
            field.Add(Base[i], i);
        using var image = new MemoryStream();
        field.Save(image);
        Assert.True(image.Length < 830 * (Size + 4 + 4 + 8 + 128 + 64));
        image.Position = 0;
        using var loaded = DenseField.Load(image, field.Schema, new EpochClock());
        for (var row = 0; row < 830; row++)
            Assert.True(Same(field.Vector(row), loaded.Vector(row)));
        foreach (var query in Queries)
        {
            var hits = TestVectors.Search(loaded, query, K, default(Everything));
            Assert.Equal(TestVectors.Search(field, query, K, default(Everything)), hits);
        }

        using var second = new MemoryStream();
        loaded.Save(second);
        Assert.Equal(image.ToArray(), second.ToArray());
    }

    [Fact]
    public void AnImageOfOriginalsIsRefusedAndTheOtherWayRound()
    {
        using var codes = Field(Distance.Cosine, Base[..50]);
        using var floats = TestVectors.Field(Base[..50], Distance.Cosine);
        foreach (var (from, into) in new[] { (codes, floats), (floats, codes) })
        {
            using var image = new MemoryStream();
            from.Save(image);
            image.Position = 0;
            var error = Assert.Throws<GranaryException>(() => DenseField.Load(image, into.Schema, new EpochClock()));
            Assert.Equal(ErrorKind.Corrupted, error.Kind);
        }
    }

    [Fact]
    public void RemovedRowsAreRepairedAroundAndUsedAgain()
    {
        using var field = Field(Distance.Cosine, Base[..2000]);
        for (var row = 0; row < 1000; row++)
            field.Remove(row);
        TestVectors.LinkAll(field);
        Assert.Equal(0, field.Removed);
        for (var i = 2000; i < Count; i++)
            field.Add(Base[i], i);
        TestVectors.LinkAll(field);
        Assert.True(field.RowCapacity < Count);
        Assert.True(TestVectors.Recall(field, Queries, K, default(Everything)) >= 0.95);
    }

    [Fact]
    public void ManhattanIsRefused()
    {
        var schema = new DenseVectorSchema("v", Size, Distance.Manhattan) { Storage = VectorStorage.Int8 };
        Assert.Equal(ErrorKind.Validation, Assert.Throws<GranaryException>(() => new DenseField(schema, new EpochClock())).Kind);
    }

    [Fact]
    public void ARowTakesAQuarterOfTheOriginalsBytes()
    {
        const int size = 384;
        var vectors = TestVectors.Normal(4096, size, 43);
        using var field = new DenseField(
            new DenseVectorSchema("v", size, Distance.Cosine) { Storage = VectorStorage.Int8, Hnsw = new HnswSettings { M = 0 } },
            new EpochClock());
        foreach (var vector in vectors)
            field.Add(vector, 0);
        Assert.True(field.Bytes < 4096L * size * sizeof(float) / 2);
    }

    private static DenseField Field(Distance distance, float[][] vectors, int m = 16)
    {
        var schema = new DenseVectorSchema("v", Size, distance)
        {
            Storage = VectorStorage.Int8,
            Hnsw = new HnswSettings { M = m, EfConstruct = 100 },
        };
        var field = new DenseField(schema, new EpochClock());
        for (var i = 0; i < vectors.Length; i++)
            field.Add(vectors[i], i);
        TestVectors.LinkAll(field);
        return field;
    }

    private static bool Same(ReadOnlySpan<float> a, ReadOnlySpan<float> b) =>
        MemoryMarshal.AsBytes(a).SequenceEqual(MemoryMarshal.AsBytes(b));
}
