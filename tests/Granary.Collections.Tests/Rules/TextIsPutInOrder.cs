using Granary.Collections.Diagnostics;
using Granary.Collections.Ports;
using Granary.Collections.Tests.Support;
using Granary.Collections.Writing;
using Granary.Index;
using Granary.Index.Search;
using Granary.Storage.Memory;

namespace Granary.Collections.Tests.Rules;

public sealed class TextIsPutInOrder
{
    private const int Points = 3_000;

    [Fact]
    public async Task WhenNothingIsWrittenAndAnswersStay()
    {
        await using var storage = new MemoryStorage();
        var key = new PartitionKey(Guid.NewGuid(), 0);
        var log = await storage.OpenLogAsync(key, default);
        await using var replica = await Replica.OpenAsync(
            storage, log, key, new IndexSchema { Text = [new TextFieldSchema("text", "text")] });
        var index = replica.Indexer.Index;
        index.LeastOrdered = Points;
        await using var writer = new PartitionWriter(key, log, replica.Feed, null, new PhaseTimings());
        await WriteAsync(writer, replica, 0, Points);
        var before = Search(replica);
        Assert.Equal(100, before.Count);

        // The clock ticks, and nothing comes.
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        while (index.OrderDue || index.RemakeDue)
        {
            limit.Token.ThrowIfCancellationRequested();
            replica.Time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Assert.Equal(before, Search(replica));

        // What is written goes on as before.
        await WriteAsync(writer, replica, Points - 10, Points + 10);
        Assert.Equal(100, Search(replica).Count);
        Assert.False(index.OrderDue);
        Assert.Null(replica.Indexer.Fault);
    }

    private static List<LegHit> Search(Replica replica)
    {
        using var lease = replica.Indexer.OpenReader();
        return [.. lease.Reader.Search(new TextLeg("text", "w7 w3") { Limit = 100 }).Hits];
    }

    private static async Task WriteAsync(PartitionWriter writer, Replica replica, int from, int to)
    {
        var batch = new WriteBatch();
        for (var i = from; i < to; i++)
        {
            var words = string.Join(' ', Enumerable.Range(0, 8).Select(w => $"w{i * (w + 3) % 97}"));
            batch.Upsert((ulong)i, payload: $$"""{"text":"{{words}}"}""");
        }

        var count = batch.Operations.Count;
        await writer.AppendAsync(batch.Operations.Detach(), count);
        await replica.CatchUpAsync(writer.Logged);
    }
}
