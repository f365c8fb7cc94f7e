using Granary.Index.Vectors;

namespace Granary.Index.Tests.Vectors;

public sealed class FilteredSearchTests
{
    private const int Count = 8000;
    private const int Size = 32;
    private static readonly float[][] Base = TestVectors.Clustered(Count, Size, 21);
    private static readonly float[][] Queries = TestVectors.Clustered(60, Size, 22);
    private static readonly Lazy<DenseField> Field = new(() => TestVectors.Field(Base, Distance.Cosine));

    [Theory]
    [InlineData(0.5)]
    [InlineData(0.1)]
    [InlineData(0.01)]
    [InlineData(0.001)]
    public void RandomFiltersKeepTheirRecall(double share)
    {
        var random = new Random(23);
        var accepted = Enumerable.Range(0, Count).Where(_ => random.NextDouble() < share).ToHashSet();
        Assert.True(TestVectors.Recall(Field.Value, Queries, 10, new Only(accepted), (float)share) >= 0.95);
    }

    [Theory]
    [InlineData(0.5, true)]
    [InlineData(0.1, true)]
    [InlineData(0.01, true)]
    [InlineData(0.5, false)]
    [InlineData(0.1, false)]
    [InlineData(0.01, false)]
    public void FiltersThatFollowTheVectorsKeepTheirRecall(double share, bool nearest)
    {
        foreach (var query in Queries.Take(15))
        {
            var all = TestVectors.Exact(Field.Value, query, Count, default(Everything)).Select(h => h.Slot);
            var accepted = (nearest ? all : all.Reverse()).Take((int)(Count * share)).ToHashSet();
            Assert.True(TestVectors.Recall(Field.Value, [query], 10, new Only(accepted), (float)share) >= 0.9);
        }
    }

    [Theory]
    [InlineData(1f)]
    [InlineData(0.3f)]
    [InlineData(0f)]
    public void AWrongEstimateStillFindsAllThatMatch(float estimate)
    {
        var few = new HashSet<int> { 5, 500, 5000 };
        var hits = TestVectors.Search(Field.Value, Queries[0], 10, new Only(few), estimate);
        Assert.Equal(few.Order(), hits.Select(h => h.Slot).Order());
    }

    [Fact]
    public void NothingMatchesNothing() => Assert.Empty(TestVectors.Search(Field.Value, Queries[0], 10, new Only([]), 0.1f));
}
