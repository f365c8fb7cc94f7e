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
        List<LegHit> before;
        using (var lease = replica.Indexer.OpenReader())
            before = [.. lease.Reader.Search(Leg).Hits];

        // No ring and no tick of the clock comes any more.
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        while (replica.Indexer.Index.RemakeDue)
        {
            limit.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        using (var lease = replica.Indexer.OpenReader())
            Assert.Equal(before, lease.Reader.Search(Leg).Hits);

        // It hears of the next write at once.
        await WriteAsync(writer, replica, 0, Batch);
        Assert.Null(replica.Indexer.Fault);
    }

    private static TextLeg Leg => new("text", "w7 number") { Limit = 100 };

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
}
