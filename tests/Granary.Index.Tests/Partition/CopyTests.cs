using System.Text;
using Granary.Index.Filters;
using Granary.Index.Operations;
using Granary.Index.Search;

namespace Granary.Index.Tests.Partition;

/// <summary>A copy of what a reader sees has its rows to the bit, its births, and takes what follows alike.</summary>
public sealed class CopyTests : IDisposable
{
    private static readonly IndexSchema Schema = new()
    {
        Dense =
        [
            new DenseVectorSchema("cosine", 7, Distance.Cosine),
            new DenseVectorSchema("plain", 3, Distance.Euclid),
            new DenseVectorSchema("multi", 3, Distance.Cosine) { MultiVector = true },
        ],
        Sparse = [new SparseVectorSchema("sparse", true)],
        Text = [new TextFieldSchema("body", "body")],
        PayloadIndexes = [new PayloadIndexSchema("n", PayloadIndexType.Integer)],
    };

    private readonly PartitionIndex _index = new(Schema);
    private readonly OperationWriter _writer = new();

    [Fact]
    public void VectorsAndScoresOfACopyAreEqualToTheBit()
    {
        Fill(300);
        using var reader = _index.OpenReader();
        using var copy = PartitionIndex.CopyOf(reader, CancellationToken.None);
        // Once more: what was normalised twice drifts.
        using var between = copy.OpenReader();
        using var again = PartitionIndex.CopyOf(between, CancellationToken.None);
        using var copied = again.OpenReader();
        Assert.Equal(reader.Operation, copied.Operation);
        Assert.Equal(reader.Search(new ScanLeg { Limit = 1000 }).Hits, copied.Search(new ScanLeg { Limit = 1000 }).Hits);
        foreach (var hit in reader.Search(new ScanLeg { Limit = 1000 }).Hits)
        {
            Assert.True(reader.TryGet(hit.Id, new VectorSelector(true), out var one));
            Assert.True(copied.TryGet(hit.Id, new VectorSelector(true), out var two));
            Assert.Equal(one!.Operation, two!.Operation);
            Assert.Equal(one.Payload.ToArray(), two.Payload.ToArray());
            Assert.Equal(one.Vectors.Select(v => (v.Name, v.Rows)), two.Vectors.Select(v => (v.Name, v.Rows)));
            Assert.All(one.Vectors.Zip(two.Vectors), p => Assert.Equal(Bits(p.First.Values), Bits(p.Second.Values)));
        }

        foreach (var filter in new[] { null, Is(3) })
        {
            foreach (var leg in new Leg[]
            {
                new DenseLeg("cosine", new[] { 0.3f, -1, 2, 0.7f, 5, -0.1f, 1 }) { Exact = true, Limit = 400, Filter = filter },
                new DenseLeg("plain", new[] { 0.3f, -1, 2 }) { Exact = true, Limit = 400, Filter = filter },
                new DenseLeg("multi", new[] { 0.3f, -1, 2, 1, 1, 0.2f }) { Rows = 2, Limit = 400, Filter = filter },
                new SparseLeg("sparse", [1, 4, 9], [0.5f, 2, 1.25f]) { Limit = 400, Filter = filter },
                new TextLeg("body", "night train") { Limit = 400, Filter = filter },
            })
            {
                var expected = reader.Search(leg).Hits;
                Assert.NotEmpty(expected);
                Assert.Equal(expected, copied.Search(leg).Hits);
            }

            Assert.Equal(reader.Count(filter, exact: true), copied.Count(filter, exact: true));
        }
    }

    [Fact]
    public void AnEmbeddingOfAPointThatWasChangedTogetherWithOthersIsTakenAsBefore()
    {
        Fill(20);
        _writer.Begin(OperationKind.SetPayload, default, OperationFlags.ByFilter);
        _writer.Filter(FilterJson.ToUtf8(Is(1)));
        _writer.Payload("""{"m":1}"""u8);
        Apply(_index);
        var changed = _index.AppliedOperation;
        using var reader = _index.OpenReader();
        using var copy = PartitionIndex.CopyOf(reader, CancellationToken.None);
        foreach (var id in new ulong[] { 1, 6, 11 })
        {
            foreach (var index in new[] { _index, copy })
            {
                _writer.Clear();
                _writer.Begin(OperationKind.ApplyEmbedding, new PointId(id));
                _writer.Source(changed);
                _writer.Dense("plain", [id, 2, 3]);
                Apply(index);
                using var after = index.OpenReader();
                Assert.True(after.TryGet(new PointId(id), new VectorSelector(false, ["plain"]), out var point));
                Assert.Equal([id, 2, 3], Assert.Single(point!.Vectors).Values);
            }
        }
    }

    [Fact]
    public void ACopyOfAnOlderViewHasWhatThatViewSees()
    {
        Fill(30);
        using var reader = _index.OpenReader();
        Fill(60);
        _index.Reclaim();
        using var copy = PartitionIndex.CopyOf(reader, CancellationToken.None);
        Assert.Equal(30, copy.PointCount);
        Assert.Equal(reader.Operation, copy.AppliedOperation);
        copy.Link(int.MaxValue, 1, CancellationToken.None);
        Assert.Equal(copy.AppliedOperation, copy.LinkedOperation);
    }

    public void Dispose() => _index.Dispose();

    private void Fill(int points)
    {
        var random = new Random(5);
        for (var i = 0; i < points; i++)
        {
            _writer.Clear();
            _writer.Begin(OperationKind.Upsert, new PointId((ulong)i));
            _writer.Payload(Encoding.UTF8.GetBytes($$"""{"n":{{i % 5}},"body":"night {{(i % 3 == 0 ? "train" : "river")}} {{i}}"}"""));
            _writer.Dense("cosine", Floats(random, 7));
            _writer.Dense("plain", Floats(random, 3));
            _writer.Multi("multi", 2, 3, Floats(random, 6));
            _writer.Sparse("sparse", [1, 4, (uint)(5 + (i % 7))], Floats(random, 3));
            Apply(_index);
        }
    }

    private void Apply(PartitionIndex index)
    {
        _writer.End();
        Assert.Equal(
            ApplyOutcome.Applied, index.Apply(index.AppliedOperation + 1, new OperationView(_writer.Written.Span[4..]), out _));
        _writer.Clear();
    }

    private static Filter Is(long n) => new() { Must = [new MatchAnyCondition("n", [MatchValue.Of(n)])] };

    private static float[] Floats(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.4f)];

    private static uint[] Bits(float[] values) => [.. values.Select(BitConverter.SingleToUInt32Bits)];
}
