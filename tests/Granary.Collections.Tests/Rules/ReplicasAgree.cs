using Granary.Collections.Diagnostics;
using Granary.Collections.Ports;
using Granary.Collections.Tests.Support;
using Granary.Collections.Writing;
using Granary.Index;
using Granary.Storage.Memory;

namespace Granary.Collections.Tests.Rules;

public sealed class ReplicasAgree
{
    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(13)]
    public async Task TwoReplicasOfOneLogAnswerAlikeAndAsTheModelSays(int seed)
    {
        await using var storage = new MemoryStorage();
        var key = new PartitionKey(Guid.NewGuid(), 0);
        var log = await storage.OpenLogAsync(key, default);
        // Cosine: a vector that is normalised twice may differ in its last bit, and so may its scores.
        var schema = Fixture.Plain.Schema with { Dense = [new DenseVectorSchema("", 8, Distance.Cosine)] };
        await using var one = await Replica.OpenAsync(storage, log, key, schema);
        await using var rebuilt = await Replica.OpenAsync(storage, log, key with { Number = 50 }, schema);
        await using var writer = new PartitionWriter(key, log, one.Feed, null, new PhaseTimings());
        var operations = new RandomOperations(seed);
        for (var round = 0; round < 5; round++)
        {
            for (var i = 0; i < 40; i++)
            {
                var batch = operations.Next();
                var count = batch.Operations.Count;
                await writer.AppendAsync(batch.Operations.Detach(), count);
            }

            await one.CatchUpAsync(writer.Logged);
            // A replica that begins now, one that begins at the other's checkpoint, and one that was rebuilt.
            await using var late = await Replica.OpenAsync(storage, log, key with { Number = 100 + round }, schema);
            await late.CatchUpAsync(writer.Logged);
            Assert.Equal(one.Describe(), late.Describe());
            if (round == 2)
                await one.Indexer.CheckpointAsync(default);
            await using var fromCheckpoint = await Replica.OpenAsync(storage, log, key, schema);
            await fromCheckpoint.CatchUpAsync(writer.Logged);
            Assert.Equal(one.Describe(), fromCheckpoint.Describe());
            // Rebuilt in the middle of things, and applying what follows to what was rebuilt.
            await rebuilt.Indexer.RebuildAsync(default);
            await rebuilt.CatchUpAsync(writer.Logged);
            Assert.Equal(one.Describe(), rebuilt.Describe());
            await rebuilt.Indexer.RebuildAsync(default);
            Assert.Equal(one.Describe(), rebuilt.Describe());
            Assert.Equal(operations.Model.Keys.Select(k => k.ToString()), Ids(one.Describe()));
        }
    }

    [Fact]
    public async Task ApplyingIsIdempotent()
    {
        await using var storage = new MemoryStorage();
        var key = new PartitionKey(Guid.NewGuid(), 0);
        var log = await storage.OpenLogAsync(key, default);
        // One record comes twice in memory and once more from the log.
        var tail = new LogTail(1000);
        await using var replica = await Replica.OpenAsync(storage, log, key, Fixture.Plain.Schema, tail);
        await using var writer = new PartitionWriter(key, log, replica.Feed, tail, new PhaseTimings());
        var operations = new RandomOperations(3);
        for (var i = 0; i < 50; i++)
        {
            var batch = operations.Next();
            var count = batch.Operations.Count;
            var bytes = batch.Operations.Detach();
            var last = await writer.AppendAsync(bytes, count);
            tail.Add(new LogRecord(last - count + 1, count, Guid.NewGuid(), bytes));
            replica.Feed.Ring(1, last);
        }

        await replica.CatchUpAsync(writer.Logged);
        await using var other = await Replica.OpenAsync(storage, log, key with { Number = 1 }, Fixture.Plain.Schema);
        await other.CatchUpAsync(writer.Logged);
        Assert.Equal(other.Describe(), replica.Describe());
    }

    private static IEnumerable<string> Ids(List<string> lines) =>
        lines.Where(l => char.IsDigit(l[0])).Select(l => l[..l.IndexOf(' ', StringComparison.Ordinal)]);
}
