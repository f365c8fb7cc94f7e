using Granary.Index.Memory;

namespace Granary.Index.Tests.Vectors;

public sealed class ChurnTests
{
    private const int Size = 32;
    private static readonly float[][] Queries = TestVectors.Clustered(100, Size, 31);

    [Theory]
    [InlineData(0.04)]
    [InlineData(0.5)]
    [InlineData(0.9)]
    public void RecallStaysWhenRowsAreRemoved(double share)
    {
        var vectors = TestVectors.Clustered(10_000, Size, 32);
        using var field = TestVectors.Field(vectors, Distance.Cosine);
        var before = TestVectors.Recall(field, Queries, 10, default(Everything), ef: 60);
        var random = new Random(33);
        for (var row = 0; row < vectors.Length; row++)
        {
            if (random.NextDouble() < share)
                field.Remove(row);
        }

        Assert.True(TestVectors.Recall(field, Queries, 10, default(Everything), ef: 60) >= before - 0.01);
        TestVectors.LinkAll(field);
        Assert.True(TestVectors.Recall(field, Queries, 10, default(Everything), ef: 60) >= before - 0.01);
    }

    [Fact]
    public void RecallStaysWhenRowsAreReplacedManyTimes()
    {
        const int Count = 5000;
        var vectors = TestVectors.Clustered(Count * 4, Size, 34);
        using var field = TestVectors.Field(vectors[..Count], Distance.Cosine);
        var before = TestVectors.Recall(field, Queries, 10, default(Everything), ef: 60);
        var rows = Enumerable.Range(0, Count).ToArray();
        for (var next = Count; next < vectors.Length; next++)
        {
            field.Remove(rows[next % Count]);
            rows[next % Count] = field.Add(vectors[next], next);
            if (next % 250 == 0)
                field.Link(250, 2, CancellationToken.None);
        }

        TestVectors.LinkAll(field);
        Assert.Equal(Count, field.Live);
        Assert.True(field.RowCapacity < Count * 1.5, $"{field.RowCapacity} rows for {Count}: removed rows are not reused");
        Assert.True(TestVectors.Recall(field, Queries, 10, default(Everything), ef: 60) >= before - 0.01);
    }

    [Fact]
    public void RemovedRowsAreNeverReturned()
    {
        var vectors = TestVectors.Clustered(6000, Size, 35);
        using var field = TestVectors.Field(vectors, Distance.Cosine);
        for (var row = 0; row < 6000; row += 2)
            field.Remove(row);
        foreach (var query in Queries)
            Assert.All(TestVectors.Search(field, query, 20, default(Everything)), h => Assert.Equal(1, h.Slot % 2));
        TestVectors.LinkAll(field);
        foreach (var query in Queries)
            Assert.All(TestVectors.Search(field, query, 20, default(Everything)), h => Assert.Equal(1, h.Slot % 2));
    }

    [Fact]
    public void ARowIsNotReusedWhileAReaderMaySeeIt()
    {
        var epochs = new EpochClock();
        var vectors = TestVectors.Clustered(2000, Size, 36);
        using var field = TestVectors.Field(vectors, Distance.Cosine, epochs: epochs);
        var reader = epochs.Enter();
        for (var row = 0; row < 1000; row++)
            field.Remove(row);
        TestVectors.LinkAll(field);
        Assert.Equal(2000, field.Add(vectors[0], 2000));
        epochs.Exit(reader);
        Assert.True(field.Add(vectors[1], 2001) < 1000);
    }

    [Fact]
    public void AFieldCanBeEmptiedAndFilledAgain()
    {
        var vectors = TestVectors.Clustered(2000, Size, 37);
        using var field = TestVectors.Field(vectors, Distance.Euclid);
        for (var row = 0; row < 2000; row++)
            field.Remove(row);
        TestVectors.LinkAll(field);
        Assert.Empty(TestVectors.Search(field, Queries[0], 10, default(Everything)));
        for (var i = 0; i < 2000; i++)
            field.Add(vectors[i], 5000 + i);
        TestVectors.LinkAll(field);
        Assert.Equal(2000, field.RowCapacity);
        Assert.True(TestVectors.Recall(field, Queries, 10, default(Everything)) >= 0.97);
    }

    [Fact]
    public void ARowRemovedBeforeItIsLinkedIsPassedOver()
    {
        var vectors = TestVectors.Clustered(2000, Size, 38);
        using var field = TestVectors.Field(vectors, Distance.Euclid);
        var row = field.Add(vectors[0], 7000);
        field.Remove(row);
        TestVectors.LinkAll(field);
        Assert.Equal(field.Added, field.LinkedAdds);
        Assert.DoesNotContain(TestVectors.Search(field, vectors[0], 5, default(Everything)), h => h.Slot == 7000);
        Assert.Equal(row, field.Add(vectors[0], 7001));
        Assert.Contains(TestVectors.Search(field, vectors[0], 5, default(Everything)), h => h.Slot == 7001);
    }

    [Fact]
    public void ARetargetedRowIsFoundUnderItsNewSlot()
    {
        var vectors = TestVectors.Clustered(2000, Size, 39);
        using var field = TestVectors.Field(vectors, Distance.Cosine);
        field.Retarget(12, 4000);
        Assert.Equal(4000, field.SlotOf(12));
        Assert.Equal(4000, TestVectors.Search(field, vectors[12], 1, default(Everything))[0].Slot);
    }
}
