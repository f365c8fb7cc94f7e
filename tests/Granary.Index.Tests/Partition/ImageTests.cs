using System.Text;
using Granary.Index.Filters;
using Granary.Index.Operations;
using Granary.Index.Search;
using Granary.Index.Tests.Checkpoints;

namespace Granary.Index.Tests.Partition;

/// <summary>Images that are written while operations are applied, linked and reclaimed on other threads.</summary>
public sealed class ImageTests
{
    private const int Ids = 1500;

    private static readonly IndexSchema Schema = new()
    {
        Dense =
        [
            new DenseVectorSchema("cosine", 24, Distance.Cosine) { Hnsw = new HnswSettings { M = 8, EfConstruct = 32 } },
            new DenseVectorSchema("flat", 4, Distance.Dot) { Hnsw = new HnswSettings { M = 0 } },
            new DenseVectorSchema("multi", 4, Distance.Dot) { MultiVector = true },
        ],
        Sparse = [new SparseVectorSchema("sparse", true)],
        Text = [new TextFieldSchema("body", "body")],
        PayloadIndexes =
        [
            new PayloadIndexSchema("n", PayloadIndexType.Integer), new PayloadIndexSchema("tag", PayloadIndexType.Keyword),
            new PayloadIndexSchema("body", PayloadIndexType.Text),
        ],
    };

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task AnImageWrittenBesideApplyingIsThatOfItsOperation(int seed)
    {
        var operations = Operations(seed, 9000);
        var images = new List<(long Operation, MemoryCheckpoint Image)>();
        using var index = new PartitionIndex(Schema);
        using var done = new CancellationTokenSource();
        var applying = new Lock();
        var applier = Task.Run(() =>
        {
            for (var i = 0; i < operations.Count; i++)
            {
                lock (applying)
                {
                    index.Apply(i + 1, new OperationView(operations[i]), out _);
                    if (i % 32 == 0)
                        index.Reclaim();
                }
            }

            done.Cancel();
        });
        var linker = Task.Run(() =>
        {
            while (!done.IsCancellationRequested)
                index.Link(64, 1, CancellationToken.None);
        });
        while (!done.IsCancellationRequested)
        {
            using var image = index.BeginCheckpoint(CancellationToken.None);
            long operation;
            lock (applying)
                operation = image.Freeze();
            var checkpoint = new MemoryCheckpoint();
            image.Write(checkpoint, CancellationToken.None);
            images.Add((operation, checkpoint));
        }

        await Task.WhenAll(applier, linker);
        Assert.True(images.Count > 2, $"{images.Count} images");
        using var expected = new PartitionIndex(Schema);
        var every = Math.Max(1, images.Count / 12);
        foreach (var (operation, image) in images.Where((_, i) => i % every == 0))
        {
            if (operation < expected.AppliedOperation)
                continue;
            while (expected.AppliedOperation < operation)
            {
                var next = expected.AppliedOperation;
                expected.Apply(next + 1, new OperationView(operations[(int)next]), out _);
            }

            expected.Reclaim();
            using var read = PartitionIndex.ReadCheckpoint(image);
            Assert.Equal(Describe(expected), Describe(read));
            CheckGraph(read);

            // It goes on from there as the other does.
            var until = Math.Min(operations.Count, operation + 200);
            for (var i = (int)operation; i < until; i++)
                read.Apply(i + 1, new OperationView(operations[i]), out _);
            for (var i = (int)operation; i < until; i++)
                expected.Apply(i + 1, new OperationView(operations[i]), out _);
            read.Reclaim();
            Assert.Equal(Describe(expected), Describe(read));
        }
    }

    [Fact]
    public void NothingIsLostWhenAnImageIsGivenUp()
    {
        var operations = Operations(3, 400);
        using var index = new PartitionIndex(Schema);
        for (var i = 0; i < operations.Count; i++)
        {
            index.Apply(i + 1, new OperationView(operations[i]), out _);
            if (i % 50 != 0)
                continue;
            // Begun only; frozen; half written.
            index.BeginCheckpoint(CancellationToken.None).Dispose();
            using (var frozen = index.BeginCheckpoint(CancellationToken.None))
                Assert.Equal(i + 1, frozen.Freeze());
            using var half = index.BeginCheckpoint(CancellationToken.None);
            half.Freeze();
            var full = new MemoryCheckpoint { Creating = s => throw new IOException(s) };
            Assert.Throws<IOException>(() => half.Write(full, CancellationToken.None));
        }

        index.Reclaim();
        Assert.False(index.ReclaimDue);
        index.Link(int.MaxValue, 1, CancellationToken.None);
        Assert.Equal(operations.Count, index.LinkedOperation);
    }

    // Every living point is found through the graph from itself, or is one of very few that the graph may miss.
    private static void CheckGraph(PartitionIndex index)
    {
        index.Link(int.MaxValue, 1, CancellationToken.None);
        using var reader = index.OpenReader();
        int asked = 0, found = 0;
        foreach (var hit in reader.Search(new ScanLeg { Limit = Ids }).Hits)
        {
            Assert.True(reader.TryGet(hit.Id, new VectorSelector(false, ["cosine"]), out var point));
            if (point!.Vectors.Length == 0)
                continue;
            asked++;
            var best = reader.Search(new DenseLeg("cosine", point.Vectors[0].Values) { Limit = 1, Ef = 64 }).Hits;
            found += best.Count == 1 && best[0].Id == hit.Id ? 1 : 0;
        }

        Assert.True(found >= asked * 0.98, $"{found} of {asked}");
    }

    private static List<string> Describe(PartitionIndex index)
    {
        using var reader = index.OpenReader();
        var lines = new List<string> { $"{reader.Operation} {index.PointCount}" };
        foreach (var hit in reader.Search(new ScanLeg { Limit = Ids }).Hits)
        {
            Assert.True(reader.TryGet(hit.Id, new VectorSelector(true), out var point));
            lines.Add($"{point!.Id} @{point.Operation} {Encoding.UTF8.GetString(point.Payload.Span)} "
                + string.Join(" ", point.Vectors.Select(v => $"{v.Name}={string.Join(",", v.Values)}")));
        }

        foreach (var filter in new[] { null, Is("n", MatchValue.Of(3L)), Is("tag", MatchValue.Of("b")) })
        {
            foreach (var leg in new Leg[]
            {
                new DenseLeg("cosine", Floats(new Random(1), 24)) { Exact = true, Limit = 100, Filter = filter },
                new DenseLeg("flat", Floats(new Random(2), 4)) { Exact = true, Limit = 100, Filter = filter },
                new DenseLeg("multi", Floats(new Random(3), 8)) { Rows = 2, Limit = 100, Filter = filter },
                new SparseLeg("sparse", [1, 5, 9], [0.5f, 2, 1.25f]) { Limit = 100, Filter = filter },
                new TextLeg("body", "night train w17") { Limit = 100, Filter = filter },
                new OrderLeg("n", true) { Limit = 100, Filter = filter },
            })
            {
                lines.AddRange(reader.Search(leg).Hits.Select(h => $"{leg.GetType().Name} {h.Id} {h.Score:R}"));
            }

            lines.Add($"{reader.Count(filter, exact: true)}");
            lines.AddRange(reader.Facet("tag", filter, 10, exact: true).Select(f => $"{f.Value.Text} {f.Count}"));
        }

        return lines;
    }

    private static List<byte[]> Operations(int seed, int count)
    {
        var random = new Random(seed);
        var writer = new OperationWriter();
        var operations = new List<byte[]>();
        while (operations.Count < count)
        {
            writer.Clear();
            var id = new PointId((ulong)random.Next(Ids));
            switch (random.Next(20))
            {
                case < 12:
                    writer.Begin(OperationKind.Upsert, id);
                    writer.Payload(Payload(random));
                    if (random.Next(10) > 0)
                        writer.Dense("cosine", Floats(random, 24));
                    writer.Dense("flat", Floats(random, 4));
                    if (random.Next(4) > 0)
                        writer.Multi("multi", 2, 4, Floats(random, 8));
                    if (random.Next(4) > 0)
                        writer.Sparse("sparse", [1, (uint)(2 + random.Next(6)), 9], Floats(random, 3));
                    break;
                case < 15:
                    writer.Begin(OperationKind.SetPayload, id);
                    writer.Payload(Encoding.UTF8.GetBytes($$"""{"n":{{random.Next(8)}}}"""));
                    break;
                case < 18:
                    writer.Begin(OperationKind.Delete, id);
                    break;
                case 18:
                    writer.Begin(OperationKind.DeleteVectors, id);
                    writer.Key("""["cosine", "multi"]"""u8);
                    break;
                default:
                    writer.Begin(OperationKind.UpdateVectors, id);
                    writer.Dense("cosine", Floats(random, 24));
                    break;
            }

            writer.End();
            operations.Add(writer.Written[4..].ToArray());
        }

        return operations;
    }

    private static byte[] Payload(Random random)
    {
        var words = string.Join(' ', Enumerable.Range(0, 1 + random.Next(6)).Select(_ => $"w{random.Next(60)}"));
        return Encoding.UTF8.GetBytes(
            $$"""{"n":{{random.Next(8)}},"tag":"{{(char)('a' + random.Next(4))}}","body":"night {{words}} train"}""");
    }

    private static Filter Is(string key, MatchValue value) => new() { Must = [new MatchAnyCondition(key, [value])] };

    private static float[] Floats(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.4f)];
}
