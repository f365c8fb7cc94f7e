using System.Collections.Immutable;
using System.Text;
using Granary.Index.Operations;
using Granary.Index.Partition;
using Granary.Index.Search;
using Granary.Index.Tests.Checkpoints;

namespace Granary.Index.Tests.Partition;

/// <summary>Text fields that are made anew piece by piece while the partition is written, searched, imaged, changed and closed.</summary>
public sealed partial class RemakeTests
{
    private const int Points = 300;
    private const int Gone = 100;

    private static readonly IndexSchema Schema = new()
    {
        Text = [new TextFieldSchema("body", "body"), new TextFieldSchema("title", "title")],
        PayloadIndexes = [new PayloadIndexSchema("n", PayloadIndexType.Integer)],
    };

    private readonly OperationWriter _writer = new();

    [Theory]
    [InlineData(1, 30)]
    [InlineData(2, 300)]
    [InlineData(3, 100_000)]
    public void AnIndexWhoseFieldsAreMadeAnewAnswersAsOneWhoseFieldsAreNot(int seed, int piece)
    {
        var random = new Random(seed);
        using var made = new PartitionIndex(Schema) { LeastGone = Gone, RemakePiece = piece };
        using var other = new PartitionIndex(Schema);
        var readers = new Queue<(IndexReader Reader, List<PointId> Ids)>();
        int taken = 0, pieces = 0, capacity = 0, most = 0;
        for (var i = 0; i < 9_000; i++)
        {
            Change(random);
            Apply(made);
            Apply(other);
            if (i % 3 == 0)
            {
                pieces += made.RemakeDue ? 1 : 0;
                made.Reclaim();
                var now = Rows(made, "body");
                taken += now < capacity ? 1 : 0;
                capacity = now;
                most = Math.Max(most, capacity);
            }

            if (i % 50 == 0)
                other.Reclaim();
            if (i % 97 != 0)
                continue;
            var reader = made.OpenReader();
            using var expected = other.OpenReader();
            var hits = Search(expected);
            Assert.Equal(hits, Search(reader));
            Assert.Equal(Statistics(expected), Statistics(reader));
            readers.Enqueue((reader, [.. hits.Select(h => h.Id).Order()]));
            if (readers.Count <= 6)
                continue;
            // It has seen fields that were given up since.
            var (old, ids) = readers.Dequeue();
            using (old)
                Assert.Equal(ids, Search(old).Select(h => h.Id).Order());
        }

        while (readers.TryDequeue(out var left))
            left.Reader.Dispose();
        Assert.True(taken >= 5, $"{taken} times");
        Assert.True(piece > 1000 || pieces > 2 * taken, $"{pieces} pieces for {taken}");
        Assert.InRange(most, Gone, 4 * Points);
        UntilMade(made);
        made.Reclaim();
        Assert.False(made.ReclaimDue);
        using var last = made.OpenReader();
        using var lastExpected = other.OpenReader();
        Assert.Equal(Search(lastExpected), Search(last));
    }

    [Theory]
    [InlineData(4, Gone, int.MaxValue)]
    [InlineData(19, int.MaxValue, 200)]
    [InlineData(20, Gone, 200)]
    public async Task AnImageIsThatOfItsOperationWhateverBecomesOfTheFieldMeanwhile(int seed, int gone, int ordered)
    {
        var random = new Random(seed);
        using var index = new PartitionIndex(Schema) { LeastGone = gone, LeastOrdered = ordered, RemakePiece = 60 };
        int imagesDuring = 0, imagesAcross = 0;
        for (var round = 0; round < 80; round++)
        {
            // As far as some piece of some remake.
            for (var i = 0; i < 40 + random.Next(120); i++)
            {
                Change(random);
                Apply(index);
                if (i % 2 == 0)
                    index.Reclaim();
            }

            index.Order();
            await index.Ordering;
            using var image = index.BeginCheckpoint(CancellationToken.None);
            List<LegHit> expected;
            Dictionary<string, string> statistics;
            using (var reader = index.OpenReader())
                (expected, statistics) = (Search(reader), Statistics(reader));
            imagesDuring += index.RemakeDue ? 1 : 0;
            var fields = Fields(index);
            image.Freeze();
            var across = false;
            for (var i = 0; i < random.Next(200); i++)
            {
                Change(random);
                Apply(index);
                index.Reclaim();
                if (i == 50)
                {
                    // Found before, and taken now; or begun, and taken in the next round.
                    index.Order();
                    await index.Ordering;
                }

                across |= Fields(index)[0] != fields[0];
            }

            imagesAcross += across ? 1 : 0;
            var checkpoint = new MemoryCheckpoint();
            image.Write(checkpoint, CancellationToken.None);
            using var read = PartitionIndex.ReadCheckpoint(checkpoint);
            using var found = read.OpenReader();
            Assert.Equal(expected, Search(found));
            Assert.Equal(statistics, Statistics(found));
        }

        Assert.True(imagesDuring > 5, $"{imagesDuring} images");
        Assert.True(imagesAcross > 2, $"{imagesAcross} images");
    }

    [Fact]
    public void AClosedIndexGoesOnFromItsImage()
    {
        var random = new Random(5);
        using var other = new PartitionIndex(Schema);
        var index = new PartitionIndex(Schema) { LeastGone = Gone, RemakePiece = 150 };
        var during = 0;
        for (var round = 0; round < 40; round++)
        {
            for (var i = 0; i < 30 + random.Next(90) || !index.RemakeDue; i++)
            {
                Change(random);
                Apply(index);
                Apply(other);
                index.Reclaim();
            }

            // After so many pieces it is closed, and what was made is lost.
            for (var i = random.Next(14); i > 0; i--)
                index.Reclaim();
            during += index.RemakeDue ? 1 : 0;
            var checkpoint = new MemoryCheckpoint();
            index.WriteCheckpoint(checkpoint, CancellationToken.None);
            index.Dispose();
            index = PartitionIndex.ReadCheckpoint(checkpoint);
            (index.LeastGone, index.RemakePiece) = (Gone, 150);
            using var reader = index.OpenReader();
            using var expected = other.OpenReader();
            Assert.Equal(Search(expected), Search(reader));
        }

        index.Dispose();
        Assert.True(during > 5, $"{during} times");
    }

    [Fact]
    public void ASchemaMayChangeWhileAFieldIsMadeAnew()
    {
        var random = new Random(6);
        using var made = new PartitionIndex(Schema) { LeastGone = Gone, RemakePiece = 100 };
        using var other = new PartitionIndex(Schema);
        IndexSchema[] schemas =
        [
            // A field comes, and goes while others are made anew.
            Schema with { Sparse = [new SparseVectorSchema("sparse", false)] },
            Schema,
            // The field itself is another, and the first one again.
            Schema with { Text = [Schema.Text[0] with { K1 = 0.9f }, Schema.Text[1]] },
            Schema,
            Schema with { Text = [Schema.Text[1]] },
            Schema,
        ];
        var during = 0;
        for (var round = 0; round < 30; round++)
        {
            for (var i = 0; i < 20 || (!made.RemakeDue && i < 2_000); i++)
                Both();
            for (var i = random.Next(12); i > 0; i--)
                made.Reclaim();
            during += made.RemakeDue ? 1 : 0;
            _writer.Clear();
            _writer.Begin(OperationKind.ChangeSchema, default);
            _writer.Payload(SchemaJson.Write(schemas[round % schemas.Length]));
            _writer.End();
            Apply(made);
            Apply(other);
            AssertEqual();
            for (var i = 0; i < 60; i++)
                Both();
            AssertEqual();
        }

        Assert.True(during > 10, $"{during} times");

        void Both()
        {
            Change(random);
            Apply(made);
            Apply(other);
            made.Reclaim();
        }

        void AssertEqual()
        {
            using var reader = made.OpenReader();
            using var expected = other.OpenReader();
            Assert.Equal(Search(expected), Search(reader));
        }
    }

    [Fact]
    public void OneFieldIsMadeAnewAtATime()
    {
        var random = new Random(7);
        using var index = new PartitionIndex(Schema) { LeastGone = Gone, RemakePiece = 50 };
        for (var i = 0; i < 4 * Points; i++)
        {
            Change(random);
            Apply(index);
        }

        using var before = index.OpenReader();
        var expected = Search(before);
        var (body, title) = (Rows(index, "body"), Rows(index, "title"));
        Assert.True(index.RemakeDue);
        for (var pieces = 0; index.RemakeDue; pieces++)
        {
            Assert.InRange(pieces, 0, 1000);
            var making = Fields(index).Count(f => f is TextColumn { Postings.Remaking: not null });
            Assert.InRange(making, 0, 1);
            index.Reclaim();
        }

        Assert.True(Rows(index, "body") < body && Rows(index, "title") < title);
        using var after = index.OpenReader();
        Assert.Equal(expected, Search(after));
        Assert.Equal(expected, Search(before));
    }

    [Fact]
    public async Task SearchesOfOtherThreadsSeeTheSameScoresMeanwhile()
    {
        using var index = new PartitionIndex(Schema) { LeastGone = Gone, RemakePiece = 60 };
        var random = new Random(8);
        for (var id = 0; id < Points; id++)
        {
            Upsert(id, random);
            Apply(index);
        }

        // Each text has three words, one of which all have: with statistics given all have the same score, whatever comes and goes.
        var statistics = new TextStatistics(Points, 3 * Points, ImmutableDictionary<string, long>.Empty.Add("night", Points));
        var leg = new TextLeg("body", "night") { Limit = 2 * Points, Statistics = statistics };
        LegHit first;
        using (var reader = index.OpenReader())
            first = reader.Search(leg).Hits[0];
        using var stop = new CancellationTokenSource();
        var token = stop.Token;
        var searches = Enumerable.Range(0, 2).Select(_ => Task.Run(
            () =>
            {
                var count = 0;
                do
                {
                    using var reader = index.OpenReader();
                    for (var again = 0; again < 3; again++)
                    {
                        var hits = reader.Search(leg).Hits;
                        Assert.Equal(Points, hits.Count);
                        Assert.Equal(Points, hits.Select(h => h.Id).Distinct().Count());
                        Assert.All(hits, h => Assert.Equal(first.Score, h.Score));
                    }

                    count++;
                }
                while (!token.IsCancellationRequested);
                return count;
            },
            CancellationToken.None)).ToArray();
        int taken = 0, capacity = 0;
        for (var i = 0; taken < 12 && searches.All(s => !s.IsCompleted); i++)
        {
            Assert.InRange(i, 0, 1_000_000);
            Upsert(random.Next(Points), random);
            Apply(index);
            if (i % 2 != 0)
                continue;
            index.Reclaim();
            var now = Rows(index, "body");
            taken += now < capacity ? 1 : 0;
            capacity = now;
        }

        await stop.CancelAsync();
        Assert.All(await Task.WhenAll(searches), count => Assert.True(count > 0));
    }

    private static void UntilMade(PartitionIndex index)
    {
        for (var pieces = 0; index.RemakeDue; pieces++)
        {
            Assert.InRange(pieces, 0, 10_000);
            index.Reclaim();
        }
    }

    private static ImmutableArray<Field> Fields(PartitionIndex index)
    {
        using var reader = index.OpenReader();
        return reader.View.Published.Fields.All;
    }

    private static int Rows(PartitionIndex index, string field)
    {
        using var reader = index.OpenReader();
        return reader.View.Published.Fields.Find(field)!.RowCapacity;
    }

    private static List<LegHit> Search(IndexReader reader) =>
    [
        .. new[] { "body", "title" }.Where(field => reader.View.Published.Fields.Find(field) is not null).SelectMany(field =>
            new[] { "night w3 w5", "w1 rare7", "train" }.SelectMany(
                text => reader.Search(new TextLeg(field, text) { Limit = 2 * Points }).Hits)),
    ];

    private static Dictionary<string, string> Statistics(IndexReader reader) => new[] { "body", "title" }.ToDictionary(
        field => field,
        field =>
        {
            var found = reader.TextStatistics(field, "night w1 w2 w3 w4 w5 w6 w7 w8 rare1 rare2 rare3 train");
            return $"{found.Documents} {found.TotalLength} {string.Join(' ', found.Frequencies.OrderBy(f => f.Key))}";
        });

    // Upserts mostly; what keeps the text, loses it, or is for many points at once.
    private void Change(Random random)
    {
        var id = new PointId((ulong)random.Next(Points));
        _writer.Clear();
        switch (random.Next(40))
        {
            case < 26:
                Upsert((int)id.Number, random);
                return;
            case < 31:
                _writer.Begin(OperationKind.SetPayload, id);
                _writer.Payload(Encoding.UTF8.GetBytes($$"""{"n":{{random.Next(30)}}}"""));
                break;
            case < 33:
                _writer.Begin(OperationKind.OverwritePayload, id);
                _writer.Payload("""{"n":3,"title":"a train of the night"}"""u8);
                break;
            case < 39:
                _writer.Begin(OperationKind.Delete, id);
                break;
            default:
                _writer.Begin(OperationKind.SetPayload, default, OperationFlags.ByFilter);
                _writer.Filter(Encoding.UTF8.GetBytes($$"""{"must":[{"key":"n","match":{"value":{{random.Next(30)}} } }]}"""));
                _writer.Payload(Encoding.UTF8.GetBytes($$"""{"body":"train w{{random.Next(9)}}"}"""));
                break;
        }

        _writer.End();
    }

    private void Upsert(int id, Random random)
    {
        _writer.Clear();
        _writer.Begin(OperationKind.Upsert, new PointId((ulong)id));
        _writer.Payload(Encoding.UTF8.GetBytes(
            $$"""
            {"n":{{random.Next(30)}},"body":"night w{{random.Next(9)}} rare{{random.Next(300)}}",
             "title":"w{{random.Next(4)}} w{{random.Next(9)}}"}
            """));
        _writer.End();
    }

    private void Apply(PartitionIndex index) => Assert.Equal(
        ApplyOutcome.Applied, index.Apply(index.AppliedOperation + 1, new OperationView(_writer.Written.Span[4..]), out _));
}
