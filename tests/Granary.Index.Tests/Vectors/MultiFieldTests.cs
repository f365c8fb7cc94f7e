using Granary.Index.Memory;
using Granary.Index.Search;
using Granary.Index.Vectors;

namespace Granary.Index.Tests.Vectors;

public sealed class MultiFieldTests
{
    private static readonly DenseVectorSchema Schema = new("m", 2, Distance.Dot) { MultiVector = true };

    [Fact]
    public void TheScoreIsTheSumOfTheBestOfEachQueryRow()
    {
        using var field = new MultiField(Schema, new EpochClock());
        field.Add([1f, 0f, 0f, 1f], 10);
        field.Add([2f, 0f], 11);
        var hits = Search(field, [1f, 0f, 0f, 3f], 2);
        Assert.Equal([new SlotHit(10, 4f), new SlotHit(11, 2f)], hits);
        Assert.Equal(4f, field.Score(new MultiQuery(Schema, [1f, 0f, 0f, 3f]), 0));
        Assert.Equal([1f, 0f, 0f, 1f], field.Matrix(0).ToArray());
    }

    [Fact]
    public void EuclidSumsTheSmallestDistances()
    {
        var schema = Schema with { Distance = Distance.Euclid };
        using var field = new MultiField(schema, new EpochClock());
        field.Add([0f, 0f, 3f, 4f], 1);
        field.Add([6f, 8f], 2);
        var filter = default(Everything);
        var hits = new List<SlotHit>();
        field.SearchExact(new MultiQuery(schema, [0f, 0f, 3f, 4f]), 5, ref filter, hits);
        Assert.Equal([new SlotHit(1, 0f), new SlotHit(2, 15f)], hits);
    }

    [Fact]
    public void RemovedRowsAreNotFoundAndAreReused()
    {
        using var field = new MultiField(Schema, new EpochClock());
        var row = field.Add([1f, 0f], 1);
        field.Remove(row);
        Assert.Empty(Search(field, [1f, 0f], 5));
        Assert.Equal(row, field.Add([1f, 0f, 5f, 5f], 2));
        Assert.Equal([new SlotHit(2, 5f)], Search(field, [1f, 0f], 5));
        field.Retarget(row, 3);
        Assert.Equal([new SlotHit(3, 5f)], Search(field, [1f, 0f], 5));
    }

    [Fact]
    public void ALoadedFieldAnswersAsTheSavedOne()
    {
        using var field = new MultiField(Schema with { Distance = Distance.Cosine }, new EpochClock());
        var random = new Random(1);
        for (var i = 0; i < 50; i++)
            field.Add([.. Enumerable.Range(0, 2 * random.Next(1, 5)).Select(_ => random.NextSingle() - 0.5f)], i);
        field.Remove(20);
        var stream = new MemoryStream();
        field.Save(stream);
        stream.Position = 0;
        using var loaded = MultiField.Load(stream, field.Schema, new EpochClock());
        Assert.Equal(field.Live, loaded.Live);
        Assert.Equal(Search(field, [1f, 0.5f, -1f, 0.3f], 50), Search(loaded, [1f, 0.5f, -1f, 0.3f], 50));
        Assert.Equal(20, loaded.Add([1f, 1f], 99));
    }

    [Fact]
    public void EmptyAndRaggedMatricesAreRefused()
    {
        using var field = new MultiField(Schema, new EpochClock());
        Assert.Throws<GranaryException>(() => field.Add([], 1));
        Assert.Throws<GranaryException>(() => field.Add([1f, 2f, 3f], 1));
        Assert.Throws<GranaryException>(() => new MultiQuery(Schema, [1f]));
    }

    private static List<SlotHit> Search(MultiField field, float[] matrix, int k)
    {
        var hits = new List<SlotHit>();
        var filter = default(Everything);
        field.SearchExact(new MultiQuery(field.Schema, matrix), k, ref filter, hits);
        return hits;
    }
}
