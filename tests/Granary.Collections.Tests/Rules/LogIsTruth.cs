using Granary.Collections.Diagnostics;
using Granary.Collections.Ports;
using Granary.Collections.Tests.Support;
using Granary.Collections.Writing;
using Granary.Storage.Memory;

namespace Granary.Collections.Tests.Rules;

public sealed class LogIsTruth
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task LosingRepeatingReorderingAndDelayingRingsChangesNothing(int seed)
    {
        await using var storage = new MemoryStorage();
        var key = new PartitionKey(Guid.NewGuid(), 0);
        var log = await storage.OpenLogAsync(key, default);
        var schema = Fixture.Plain.Schema;
        await using var faultless = await Replica.OpenAsync(storage, log, key, schema);
        await using var faulty = await Replica.OpenAsync(storage, log, key with { Number = 1 }, schema);
        var both = new BothFeeds(faultless.Feed, new FaultyFeed(faulty.Feed, seed));
        await using var writer = new PartitionWriter(key, log, both, null, new PhaseTimings());
        var operations = new RandomOperations(seed);
        for (var i = 0; i < 100; i++)
        {
            var batch = operations.Next();
            var count = batch.Operations.Count;
            await writer.AppendAsync(batch.Operations.Detach(), count);
        }

        await faultless.CatchUpAsync(writer.Logged);
        await faulty.CatchUpAsync(writer.Logged);
        Assert.Equal(faultless.Describe(), faulty.Describe());
    }

    [Fact]
    public async Task RecordsHandedOverInMemoryOnlySaveReading()
    {
        await using var storage = new MemoryStorage();
        var key = new PartitionKey(Guid.NewGuid(), 0);
        var log = await storage.OpenLogAsync(key, default);
        // So small that it has gaps.
        var tail = new LogTail(3);
        await using var withTail = await Replica.OpenAsync(storage, log, key, Fixture.Plain.Schema, tail);
        await using var without = await Replica.OpenAsync(storage, log, key with { Number = 1 }, Fixture.Plain.Schema);
        await using var writer = new PartitionWriter(key, log, new BothFeeds(withTail.Feed, without.Feed), tail, new PhaseTimings());
        var operations = new RandomOperations(7);
        for (var i = 0; i < 200; i++)
        {
            var batch = operations.Next();
            var count = batch.Operations.Count;
            await writer.AppendAsync(batch.Operations.Detach(), count);
        }

        await withTail.CatchUpAsync(writer.Logged);
        await without.CatchUpAsync(writer.Logged);
        Assert.Equal(without.Describe(), withTail.Describe());
    }

    private sealed class BothFeeds(IFeed one, IFeed other) : IFeed
    {
        public void Ring(long firstOperation, long lastOperation)
        {
            one.Ring(firstOperation, lastOperation);
            other.Ring(firstOperation, lastOperation);
        }
    }
}
