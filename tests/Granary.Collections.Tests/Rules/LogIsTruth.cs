using Granary.Collections.Ports;
using Granary.Collections.Tests.Support;
using Granary.Collections.Writing;

namespace Granary.Collections.Tests.Rules;

public sealed class LogIsTruth
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task LosingRepeatingReorderingAndDelayingRingsChangesNothing(int seed)
    {
        await using var changes = await LoggedChanges.OpenAsync(seed);
        await using var faultless = await changes.FollowAsync();
        await using var faulty = await changes.FollowAsync(1);
        changes.BeginWriting(new BothFeeds(faultless.Feed, new FaultyFeed(faulty.Feed, seed)));
        await changes.WriteAsync(100);
        await faultless.CatchUpAsync(changes.Logged);
        await faulty.CatchUpAsync(changes.Logged);
        Assert.Equal(faultless.Describe(), faulty.Describe());
    }

    [Fact]
    public async Task RecordsHandedOverInMemoryOnlySaveReading()
    {
        await using var changes = await LoggedChanges.OpenAsync(7);
        // So small that it has gaps.
        var tail = new LogTail(3);
        await using var withTail = await changes.FollowAsync(0, tail);
        await using var without = await changes.FollowAsync(1);
        changes.BeginWriting(new BothFeeds(withTail.Feed, without.Feed), tail);
        await changes.WriteAsync(200);
        await withTail.CatchUpAsync(changes.Logged);
        await without.CatchUpAsync(changes.Logged);
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
