using Granary.Index.Memory;
using Granary.Index.Search;
using Granary.Index.Vectors;

namespace Granary.Index.Tests.Vectors;

public sealed class DenseSearchTests
{
    [Theory]
    [InlineData(Distance.Cosine)]
    [InlineData(Distance.Dot)]
    [InlineData(Distance.Euclid)]
    [InlineData(Distance.Manhattan)]
    public void TheGraphFindsWhatAnExactSearchFinds(Distance distance)
    {
        using var field = TestVectors.Field(TestVectors.Clustered(5000, 32, 1), distance);
        Assert.Equal(5000, field.LinkedAdds);
        Assert.True(TestVectors.Recall(field, TestVectors.Clustered(100, 32, 2), 10, default(Everything)) >= 0.97);
    }

    [Fact]
    public void AFieldWithoutCodesIsSearchedThroughItsGraph()
    {
        var vectors = TestVectors.Clustered(4000, 24, 3);
        var hnsw = new HnswSettings { EfConstruct = 100 };
        var schema = new DenseVectorSchema("v", 24, Distance.Cosine) { Storage = VectorStorage.Float32, Hnsw = hnsw };
        using var field = new DenseField(schema, new EpochClock());
        for (var i = 0; i < vectors.Length; i++)
            field.Add(vectors[i], i);
        TestVectors.LinkAll(field);
        Assert.True(TestVectors.Recall(field, TestVectors.Clustered(100, 24, 4), 10, default(Everything)) >= 0.97);
    }

    [Fact]
    public void AVectorIsFoundBeforeItIsLinkedAndLeftOutOfIndexedOnly()
    {
        using var field = TestVectors.Field(TestVectors.Clustered(3000, 16, 5), Distance.Euclid);
        var query = Enumerable.Repeat(50f, 16).ToArray();
        field.Add(query, 9000);
        Assert.Equal(1, field.Pending);
        Assert.Equal(new SlotHit(9000, 0f), TestVectors.Search(field, query, 1, default(Everything))[0]);
        var hits = new List<SlotHit>();
        var filter = default(Everything);
        field.Search(new DenseSearch(new DenseQuery(field.Schema, query), 1) { IndexedOnly = true }, ref filter, hits);
        Assert.NotEqual(9000, hits[0].Slot);
        TestVectors.LinkAll(field);
        Assert.Equal(9000, TestVectors.Search(field, query, 1, default(Everything))[0].Slot);
    }

    [Fact]
    public void ScoresAreThoseOfAnExactComparison()
    {
        var vectors = TestVectors.Clustered(3000, 20, 6);
        foreach (var distance in Enum.GetValues<Distance>())
        {
            using var field = TestVectors.Field(vectors, distance);
            var query = new DenseQuery(field.Schema, vectors[7]);
            foreach (var hit in TestVectors.Search(field, vectors[7], 10, default(Everything)))
                Assert.Equal(field.Score(query, hit.Slot), hit.Score);
        }
    }

    [Fact]
    public void EuclidIsTheRootAndManhattanTheSum()
    {
        using var euclid = TestVectors.Field([[0f, 0f], [3f, 4f]], Distance.Euclid);
        using var manhattan = TestVectors.Field([[0f, 0f], [3f, 4f]], Distance.Manhattan);
        Assert.Equal([new SlotHit(0, 0f), new SlotHit(1, 5f)], TestVectors.Exact(euclid, [0f, 0f], 2, default(Everything)));
        Assert.Equal([new SlotHit(0, 0f), new SlotHit(1, 7f)], TestVectors.Exact(manhattan, [0f, 0f], 2, default(Everything)));
    }

    [Fact]
    public void AVectorWithoutLengthScoresZeroUnderCosine()
    {
        using var field = TestVectors.Field([[0f, 0f], [3f, 4f], [-3f, -4f]], Distance.Cosine);
        Assert.Equal([0f, 0f], field.Vector(0).ToArray());
        Assert.Equal([1f, 0f, -1f], TestVectors.Exact(field, [6f, 8f], 3, default(Everything)).Select(h => MathF.Round(h.Score, 6)));
        Assert.All(TestVectors.Exact(field, [0f, 0f], 3, default(Everything)), h => Assert.Equal(0f, h.Score));
    }

    [Fact]
    public void TiesWithTheLastHitAreAllReturned()
    {
        using var field = TestVectors.Field([[1f, 0f], [2f, 0f], [2f, 0f], [2f, 0f], [3f, 0f]], Distance.Dot);
        var hits = TestVectors.Exact(field, [1f, 0f], 2, default(Everything));
        Assert.Equal(4, hits[0].Slot);
        Assert.Equal([1, 2, 3], hits.Skip(1).Select(h => h.Slot).Order());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(31)]
    [InlineData(65_535)]
    public void EverySizeIsSearched(int size)
    {
        var vectors = TestVectors.Normal(40, size, size);
        using var field = TestVectors.Field(vectors, Distance.Euclid);
        Assert.Equal(new SlotHit(17, 0f), TestVectors.Search(field, vectors[17], 1, default(Everything))[0]);
    }

    [Fact]
    public void DotProductsOfVeryDifferentLengthsAreFound()
    {
        var random = new Random(8);
        var vectors = TestVectors.Clustered(4000, 32, 9);
        foreach (var vector in vectors)
        {
            var length = MathF.Pow(10, random.Next(-2, 3));
            for (var i = 0; i < vector.Length; i++)
                vector[i] *= length;
        }

        using var field = TestVectors.Field(vectors, Distance.Dot);
        Assert.True(TestVectors.Recall(field, TestVectors.Clustered(100, 32, 10), 10, default(Everything)) >= 0.95);
    }

    [Fact]
    public void WithoutAGraphEverySearchIsExact()
    {
        var vectors = TestVectors.Clustered(3000, 16, 11);
        using var field = TestVectors.Field(vectors, Distance.Cosine, hnsw: new HnswSettings { M = 0 });
        Assert.Equal(0, field.Pending);
        Assert.Equal(1.0, TestVectors.Recall(field, TestVectors.Clustered(20, 16, 12), 10, default(Everything)));
    }

    [Fact]
    public void AnotherSizeIsRefused()
    {
        using var field = TestVectors.Field([[1f, 2f]], Distance.Dot);
        Assert.Equal(
            "Vector dimension error: expected dim: 2, got 3", Assert.Throws<GranaryException>(() => field.Add([1f, 2f, 3f], 1)).Message);
        Assert.Throws<GranaryException>(() => new DenseQuery(field.Schema, [1f]));
        Assert.Throws<GranaryException>(() => new DenseField(new DenseVectorSchema("v", 65_536, Distance.Dot), new EpochClock()));
    }

    [Fact]
    public void SearchRowsComparesOnlyTheRowsGiven()
    {
        using var field = TestVectors.Field([[1f, 0f], [2f, 0f], [3f, 0f], [4f, 0f]], Distance.Dot);
        var hits = new List<SlotHit>();
        var filter = new Only([0, 1, 2]);
        field.SearchRows(new DenseQuery(field.Schema, [1f, 0f]), 5, [1, 3, 0], ref filter, hits);
        Assert.Equal([new SlotHit(1, 2f), new SlotHit(0, 1f)], hits);
    }
}
