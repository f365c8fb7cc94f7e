using System.Runtime.CompilerServices;
using Granary.Collections.Diagnostics;
using Granary.Collections.Ports;
using Granary.Collections.Tests.Support;
using Granary.Collections.Writing;
using Granary.Index;
using Granary.Index.Search;
using Granary.Storage.Memory;

namespace Granary.Collections.Tests.Rules;

public sealed class TextIsMadeAnewWithoutWrites
{
    // A text field is made anew once more than 16,384 of its documents are gone; of so many with ten words each it takes several pieces.
    private const int Points = 16_500;
    private const int Batch = 500;

    [Fact]
    public async Task WhatIsDoneInPiecesGoesOnWhenNothingIsWrittenAnyMore()
    {
        await using var storage = new MemoryStorage();
        var key = new PartitionKey(Guid.NewGuid(), 0);
        var log = await storage.OpenLogAsync(key, default);
        await using var replica = await Replica.OpenAsync(
            storage, log, key, new IndexSchema { Text = [new TextFieldSchema("text", "text")] });
        await using var writer = new PartitionWriter(key, log, replica.Feed, null, new PhaseTimings());
        await WriteAsync(writer, replica, 0, Points);
        await WriteAsync(writer, replica, Points, (2 * Points) + 10);
        var before = Search(replica);

        // No ring and no tick of the clock comes any more.
        await WhileAsync(() => replica.Indexer.Index.RemakeDue);

        Assert.Equal(before, Search(replica));

        // It hears of the next write at once.
        await WriteAsync(writer, replica, 0, Batch);
        Assert.Null(replica.Indexer.Fault);
    }

    [Fact]
    public async Task ALargeFieldIsPutInOrderWhenNothingComesAndAnswersStay()
    {
        await using var storage = new MemoryStorage();
        var key = new PartitionKey(Guid.NewGuid(), 0);
        var log = await storage.OpenLogAsync(key, default);
        await using var replica = await Replica.OpenAsync(
            storage, log, key, new IndexSchema { Text = [new TextFieldSchema("text", "text")] });
        await using var writer = new PartitionWriter(key, log, replica.Feed, null, new PhaseTimings());
        var index = replica.Indexer.Index;
        index.LeastOrdered = Points;
        await WriteAsync(writer, replica, 0, Points);
        var before = Search(replica);

        // The clock ticks, and nothing comes.
        await WhileAsync(() =>
        {
            replica.Time.Advance(TimeSpan.FromSeconds(1));
            return index.OrderDue || index.RemakeDue;
        });

        Assert.Equal(before, Search(replica));
        await WriteAsync(writer, replica, 0, Batch);
        Assert.False(index.OrderDue);
        Assert.Null(replica.Indexer.Fault);
    }

    [Fact]
    public async Task ALogThatIsOutOfReachIsNotAskedAgainAndAgainMeanwhile()
    {
        await using var storage = new MemoryStorage();
        var key = new PartitionKey(Guid.NewGuid(), 0);
        var log = await storage.OpenLogAsync(key, default);
        var reader = new LogOutOfReach(await storage.OpenLogReaderAsync(key, default), (2 * Points) + 10);
        await using var replica = await Replica.OpenAsync(
            storage, reader, key, new IndexSchema { Text = [new TextFieldSchema("text", "text")] });
        await using var writer = new PartitionWriter(key, log, replica.Feed, null, new PhaseTimings());
        await WriteAsync(writer, replica, 0, Points);
        await WriteAsync(writer, replica, Points, 2 * Points);

        // The last operations, with which most documents are gone, are read; then there is more, and the log cannot be reached.
        replica.Feed.Ring(1, (2 * Points) + 20);
        await WriteAsync(writer, replica, 2 * Points, (2 * Points) + 10);
        await WhileAsync(() => replica.Indexer.Index.RemakeDue);

        Assert.InRange(reader.Refusals, 0, 3);
        Assert.Null(replica.Indexer.Fault);

        // When it can be again, the clock makes good what was missed.
        reader.IsReached = true;
        var batch = new WriteBatch();
        for (var i = 0; i < 10; i++)
            batch.Delete((ulong)i);
        await writer.AppendAsync(batch.Operations.Detach(), 10);
        await replica.CatchUpAsync(writer.Logged);
    }

    private static async Task WhileAsync(Func<bool> isDue)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        while (isDue())
        {
            limit.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private static List<LegHit> Search(Replica replica)
    {
        using var lease = replica.Indexer.OpenReader();
        List<LegHit> hits = [.. lease.Reader.Search(new TextLeg("text", "w7 number") { Limit = 100 }).Hits];
        Assert.Equal(100, hits.Count);
        return hits;
    }

    private static async Task WriteAsync(PartitionWriter writer, Replica replica, int from, int to)
    {
        for (var first = from; first < to; first += Batch)
        {
            var batch = new WriteBatch();
            for (var i = first; i < Math.Min(to, first + Batch); i++)
            {
                var words = string.Join(' ', Enumerable.Range(0, 8).Select(w => $"w{(i * (w + 3)) % 97}"));
                batch.Upsert((ulong)(i % Points), payload: $$"""{"text":"number n{{i}} {{words}}"}""");
            }

            var count = batch.Operations.Count;
            await writer.AppendAsync(batch.Operations.Detach(), count);
        }

        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        await replica.Indexer.Applied.WaitAsync(writer.Logged, limit.Token);
    }

    /// <summary>A log that cannot be reached any more once an operation was read, until it is said that it can.</summary>
    private sealed class LogOutOfReach(ILogReader inner, long after) : ILogReader
    {
        private int _refusals;
        private volatile bool _isLost;
        private volatile bool _isReached;

        public bool IsReached
        {
            get => _isReached;
            set => _isReached = value;
        }

        public int Refusals => Volatile.Read(ref _refusals);

        public long NextOperation => inner.NextOperation;

        public long FirstOperation => inner.FirstOperation;

        public string? RecoveryNote => inner.RecoveryNote;

        public long SizeInBytes => inner.SizeInBytes;

        public ValueTask<long> HeadAsync(CancellationToken cancellation)
        {
            Refuse();
            return inner.HeadAsync(cancellation);
        }

        public async IAsyncEnumerable<LogRecord> ReadAsync(
            long fromOperation, [EnumeratorCancellation] CancellationToken cancellation)
        {
            Refuse();
            await foreach (var record in inner.ReadAsync(fromOperation, cancellation))
            {
                _isLost |= record.LastOperation >= after;
                yield return record;
            }
        }

        public ValueTask DisposeAsync() => inner.DisposeAsync();

        private void Refuse()
        {
            if (!_isLost || _isReached)
                return;
            Interlocked.Increment(ref _refusals);
            throw new GranaryException(ErrorKind.Unavailable, "The log cannot be reached");
        }
    }
}
