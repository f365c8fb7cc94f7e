using Granary.Collections.Ports;
using Granary.Collections.Tests.Support;
using Granary.Collections.Writing;
using Granary.Index;

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

    [Fact]
    public async Task WhoOnlyReadsTheLogAndIsRungByNobodyEndsUpTheSame()
    {
        await using var changes = await LoggedChanges.OpenAsync(8);
        await using var rung = await changes.FollowAsync();
        await using var reading = await changes.FollowBesideAsync(1);
        changes.BeginWriting(rung.Feed);
        await changes.WriteAsync(100);
        await rung.CatchUpAsync(changes.Logged);
        await reading.CatchUpAsync(changes.Logged);
        Assert.Equal(rung.Describe(), reading.Describe());
    }

    [Fact]
    public async Task ALogThatCannotBeReachedForAWhileDelaysAndStopsNobody()
    {
        await using var changes = await LoggedChanges.OpenAsync(9);
        await using var faultless = await changes.FollowAsync();
        UnreliableReader? reader = null;
        await using var other = await changes.FollowBesideAsync(1, inner => reader = new UnreliableReader(inner));
        reader!.Broken = true;
        changes.BeginWriting(new BothFeeds(faultless.Feed, other.Feed));
        await changes.WriteAsync(50);
        await faultless.CatchUpAsync(changes.Logged);
        while (reader.Failures < 5)
        {
            other.Time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Assert.Equal(0, other.Indexer.Applied.Value);
        Assert.Null(other.Indexer.Fault);
        reader.Broken = false;
        await other.CatchUpAsync(changes.Logged);
        Assert.Equal(faultless.Describe(), other.Describe());
    }

    /// <summary>While broken it answers as a database that is away.</summary>
    private sealed class UnreliableReader(ILogReader inner) : ILogReader
    {
        private int _failures;

        public bool Broken { get; set; }

        public int Failures => Volatile.Read(ref _failures);

        public long NextOperation => inner.NextOperation;

        public long FirstOperation => inner.FirstOperation;

        public string? RecoveryNote => inner.RecoveryNote;

        public long SizeInBytes => inner.SizeInBytes;

        public ValueTask<long> HeadAsync(CancellationToken cancellation)
        {
            Check();
            return inner.HeadAsync(cancellation);
        }

        public IAsyncEnumerable<LogRecord> ReadAsync(long fromOperation, CancellationToken cancellation)
        {
            Check();
            return inner.ReadAsync(fromOperation, cancellation);
        }

        public ValueTask DisposeAsync() => inner.DisposeAsync();

        private void Check()
        {
            if (!Broken)
                return;
            Interlocked.Increment(ref _failures);
            throw new GranaryException(ErrorKind.Unavailable, "the database is away");
        }
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
