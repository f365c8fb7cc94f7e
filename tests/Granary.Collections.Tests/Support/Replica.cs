using Granary.Collections.Feeds;
using Granary.Collections.Indexing;
using Granary.Collections.Ports;
using Granary.Collections.Writing;
using Granary.Index;
using Granary.Index.Search;

namespace Granary.Collections.Tests.Support;

/// <summary>An indexer on a log of its own partition's, with checkpoints in another, so that several can follow one log.</summary>
internal sealed class Replica : IAsyncDisposable
{
    private Replica(InProcessFeed feed, PartitionIndexer indexer, ManualTime time) => (Feed, Indexer, Time) = (feed, indexer, time);

    public InProcessFeed Feed { get; }

    public PartitionIndexer Indexer { get; }

    public ManualTime Time { get; }

    public static async Task<Replica> OpenAsync(
        IStorage storage, ILogReader log, PartitionKey checkpoints, IndexSchema schema, LogTail? tail = null,
        IngestionSettings? ingestion = null,
        Action<long>? onLinked = null, Func<ICheckpointStore, ICheckpointStore>? wrap = null)
    {
        var time = new ManualTime();
        var feed = new InProcessFeed(time);
        var store = await storage.OpenCheckpointsAsync(checkpoints, default);
        var indexer = await PartitionIndexer.OpenAsync(
            new IndexerOptions
            {
                Key = checkpoints,
                Log = log,
                Checkpoints = wrap?.Invoke(store) ?? store,
                Feed = feed,
                Tail = tail,
                InitialSchema = schema,
                Ingestion = ingestion ?? new IngestionSettings { BatchDelay = TimeSpan.Zero },
                Time = time,
                OnLinked = onLinked,
            },
            default);
        return new Replica(feed, indexer, time);
    }

    /// <summary>Waits until everything logged is applied; a lost ring is made good by the clock.</summary>
    public async Task CatchUpAsync(long operation)
    {
        var reached = Indexer.Applied.WaitAsync(operation, default).AsTask();
        while (!reached.IsCompleted)
        {
            Time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        await reached;
    }

    /// <summary>Every point, and the scores of some exact queries, as text.</summary>
    public List<string> Describe()
    {
        using var lease = Indexer.OpenReader();
        var lines = new List<string>();
        foreach (var hit in lease.Reader.Search(new ScanLeg { Limit = 1_000_000 }).Hits)
        {
            Assert.True(lease.Reader.TryGet(hit.Id, new VectorSelector(true), out var point));
            var vectors = point!.Vectors.OrderBy(v => v.Name, StringComparer.Ordinal)
                .Select(v => $"{v.Name}=[{string.Join(",", v.Values)}]");
            lines.Add($"{point.Id} @{point.Operation} {System.Text.Encoding.UTF8.GetString(point.Payload.Span)} "
                + $"{string.Join(" ", vectors)}");
        }

        foreach (var leg in ExactLegs())
        {
            lines.AddRange(lease.Reader.Search(leg).Hits
                .Select(h => $"{leg.GetType().Name} {h.Id} {BitConverter.SingleToUInt32Bits(h.Score):X8}"));
        }

        return lines;
    }

    private static IEnumerable<Leg> ExactLegs()
    {
        float[] first = [1, -1, 0.5f, 0, 0, 2, 0, 1];
        float[] second = [-0.3f, 0.7f, 0.11f, -1.9f, 0.05f, 0.6f, 0.2f, -0.4f];
        foreach (var filter in new[] { null, Batches.Has("n", 1), Batches.Has("n", 3) })
        {
            yield return new DenseLeg("", first) { Exact = true, Limit = 50, Filter = filter };
            yield return new DenseLeg("", second) { Exact = true, Limit = 50, Filter = filter };
            yield return new ExampleLeg("", ExampleStrategy.SumScores)
            {
                Positive = [new ExampleVector(first)],
                Negative = [new ExampleVector(second)],
                Limit = 50,
                Filter = filter,
            };
            yield return new TextLeg("text", "alpha beta") { Limit = 50, Filter = filter };
            yield return new TextLeg("text", "gamma") { Limit = 3, Filter = filter };
            yield return new ScanLeg { Limit = 50, Filter = filter };
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Indexer.DisposeAsync();
        Feed.Dispose();
    }
}
