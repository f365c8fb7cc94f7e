using Granary.Index.Filters;
using Granary.Index.Operations;
using Granary.Index.Search;

namespace Granary.Index.Tests.Partition;

/// <summary>
/// Searches and scrolls while one thread applies and another links. Every operation flips the points of one color to another by one
/// filter, or moves a pair's vectors, so any half operation would show.
/// </summary>
public sealed class ConcurrencyTests
{
    private const int Points = 200;

    [Fact]
    public async Task EverySnapshotIsConsistentWhileOperationsAreAppliedAndLinked()
    {
        var schema = new IndexSchema
        {
            Dense = [new DenseVectorSchema("", 4, Distance.Dot)
            {
                Hnsw = new HnswSettings { M = 8, EfConstruct = 32, FullScanThreshold = 10 },
            }],
            Text = [new TextFieldSchema("body", "body")],
            PayloadIndexes = [new PayloadIndexSchema("color", PayloadIndexType.Keyword)],
        };
        using var index = new PartitionIndex(schema);
        var writer = new OperationWriter();
        for (var i = 0; i < Points; i++)
        {
            Upsert(writer, i, "red", 1f);
            Apply(index, writer);
        }

        using var stop = new CancellationTokenSource();
        var token = stop.Token;
        var readers = Enumerable.Range(0, 2).Select(
            seed => Task.Run(() => Read(index, new Random(seed), () => token.IsCancellationRequested), CancellationToken.None)).ToArray();
        var linker = Task.Run(
            () =>
            {
                while (!token.IsCancellationRequested)
                    index.Link(50, 1, CancellationToken.None);
            },
            CancellationToken.None);
        var random = new Random(3);
        for (var step = 0; step < 3000 && readers.All(r => !r.IsCompleted); step++)
        {
            writer.Clear();
            if (step % 3 == 0)
            {
                var (from, to) = step % 2 == 0 ? ("red", "blue") : ("blue", "red");
                writer.Begin(OperationKind.SetPayload, default, OperationFlags.ByFilter);
                writer.Filter(FilterJson.ToUtf8(Color(from)));
                writer.Payload(System.Text.Encoding.UTF8.GetBytes($$"""{"color": "{{to}}"}"""));
                writer.End();
            }
            else if (step % 3 == 1)
            {
                // All vectors move at once.
                writer.Begin(OperationKind.UpdateVectors, default, OperationFlags.ByFilter);
                writer.Filter("{}"u8);
                writer.Dense("", [step, 0f, 0f, 0f]);
                writer.End();
                if (step % 30 != 1)
                    writer.Clear();
            }

            if (writer.Written.IsEmpty)
                Upsert(writer, random.Next(Points), CurrentColor(index), null);
            Apply(index, writer);
            if (step % 16 == 0)
                index.Reclaim();
        }

        await stop.CancelAsync();
        var snapshots = await Task.WhenAll(readers);
        await linker;
        Assert.All(snapshots, count => Assert.True(count > 0));
    }

    private static int Read(PartitionIndex index, Random random, Func<bool> stopped)
    {
        var snapshots = 0;
        do
        {
            using var reader = index.OpenReader();
            var scroll = reader.Search(new ScanLeg { Limit = 1000 }).Hits;
            Assert.Equal(Points, scroll.Count);
            Assert.Equal(Points, scroll.Select(h => h.Id).Distinct().Count());
            var red = reader.Count(Color("red"), exact: true);
            Assert.Equal(red, reader.Search(new ScanLeg { Limit = 1000, Filter = Color("red") }).Hits.Count);

            // One operation colors all points.
            Assert.True(red is 0 or Points, $"{red} red points at operation {reader.Operation}");
            var nearest = reader.Search(new DenseLeg("", new float[] { 1f, 0f, 0f, 0f }) { Limit = Points, Exact = true });
            Assert.Equal(Points, nearest.Hits.Select(h => h.Id).Distinct().Count());
            Assert.Single(nearest.Hits.Select(h => h.Score).Distinct());
            var walked = reader.Search(new DenseLeg("", new float[] { 1f, 0f, 0f, 0f }) { Limit = 5 });
            Assert.All(walked.Hits, hit => Assert.Equal(nearest.Hits[0].Score, hit.Score));
            var text = reader.Search(new TextLeg("body", "winter") { Limit = Points, Filter = Color("red") });
            Assert.Equal(red, text.Hits.Count);
            Assert.True(reader.TryGet(new PointId((ulong)random.Next(Points)), new VectorSelector(true), out var point));
            Assert.Equal(nearest.Hits[0].Score, point!.Vectors[0].Values[0]);
            snapshots++;
        }
        while (!stopped());
        return snapshots;
    }

    private static Filter Color(string color) => new() { Must = [new MatchAnyCondition("color", [MatchValue.Of(color)])] };

    private static string CurrentColor(PartitionIndex index)
    {
        using var reader = index.OpenReader();
        return reader.Count(Color("red"), exact: true) > 0 ? "red" : "blue";
    }

    private static void Upsert(OperationWriter writer, int id, string color, float? value)
    {
        writer.Clear();
        if (value is null)
        {
            writer.Begin(OperationKind.OverwritePayload, new PointId((ulong)id));
            writer.Payload(System.Text.Encoding.UTF8.GetBytes($$"""{"color": "{{color}}", "body": "a winter train"}"""));
        }
        else
        {
            writer.Begin(OperationKind.Upsert, new PointId((ulong)id));
            writer.Payload(System.Text.Encoding.UTF8.GetBytes($$"""{"color": "{{color}}", "body": "the winter night"}"""));
            writer.Dense("", [value.Value, 0f, 0f, 0f]);
        }

        writer.End();
    }

    private static void Apply(PartitionIndex index, OperationWriter operation) => Assert.Equal(
        ApplyOutcome.Applied, index.Apply(index.AppliedOperation + 1, new OperationView(operation.Written.Span[4..]), out _));
}
