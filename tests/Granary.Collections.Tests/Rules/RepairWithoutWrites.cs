using Granary.Collections.Diagnostics;
using Granary.Collections.Ports;
using Granary.Collections.Tests.Support;
using Granary.Collections.Writing;
using Granary.Index.Search;
using Granary.Storage.Memory;

namespace Granary.Collections.Tests.Rules;

public sealed class RepairWithoutWrites
{
    private const int Points = 1_000;
    private const int Deleted = 600;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task TheGraphIsRepairedAfterALargeDeleteThatNoWriteFollows(bool readerHoldsBack)
    {
        await using var storage = new MemoryStorage();
        var key = new PartitionKey(Guid.NewGuid(), 0);
        var log = await storage.OpenLogAsync(key, default);
        await using var replica = await Replica.OpenAsync(storage, log, key, Fixture.Plain.Schema);
        await using var writer = new PartitionWriter(key, log, replica.Feed, null, new PhaseTimings());
        var random = new Random(5);
        var vectors = Enumerable.Range(0, Points).Select(_ => Batches.Vector(random)).ToArray();
        await WriteAsync(writer, replica, b => AddAll(b, vectors, 0));
        await replica.Indexer.Linked.WaitAsync(writer.Logged, default);
        var bytes = replica.Indexer.Statistics().VectorBytes;

        // As long as a reader from before is there nothing can be freed; nor does anything but the clock come after it left.
        var lease = replica.Indexer.OpenReader();
        if (!readerHoldsBack)
            lease.Dispose();
        await WriteAsync(writer, replica, b =>
        {
            for (ulong id = 0; id < Deleted; id++)
                b.Delete(id);
        });
        if (readerHoldsBack)
        {
            Assert.Equal(Points, lease.Reader.Search(new ScanLeg { Limit = Points }).Hits.Count);
            lease.Dispose();
        }

        await UntilRepairedAsync(replica, vectors);
        // The rows are used again: as many points as were deleted need no more memory.
        await WriteAsync(writer, replica, b => AddAll(b, vectors[..Deleted], Points));
        await replica.Indexer.Linked.WaitAsync(writer.Logged, default);
        Assert.Equal(bytes, replica.Indexer.Statistics().VectorBytes);
        AssertFound(replica, vectors, Deleted, i => i < Deleted ? (ulong)(i + Points) : (ulong)i);
    }

    private static void AddAll(WriteBatch batch, float[][] vectors, ulong first)
    {
        for (var i = 0; i < vectors.Length; i++)
            batch.Upsert(first + (ulong)i, vectors[i]);
    }

    private static async Task WriteAsync(PartitionWriter writer, Replica replica, Action<WriteBatch> fill)
    {
        var batch = new WriteBatch();
        fill(batch);
        var count = batch.Operations.Count;
        await writer.AppendAsync(batch.Operations.Detach(), count);
        await replica.CatchUpAsync(writer.Logged);
    }

    private static async Task UntilRepairedAsync(Replica replica, float[][] vectors)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        for (var round = 0; replica.Indexer.Statistics().DeletedRows > 0 || replica.Indexer.Index.LinkDue; round++)
        {
            limit.Token.ThrowIfCancellationRequested();
            AssertFound(replica, vectors, Deleted + (round % (Points - Deleted)), i => i < Deleted ? null : (ulong)i, 1);
            replica.Time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        using var lease = replica.Indexer.OpenReader();
        Assert.Equal(Points - Deleted, lease.Reader.Search(new ScanLeg { Limit = Points }).Hits.Count);
        AssertFound(replica, vectors, 0, i => i < Deleted ? null : (ulong)i, Points);
    }

    /// <summary>The best match of each vector, by the graph, is the best of those that are there.</summary>
    private static void AssertFound(Replica replica, float[][] vectors, int first, Func<int, ulong?> id, int count = Points)
    {
        using var lease = replica.Indexer.OpenReader();
        for (var i = first; i < Math.Min(first + count, vectors.Length); i++)
        {
            var best = Enumerable.Range(0, vectors.Length).Where(j => id(j) is not null).MaxBy(j => Dot(vectors[i], vectors[j]));
            Assert.Equal(id(best), lease.Reader.Search(new DenseLeg("", vectors[i]) { Limit = 10 }).Hits[0].Id.Number);
        }
    }

    private static float Dot(float[] a, float[] b) => a.Zip(b, (x, y) => x * y).Sum();
}
