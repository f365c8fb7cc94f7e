using Granary.Index.Operations;
using Granary.Index.Search;
using Granary.Index.Tests.Checkpoints;

namespace Granary.Index.Tests.Partition;

public sealed class PartitionIndexTests
{
    private static readonly IndexSchema Schema = new() { Dense = [new DenseVectorSchema("", 2, Distance.Cosine)] };
    private readonly OperationWriter _writer = new();

    [Fact]
    public void AGapIsAnErrorAndARepetitionChangesNothing()
    {
        using var index = Filled(3);
        Assert.Equal(ApplyOutcome.AlreadyApplied, index.Apply(2, new OperationView(Upsert(9)), out _));
        Assert.Equal(3, index.PointCount);
        var error = Assert.Throws<InvalidOperationException>(() => index.Apply(5, new OperationView(Upsert(9)), out _));
        Assert.Equal("Operation 5 cannot follow 3: those between are missing.", error.Message);
    }

    [Fact]
    public void PoisonChangesNothingAndIsPassedOver()
    {
        using var index = Filled(3);
        _writer.Clear();
        _writer.Begin(OperationKind.Upsert, new PointId(1));
        _writer.Dense("", [1f, 2f, 3f]);
        _writer.End();
        Assert.Equal(ApplyOutcome.Poison, index.Apply(4, new OperationView(_writer.Written.Span[4..]), out var why));
        Assert.Equal("Vector dimension error: expected dim: 2, got 3", why);
        Assert.Equal((4L, 3L), (index.AppliedOperation, index.PointCount));
        using var reader = index.OpenReader();
        Assert.True(reader.TryGet(new PointId(1), VectorSelector.None, out var point));
        Assert.Equal(2, point!.Operation);
    }

    [Theory]
    [InlineData(OperationKind.Upsert)]
    [InlineData(OperationKind.UpdateVectors)]
    public void AVectorGivenTwiceIsPoisonAndLeavesNoRow(OperationKind kind)
    {
        using var index = Filled(3);
        _writer.Clear();
        _writer.Begin(kind, new PointId(1));
        _writer.Dense("", [5f, 1f]);
        _writer.Dense("", [-5f, 1f]);
        _writer.End();
        Assert.Equal(ApplyOutcome.Poison, index.Apply(4, new OperationView(_writer.Written.Span[4..]), out var why));
        Assert.Equal("Vector \"\" is given twice", why);
        Assert.Equal(3, index.Statistics.Vectors);
        using var reader = index.OpenReader();
        Assert.Equal(3, reader.Search(new DenseLeg("", new float[] { 1f, 1f }) { Limit = 100 }).Hits.Count);
    }

    [Theory]
    [InlineData("""{"body": "night \\ud800 train", "tag": "\\ud800"}""")]
    [InlineData("""{"body": ["night", "\\udc00"], "tag": ["\\ud800\\ud800"], "\\ud800": 1}""")]
    public void HalvesOfSurrogatePairsStopNothing(string payload)
    {
        using var index = new PartitionIndex(new IndexSchema
        {
            Text = [new TextFieldSchema("body", "body")],
            PayloadIndexes = [new PayloadIndexSchema("tag", PayloadIndexType.Keyword),
                new PayloadIndexSchema("body", PayloadIndexType.Text)],
        });
        _writer.Clear();
        _writer.Begin(OperationKind.Upsert, new PointId(1));
        _writer.Payload(System.Text.Encoding.UTF8.GetBytes(payload));
        _writer.End();
        index.Apply(1, new OperationView(_writer.Written.Span[4..]), out _);
        Assert.Equal(1, index.AppliedOperation);
    }

    [Fact]
    public void UnknownFieldsAndWrongSizesAreNamed()
    {
        using var index = Filled(1);
        using var reader = index.OpenReader();
        Assert.Equal("Not existing vector name error: x", Message(() => reader.Search(new DenseLeg("x", new float[2]))));
        Assert.Equal("Vector dimension error: expected dim: 2, got 1", Message(() => reader.Search(new DenseLeg("", new float[1]))));
        Assert.StartsWith("No range index for `order_by` key: `n`. Please create one",
            Message(() => reader.Search(new OrderLeg("n", false))), StringComparison.Ordinal);
        Assert.StartsWith("No appropriate index for faceting: `n`. Please create one", Message(() => reader.Facet("n", null, 5, true)),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(PayloadIndexType.Uuid, "(it has one of type uuid; integer with range, float and datetime have an order)")]
    [InlineData(PayloadIndexType.Keyword, "(it has one of type keyword; integer with range, float and datetime have an order)")]
    [InlineData(PayloadIndexType.Integer,
        "(it has one of type integer without range; integer with range, float and datetime have an order)")]
    public void AnIndexWithoutAnOrderIsRefusedByItsType(PayloadIndexType type, string expected)
    {
        using var index = new PartitionIndex(
            Schema with { PayloadIndexes = [new PayloadIndexSchema("u", type) { Range = type != PayloadIndexType.Integer }] });
        using var reader = index.OpenReader();
        var message = Message(() => reader.Search(new OrderLeg("u", false)));
        Assert.StartsWith("No range index for `order_by` key: `u`. Please create one", message, StringComparison.Ordinal);
        Assert.EndsWith(expected, message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(8, 200, true)]
    [InlineData(16, 50, true)]
    [InlineData(16, 200, false)]
    public void AVectorIsLinkedAnewWhenItsGraphIsToBeAnother(int m, int efConstruct, bool anew)
    {
        using var index = Filled(50);
        while (index.Link(10, 1, CancellationToken.None) > 0)
        {
        }

        Assert.Equal(50, index.LinkedOperation);
        var hnsw = new HnswSettings { M = m, EfConstruct = efConstruct, FullScanThreshold = 7 };
        _writer.Clear();
        _writer.Begin(OperationKind.ChangeSchema, default);
        _writer.Payload(SchemaJson.Write(Schema with { Dense = [Schema.Dense[0] with { Hnsw = hnsw }] }));
        _writer.End();
        Assert.Equal(ApplyOutcome.Applied, index.Apply(51, new OperationView(_writer.Written.Span[4..]), out _));
        Assert.Equal(anew, index.Link(1000, 1, CancellationToken.None) > 0);
        Assert.Equal(51, index.LinkedOperation);
        using var reader = index.OpenReader();
        Assert.Equal(5, reader.Search(new DenseLeg("", new float[] { 1, 2 }) { Limit = 5 }).Hits.Count);
    }

    [Fact]
    public void LinkedOperationFollowsTheGraph()
    {
        using var index = Filled(50);
        Assert.Equal((0L, 50), (index.LinkedOperation, index.PendingLinks));
        Assert.Equal(20, index.Link(20, 1, CancellationToken.None));
        Assert.Equal(20, index.LinkedOperation);
        Assert.Equal(30, index.Link(100, 1, CancellationToken.None));
        Assert.Equal((50L, 0), (index.LinkedOperation, index.PendingLinks));
    }

    [Fact]
    public void AnUnchangedVectorKeepsItsRow()
    {
        using var index = Filled(5);
        index.Link(100, 1, CancellationToken.None);
        index.Apply(6, new OperationView(Upsert(2)), out _);
        Assert.Equal((6L, 0), (index.LinkedOperation, index.PendingLinks));
        index.Reclaim();
        Assert.Equal(5, index.Statistics.Vectors);
    }

    [Fact]
    public void ASchemaChangeFillsNewFieldsAndKeepsOldReadersWhole()
    {
        using var index = Filled(10);
        using var before = index.OpenReader();
        var next = new IndexSchema
        {
            Dense = [Schema.Dense[0], new DenseVectorSchema("more", 3, Distance.Dot)],
            Text = [new TextFieldSchema("body", "body")],
            PayloadIndexes = [new PayloadIndexSchema("body", PayloadIndexType.Keyword)],
        };
        Change(index, next);
        using (var reader = index.OpenReader())
        {
            Assert.Equal(10, reader.Search(new TextLeg("body", "winter") { Limit = 100 }).Hits.Count);
            Assert.Equal(10, reader.Search(new DenseLeg("", new float[] { 1f, 1f }) { Limit = 100 }).Hits.Count);
            Assert.Empty(reader.Search(new DenseLeg("more", new float[3])).Hits);
            Assert.Equal(10, reader.Facet("body", null, 5, exact: true).Sum(f => f.Count));
        }

        Change(index, new IndexSchema());
        index.Reclaim();
        using (var reader = index.OpenReader())
            Assert.Throws<GranaryException>(() => reader.Search(new DenseLeg("", new float[2])));
        Assert.Equal(10, before.Search(new DenseLeg("", new float[] { 1f, 1f }) { Limit = 100 }).Hits.Count);
        Assert.Throws<GranaryException>(() => before.Search(new TextLeg("body", "winter")));
    }

    [Fact]
    public void ACheckpointWithADamagedBlockIsRefused()
    {
        using var index = Filled(100);
        var checkpoint = new MemoryCheckpoint();
        index.WriteCheckpoint(checkpoint, CancellationToken.None);
        foreach (var section in checkpoint.Sections.Keys.Where(k => checkpoint.Sections[k].Length > 0).ToArray())
        {
            var bytes = checkpoint.Sections[section];
            bytes[bytes.Length / 2] ^= 1;
            var error = Assert.Throws<GranaryException>(() => PartitionIndex.ReadCheckpoint(checkpoint));
            Assert.Equal(ErrorKind.Corrupted, error.Kind);
            Assert.Contains(section == "manifest" ? "manifest" : section, error.Message, StringComparison.Ordinal);
            bytes[bytes.Length / 2] ^= 1;
        }

        using var read = PartitionIndex.ReadCheckpoint(checkpoint);
        Assert.Equal((100L, 100L), (read.AppliedOperation, read.PointCount));
    }

    [Fact]
    public void SlotsOfReplacedPointsAreTakenAgain()
    {
        using var index = Filled(10);
        for (var round = 0; round < 50; round++)
        {
            for (var i = 0; i < 10; i++)
                index.Apply(index.AppliedOperation + 1, new OperationView(Upsert(i, round)), out _);
            index.Reclaim();
        }

        using var reader = index.OpenReader();
        Assert.Equal(10, reader.Search(new ScanLeg { Limit = 100 }).Hits.Count);
        Assert.True(index.SlotCount < 60, $"{index.SlotCount} slots for 10 points");
    }

    private static string Message(Action action) => Assert.Throws<GranaryException>(action).Message;

    private PartitionIndex Filled(int count)
    {
        var index = new PartitionIndex(Schema);
        for (var i = 0; i < count; i++)
            Assert.Equal(ApplyOutcome.Applied, index.Apply(i + 1, new OperationView(Upsert(i)), out _));
        return index;
    }

    private void Change(PartitionIndex index, IndexSchema schema)
    {
        _writer.Clear();
        _writer.Begin(OperationKind.ChangeSchema, default);
        _writer.Payload(SchemaJson.Write(schema));
        _writer.End();
        Assert.Equal(ApplyOutcome.Applied, index.Apply(index.AppliedOperation + 1, new OperationView(_writer.Written.Span[4..]), out _));
    }

    private ReadOnlySpan<byte> Upsert(int id, int round = 0)
    {
        _writer.Clear();
        _writer.Begin(OperationKind.Upsert, new PointId((ulong)id));
        _writer.Payload("""{"body": "a winter night"}"""u8);
        _writer.Dense("", [id + 1f, round + 1f]);
        _writer.End();
        return _writer.Written.Span[4..];
    }
}
