using System.Text;
using Granary.Index.Operations;
using Granary.Index.Search;
using Granary.Index.Tests.Checkpoints;

namespace Granary.Index.Tests.Partition;

/// <summary>Row numbers of text and sparse fields, which are not used again, do not run out.</summary>
public sealed class RoomTests : IDisposable
{
    private const int Limit = 100;

    private static readonly IndexSchema Schema = new()
    {
        Sparse = [new SparseVectorSchema("sparse", true)],
        Text = [new TextFieldSchema("body", "body")],
    };

    private readonly PartitionIndex _index = new(Schema) { RowLimit = Limit };
    private readonly OperationWriter _writer = new();

    [Fact]
    public void AnOperationByFilterThatMemoryMayNotHoldIsPassedOver()
    {
        for (ulong id = 0; id < 5; id++)
        {
            _writer.Clear();
            _writer.Begin(OperationKind.Upsert, new PointId(id));
            _writer.Payload("""{"body":"night train"}"""u8);
            _writer.End();
            Apply(_index);
        }

        // From 22 bytes to 32, in each of five points.
        _index.GrowthLimit = 49;
        Assert.Equal(ApplyOutcome.Poison, Set(out var why));
        Assert.Equal("The operation makes the 5 points it changes larger by 50 bytes at least; the limit is 49", why);
        using (var reader = _index.OpenReader())
        {
            Assert.True(reader.TryGet(new PointId(3), VectorSelector.None, out var point));
            Assert.Equal("""{"body":"night train"}""", Encoding.UTF8.GetString(point!.Payload.Span));
        }

        _index.GrowthLimit = 50;
        Assert.Equal(ApplyOutcome.Applied, Set(out _));
        using (var reader = _index.OpenReader())
        {
            Assert.True(reader.TryGet(new PointId(3), VectorSelector.None, out var point));
            Assert.Equal("""{"n":12345678901234567890123456}""", Encoding.UTF8.GetString(point!.Payload.Span));
        }

        ApplyOutcome Set(out string? why)
        {
            _writer.Clear();
            _writer.Begin(OperationKind.OverwritePayload, default, OperationFlags.ByFilter);
            _writer.Filter("""{"must":[{"key":"body","match":{"text":"night"}}]}"""u8);
            _writer.Payload("""{"n":12345678901234567890123456}"""u8);
            _writer.End();
            return _index.Apply(_index.AppliedOperation + 1, new OperationView(_writer.Written.Span[4..]), out why);
        }
    }

    [Fact]
    public void FieldsThatComeToTheEndOfTheirNumbersAreNumberedAnew()
    {
        // The other never comes to an end.
        using var roomy = new PartitionIndex(Schema);
        var random = new Random(4);
        var readers = new Queue<(IndexReader Reader, List<LegHit> Hits)>();
        for (var i = 0; i < 3000; i++)
        {
            var id = (ulong)random.Next(60);
            if (random.Next(4) == 0)
                Delete(id);
            else
                Upsert(id, random);
            Apply(_index);
            Apply(roomy);
            Assert.InRange(Rows(_index, "body"), 0, Limit);
            Assert.InRange(Rows(_index, "sparse"), 0, Limit);
            if (i % 7 == 0)
                _index.Reclaim();
            if (i % 20 == 0)
            {
                var reader = _index.OpenReader();
                using var other = roomy.OpenReader();
                var hits = Search(other);
                Assert.Equal(hits, Search(reader));
                readers.Enqueue((reader, hits));
            }

            if (readers.Count <= 4)
                continue;
            // It saw fields that were given up since. Scores follow the statistics of now.
            var (old, hadHits) = readers.Dequeue();
            using (old)
                Assert.Equal(hadHits.Select(h => h.Id).Order(), Search(old).Select(h => h.Id).Order());
        }

        while (readers.TryDequeue(out var left))
            left.Reader.Dispose();
        Assert.True(Rows(roomy, "body") > 10 * Limit);
        _index.Reclaim();
        Assert.False(_index.ReclaimDue);
    }

    [Fact]
    public void ATextFieldWhoseDocumentsAreReplacedDoesNotGrow()
    {
        const int Points = 400;
        const int Gone = 100;
        using var churned = new PartitionIndex(Schema) { LeastGone = Gone };
        using var roomy = new PartitionIndex(Schema);
        var random = new Random(6);
        var readers = new Queue<(IndexReader Reader, List<PointId> Ids)>();
        var most = 0;
        for (var i = 0; i < 40 * Points; i++)
        {
            var id = (ulong)random.Next(Points);
            if (random.Next(10) == 0)
                Delete(id);
            else
                Upsert(id, random);
            Apply(churned);
            Apply(roomy);
            if (i % 9 != 0)
                continue;
            churned.Reclaim();
            most = Math.Max(most, Rows(churned, "body"));
            if (i % 270 != 0)
                continue;
            var reader = churned.OpenReader();
            using var other = roomy.OpenReader();
            var hits = Search(other);
            Assert.Equal(hits, Search(reader));
            readers.Enqueue((reader, [.. hits.Select(h => h.Id).Order()]));
            if (readers.Count <= 3)
                continue;
            var (old, had) = readers.Dequeue();
            using (old)
                Assert.Equal(had, Search(old).Select(h => h.Id).Order());
        }

        while (readers.TryDequeue(out var left))
            left.Reader.Dispose();
        Assert.InRange(most, Points / 2, (2 * Points) + Gone + 10);
        Assert.True(Rows(roomy, "body") > 10 * Points);

        // What was deleted by hand is given up without a write.
        for (ulong id = 0; id < Points; id++)
        {
            Delete(id);
            Apply(churned);
        }

        for (var i = 0; i < 3; i++)
            churned.Reclaim();
        Assert.InRange(Rows(churned, "body"), 0, Gone);
        Assert.False(churned.ReclaimDue);
        var checkpoint = new MemoryCheckpoint();
        churned.WriteCheckpoint(checkpoint, CancellationToken.None);
        using var loaded = PartitionIndex.ReadCheckpoint(checkpoint);
        Assert.Equal(0, loaded.PointCount);
    }

    [Fact]
    public void AnOperationThatDoesNotFitChangesNothing()
    {
        var random = new Random(1);
        for (ulong id = 0; id < Limit; id++)
        {
            Upsert(id, random);
            Apply(_index);
        }

        using var before = _index.OpenReader();
        var expected = Search(before);
        for (var again = 0; again < 2; again++)
        {
            Upsert(Limit, random);
            var error = Assert.Throws<GranaryException>(() => _index.Apply(Limit + 1, new OperationView(_writer.Written.Span[4..]), out _));
            Assert.Equal(ErrorKind.InsufficientStorage, error.Kind);
            Assert.Contains("\"sparse\"", error.Message, StringComparison.Ordinal);
            Assert.Equal((Limit, Limit), (_index.PointCount, _index.AppliedOperation));
        }

        using var after = _index.OpenReader();
        Assert.Equal(expected, Search(after));
        Delete(7);
        Apply(_index);
        Upsert(Limit, random);
        Apply(_index);
        Assert.Equal(Limit, _index.PointCount);
    }

    [Fact]
    public void ACheckpointAndACopyKeepNoNumbersOfWhatIsGone()
    {
        var random = new Random(2);
        using var index = new PartitionIndex(Schema);
        for (var i = 0; i < 1000; i++)
        {
            Upsert((ulong)random.Next(20), random);
            Apply(index);
        }

        index.Reclaim();
        Assert.InRange(Rows(index, "body"), 900, 1000);
        var checkpoint = new MemoryCheckpoint();
        index.WriteCheckpoint(checkpoint, CancellationToken.None);
        using var loaded = PartitionIndex.ReadCheckpoint(checkpoint);
        using var reader = index.OpenReader();
        using var copy = PartitionIndex.CopyOf(reader, CancellationToken.None);
        foreach (var compact in new[] { loaded, copy })
        {
            Assert.Equal((20, 20), (Rows(compact, "body"), Rows(compact, "sparse")));
            using var other = compact.OpenReader();
            Assert.Equal(Search(reader), Search(other));
        }
    }

    public void Dispose() => _index.Dispose();

    private static int Rows(PartitionIndex index, string field)
    {
        using var reader = index.OpenReader();
        return reader.View.Published.Fields.Find(field)!.RowCapacity;
    }

    private static List<LegHit> Search(IndexReader reader) =>
    [
        .. reader.Search(new TextLeg("body", "night w3 w5") { Limit = 200 }).Hits,
        .. reader.Search(new SparseLeg("sparse", [1, 3, 9], [0.5f, 2, 1.25f]) { Limit = 200 }).Hits,
    ];

    private void Upsert(ulong id, Random random)
    {
        _writer.Clear();
        _writer.Begin(OperationKind.Upsert, new PointId(id));
        _writer.Payload(Encoding.UTF8.GetBytes($$"""{"body":"night w{{random.Next(9)}} w{{random.Next(9)}}"}"""));
        _writer.Sparse("sparse", [1, (uint)(2 + random.Next(6)), 9], [random.NextSingle(), 1, random.NextSingle()]);
        _writer.End();
    }

    private void Delete(ulong id)
    {
        _writer.Clear();
        _writer.Begin(OperationKind.Delete, new PointId(id));
        _writer.End();
    }

    private void Apply(PartitionIndex index) => Assert.Equal(
        ApplyOutcome.Applied, index.Apply(index.AppliedOperation + 1, new OperationView(_writer.Written.Span[4..]), out _));
}
