using Granary.Index.Operations;
using Granary.Index.Partition;
using Granary.Index.Tests.Checkpoints;

namespace Granary.Index.Tests.Partition;

/// <content>Orders of their documents, found meanwhile.</content>
public sealed partial class RemakeTests
{
    [Theory]
    [InlineData(11, 60)]
    [InlineData(12, 100_000)]
    public async Task AnIndexWhoseTextsArePutInOrderAnswersAsOneWhoseTextsAreNot(int seed, int piece)
    {
        var random = new Random(seed);
        using var made = new PartitionIndex(Schema) { LeastGone = int.MaxValue, LeastOrdered = 200, RemakePiece = piece };
        using var other = new PartitionIndex(Schema);
        var taken = 0;
        for (var round = 0; round < 60; round++)
        {
            var before = Fields(made);
            for (var i = 0; i < 30; i++)
            {
                Change(random);
                Apply(made);
                Apply(other);
                if (i % 7 == 0)
                    made.Reclaim();
            }

            // Begun, and taken when it is found, with operations in between.
            made.Order();
            await (round % 3 == 0 ? Task.CompletedTask : made.Ordering);
            if (round % 2 == 0)
                UntilMade(made);
            taken += Fields(made).Except(before).Count();
            using var reader = made.OpenReader();
            using var expected = other.OpenReader();
            Assert.Equal(Search(expected), Search(reader));
            Assert.Equal(Statistics(expected), Statistics(reader));
        }

        Assert.True(taken >= 4, $"{taken} fields");
        using var image = made.BeginCheckpoint(CancellationToken.None);
        image.Freeze();
        var checkpoint = new MemoryCheckpoint();
        image.Write(checkpoint, CancellationToken.None);
        using var read = PartitionIndex.ReadCheckpoint(checkpoint);
        using var found = read.OpenReader();
        using var last = other.OpenReader();
        Assert.Equal(Search(last), Search(found));
    }

    [Fact]
    public async Task AnOrderOfAFieldThatIsGivenUpIsNotTaken()
    {
        var random = new Random(13);
        using var index = new PartitionIndex(Schema) { LeastOrdered = 200 };
        for (var i = 0; i < Points; i++)
        {
            Upsert(i, random);
            Apply(index);
        }

        index.Order();
        await index.Ordering;
        _writer.Clear();
        _writer.Begin(OperationKind.ChangeSchema, default);
        _writer.Payload(SchemaJson.Write(Schema with { Text = [Schema.Text[1]] }));
        _writer.End();
        Apply(index);
        index.Order();
        Assert.False(index.RemakeDue);

        // The other has one of its own.
        index.Order();
        await index.Ordering;
        index.Order();
        Assert.True(index.RemakeDue);
        var title = Fields(index).Single(f => f.Name == "title");
        UntilMade(index);
        Assert.NotSame(title, Fields(index).Single(f => f.Name == "title"));
        index.Order();
        Assert.True(index.Ordering.IsCompletedSuccessfully);
        Assert.False(index.RemakeDue);
    }

    [Fact]
    public async Task AFieldThatIsGoneIsNotHeldForItsOrder()
    {
        var random = new Random(15);
        using var index = new PartitionIndex(Schema with { Text = [Schema.Text[0]] }) { LeastOrdered = 200 };
        for (var i = 0; i < Points; i++)
        {
            Upsert(i, random);
            Apply(index);
        }

        index.Order();
        await index.Ordering;
        _writer.Clear();
        _writer.Begin(OperationKind.ChangeSchema, default);
        _writer.Payload(SchemaJson.Write(Schema with { Text = [] }));
        _writer.End();
        Apply(index);
        Assert.True(index.OrderDue);

        // Where operations never end the order is not asked for again.
        for (var pieces = 0; index.ReclaimDue; pieces++)
        {
            Assert.InRange(pieces, 0, 100);
            index.Reclaim();
        }

        Assert.False(index.OrderDue);
    }

    [Fact]
    public async Task AClosedIndexGivesUpItsOrder()
    {
        var random = new Random(14);
        var index = new PartitionIndex(Schema) { LeastOrdered = 200 };
        for (var i = 0; i < Points; i++)
        {
            Upsert(i, random);
            Apply(index);
        }

        index.Order();
        var ordering = index.Ordering;
        index.Dispose();

        // Found before, or ended; it reads nothing that was freed.
        await Task.WhenAny(ordering);
        Assert.True(ordering.IsCompletedSuccessfully || ordering.IsCanceled);
    }

    [Theory]
    [InlineData(16, 40, int.MaxValue)]
    [InlineData(17, 40, Gone)]
    public async Task NumbersMayRunOutWhileAFieldIsMadeAnewOrItsOrderIsFound(int seed, int piece, int gone)
    {
        var random = new Random(seed);
        using var made = new PartitionIndex(Schema) { LeastGone = gone, LeastOrdered = 200, RemakePiece = piece, RowLimit = 700 };
        using var other = new PartitionIndex(Schema);
        var making = 0;
        var readers = new Queue<(IndexReader Reader, List<PointId> Ids)>();
        for (var i = 0; i < 6_000; i++)
        {
            var before = Fields(made);
            Change(random);
            Apply(made);
            Apply(other);
            making += before.Except(Fields(made)).Count(field => field is TextColumn { Postings.Remaking: not null });
            if (i % 5 == 0)
                made.Reclaim();
            if (i % 40 == 0)
            {
                made.Order();
                await made.Ordering;
            }

            if (i % 83 != 0)
                continue;
            using var expected = other.OpenReader();
            var hits = Search(expected);
            var reader = made.OpenReader();
            Assert.Equal(hits, Search(reader));
            Assert.Equal(Statistics(expected), Statistics(reader));
            readers.Enqueue((reader, [.. hits.Select(h => h.Id).Order()]));
            var checkpoint = new MemoryCheckpoint();
            made.WriteCheckpoint(checkpoint, CancellationToken.None);
            using var read = PartitionIndex.ReadCheckpoint(checkpoint);
            using var found = read.OpenReader();
            Assert.Equal(hits, Search(found));
            if (readers.Count <= 4)
                continue;
            var (old, ids) = readers.Dequeue();
            using (old)
                Assert.Equal(ids, Search(old).Select(h => h.Id).Order());
        }

        while (readers.TryDequeue(out var left))
            left.Reader.Dispose();
        Assert.True(making > 3, $"{making} fields while they were made anew");
    }
}
