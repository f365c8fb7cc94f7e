using Granary.Collections.Catalog;
using Granary.Collections.Ports;

namespace Granary.Collections.Tests.Catalog;

public sealed class SizeClassTests
{
    private const long First = 64L << 20;

    [Theory]
    [InlineData(0, 0)]
    [InlineData(First, 0)]
    [InlineData(First + 1, 1)]
    [InlineData(2 * First, 1)]
    [InlineData((2 * First) + 1, 2)]
    [InlineData(1L << 40, 14)]
    [InlineData(long.MaxValue, SizeClass.Largest)]
    public void AClassIsUpToTwiceAsLargeAsTheOneBefore(long bytes, int expected)
    {
        Assert.Equal(expected, SizeClass.Of(bytes));
        if (expected < SizeClass.Largest)
            Assert.InRange(bytes, expected == 0 ? 0 : SizeClass.Bound(expected - 1) + 1, SizeClass.Bound(expected));
    }

    [Theory]
    [InlineData(0, 1.25, 0)]
    [InlineData(0, 1.26, 1)]
    [InlineData(0, 9, 4)]
    [InlineData(3, 10, 3)]
    [InlineData(3, 10.1, 4)]
    [InlineData(3, 3.21, 3)]
    [InlineData(3, 3.19, 2)]
    [InlineData(3, 0.1, 0)]
    [InlineData(1, 0.81, 1)]
    [InlineData(-7, 1, 0)]
    [InlineData(99, 1e7, SizeClass.Largest)]
    public void AClassIsLeftOnlyWellBeyondItsBounds(int now, double firsts, int expected) =>
        Assert.Equal(expected, SizeClass.Next(now, (long)(firsts * First)));

    [Fact]
    public void AClassThatWasChangedIsKeptUntilTheSizeIsQuiteAnother()
    {
        var random = new Random(1);
        for (var i = 0; i < 10_000; i++)
        {
            var bytes = (long)(First * Math.Pow(2, random.NextDouble() * 20));
            var now = SizeClass.Next(random.Next(SizeClass.Largest), bytes);
            // A tenth up and down, for ever.
            for (var later = 0.9; later < 1.11; later += 0.05)
            {
                var next = SizeClass.Next(now, (long)(bytes * later));
                Assert.InRange(Math.Abs(next - now), 0, 1);
                Assert.Equal(next, SizeClass.Next(next, bytes));
            }
        }
    }

    [Fact]
    public void ACollectionGoesByTheMeanOfItsPartitionsAndOneThatWasNotMeasuredStays()
    {
        var (grown, same, unmeasured) = (Document(0), Document(2), Document(5));
        var changes = SizeClass.Changes(
            [("grown", grown), ("same", same), ("unmeasured", unmeasured)],
            [
                Size(grown.Incarnation, 0, 0), Size(grown.Incarnation, 1, 4 * First), Size(same.Incarnation, 0, 3 * First),
                Size(Guid.NewGuid(), 0, First),
            ]);
        Assert.Equal([("grown", grown.Incarnation, 1)], changes);
    }

    private static StoredSize Size(Guid incarnation, int partition, long bytes) => new(new PartitionKey(incarnation, partition), bytes);

    private static CollectionDocument Document(int sizeClass) => new(
        CollectionDocument.CurrentFormat, Guid.NewGuid(), new CollectionConfig(), new Granary.Index.IndexSchema(),
        PlacementTable.Even(1).Ranges)
    {
        SizeClass = sizeClass,
    };
}
