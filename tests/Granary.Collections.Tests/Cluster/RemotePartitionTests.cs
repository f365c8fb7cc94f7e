using Granary.Collections.Partitions;
using Granary.Collections.Ports;
using Granary.Collections.Tests.Support;
using Granary.Collections.Wire;
using Granary.Index;
using Granary.Storage.Memory;

namespace Granary.Collections.Tests.Cluster;

/// <summary>Which replica answers, when another one is asked, and what is said when none can; with replicas that are played.</summary>
public sealed class RemotePartitionTests
{
    private static readonly ReadOptions Loose = new() { Strong = false };
    private readonly ManualTime _time = new();

    [Fact]
    public async Task ASlowReplicaIsOvertakenByAnother()
    {
        var slow = new Played(_ => new TaskCompletionSource<long>().Task);
        var fast = new Played(_ => Task.FromResult(2L));
        Assert.Equal(2, await PumpAsync(Reach(slow, fast).Search.CountAsync(null, true, Loose, default).AsTask()));
        Assert.Equal((1, 1), (slow.Asked, fast.Asked));
        Assert.True(slow.Cancelled);
    }

    [Fact]
    public async Task AQuickAnswerAsksNobodyElse()
    {
        var (first, second) = (new Played(_ => Task.FromResult(1L)), new Played(_ => Task.FromResult(2L)));
        Assert.Equal(1, await Reach(first, second).Search.CountAsync(null, true, Loose, default));
        Assert.Equal((1, 0), (first.Asked, second.Asked));
    }

    [Fact]
    public async Task OneThatFailsIsFollowedByAnotherAndLeftAloneForAWhile()
    {
        var broken = new Played(_ => Task.FromException<long>(new IOException("connection reset")));
        var good = new Played(_ => Task.FromResult(2L));
        var remote = Reach(broken, good);
        for (var i = 0; i < 5; i++)
            Assert.Equal(2, await remote.Search.CountAsync(null, true, Loose, default));
        Assert.Equal((1, 5), (broken.Asked, good.Asked));
        // Later it is asked again, and when it failed again it is left alone for longer.
        _time.Advance(TimeSpan.FromMilliseconds(101));
        for (var i = 0; i < 4; i++)
            Assert.Equal(2, await remote.Search.CountAsync(null, true, Loose, default));
        Assert.Equal(2, broken.Asked);
        _time.Advance(TimeSpan.FromMilliseconds(101));
        for (var i = 0; i < 4; i++)
            Assert.Equal(2, await remote.Search.CountAsync(null, true, Loose, default));
        Assert.Equal(2, broken.Asked);
    }

    [Fact]
    public async Task TheOneHereIsAskedFirst()
    {
        var (far, near) = (new Played(_ => Task.FromResult(1L)), new Played(_ => Task.FromResult(2L)) { IsLocal = true });
        var remote = Reach(far, near);
        for (var i = 0; i < 5; i++)
            Assert.Equal(2, await remote.Search.CountAsync(null, true, Loose, default));
        Assert.Equal(0, far.Asked);
    }

    [Fact]
    public async Task WhenNoneAnswersTheErrorNamesThePartitionAndTheReasonOfEach()
    {
        var remote = Reach(
            new Played(_ => Task.FromException<long>(new IOException("connection reset"))),
            new Played(_ => Task.FromException<long>(new GranaryException(ErrorKind.Unavailable, "it is opening"))));
        var error = await Assert.ThrowsAsync<GranaryException>(() => remote.Search.CountAsync(null, true, Loose, default).AsTask());
        Assert.Equal(ErrorKind.Unavailable, error.Kind);
        Assert.Equal(
            "Partition 7 is unavailable: no replica answers (replica 0: connection reset; replica 1: it is opening)", error.Message);
    }

    [Fact]
    public async Task AReadWaitsForAReplicaThatMovesButNotForEver()
    {
        var calls = 0;
        var moving = new Played(_ => ++calls < 4
            ? Task.FromException<long>(new GranaryException(ErrorKind.Unavailable, "it is moving")) : Task.FromResult(5L));
        var options = new RemotePartitionOptions { ReadPatience = TimeSpan.FromSeconds(5) };
        Assert.Equal(5, await PumpAsync(Reach(options, moving).Search.CountAsync(null, true, Loose, default).AsTask()));
        Assert.Equal(4, moving.Asked);
        var gone = new Played(_ => Task.FromException<long>(new GranaryException(ErrorKind.Unavailable, "it is gone")));
        var error = await Assert.ThrowsAsync<GranaryException>(
            () => PumpAsync(Reach(options, gone).Search.CountAsync(null, true, Loose, default).AsTask()));
        Assert.Contains("replica 0: it is gone", error.Message);
        Assert.InRange(gone.Asked, 10, 30);
    }

    [Fact]
    public async Task AReplicaThatDidNotServeYetIsAskedAgainWhileAnotherStandsStill()
    {
        // One has no lease yet, the other is in a process that was stopped: it says nothing until somebody finds it dead, much later.
        var calls = 0;
        var still = new Played(_ => new TaskCompletionSource<long>().Task);
        var opening = new Played(_ => ++calls < 3
            ? Task.FromException<long>(new GranaryException(ErrorKind.Unavailable, "it has no lease yet")) : Task.FromResult(5L))
        {
            IsLocal = true,
        };
        Assert.Equal(5, await PumpAsync(Reach(still, opening).Search.CountAsync(null, true, Loose, default).AsTask()));
        Assert.Equal((1, 3), (still.Asked, opening.Asked));
        Assert.True(still.Cancelled);
    }

    [Fact]
    public async Task AReadThatLearntLateThatNobodyAnswersIsMadeAgain()
    {
        // It takes as long as it takes until a process that stands still counts as dead.
        var (dead, calls) = (new TaskCompletionSource<long>(), 0);
        var only = new Played(_ => ++calls == 1 ? dead.Task : Task.FromResult(5L));
        var options = new RemotePartitionOptions { ReadPatience = TimeSpan.FromSeconds(5) };
        var count = Reach(options, only).Search.CountAsync(null, true, Loose, default).AsTask();
        _time.Advance(TimeSpan.FromSeconds(20));
        dead.SetException(new GranaryException(ErrorKind.Unavailable, "the silo became unavailable"));
        Assert.Equal(5, await PumpAsync(count));
        Assert.Equal(2, only.Asked);
    }

    [Theory]
    [InlineData(ErrorKind.BadInput)]
    [InlineData(ErrorKind.NotFound)]
    [InlineData(ErrorKind.Validation)]
    public async Task AWrongRequestIsAnsweredAtOnce(ErrorKind kind)
    {
        var first = new Played(_ => Task.FromException<long>(new GranaryException(kind, "wrong")));
        var second = new Played(_ => Task.FromResult(1L));
        var error = await Assert.ThrowsAsync<GranaryException>(
            () => Reach(first, second).Search.CountAsync(null, true, Loose, default).AsTask());
        Assert.Equal((kind, "wrong"), (error.Kind, error.Message));
        Assert.Equal(0, second.Asked);
    }

    [Fact]
    public async Task ATimeLimitIsKeptAndCancellationIsPassedOn()
    {
        var (one, two) = (new Played(_ => new TaskCompletionSource<long>().Task), new Played(_ => new TaskCompletionSource<long>().Task));
        var remote = Reach(one, two);
        var error = await Assert.ThrowsAsync<GranaryException>(() => PumpAsync(
            remote.Search.CountAsync(null, true, Loose with { Timeout = TimeSpan.FromSeconds(3) }, default).AsTask()));
        Assert.Equal(ErrorKind.Timeout, error.Kind);
        Assert.True(one.Cancelled && two.Cancelled);
        using var gone = new CancellationTokenSource();
        var count = remote.Search.CountAsync(null, true, Loose, gone.Token).AsTask();
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => count);
    }

    [Fact]
    public async Task EarlyHedgesAreAtMostATenthOfTheRequestsAndTheOthersAreHedgedLate()
    {
        // The nearer one never answers, and is asked again each time.
        var slow = new Played(_ => new TaskCompletionSource<long>().Task) { IsLocal = true };
        var fast = new Played(_ => Task.FromResult(2L));
        var remote = Reach(slow, fast);
        for (var i = 0; i < 10; i++)
            Assert.Equal(2, await PumpAsync(remote.Search.CountAsync(null, true, Loose, default).AsTask()));
        var early = 0;
        for (var i = 0; i < 40; i++)
        {
            var began = _time.GetTimestamp();
            Assert.Equal(2, await PumpAsync(
                remote.Search.CountAsync(null, true, Loose with { Timeout = TimeSpan.FromSeconds(3) }, default).AsTask()));
            if (_time.GetElapsedTime(began) < new RemotePartitionOptions().MostHedge)
                early++;
        }

        Assert.InRange(early, 0, 6);
    }

    [Fact]
    public async Task AReadThatDoesNotSayIsAsTheHostHasIt()
    {
        foreach (var strong in new[] { false, true })
        {
            var asked = new List<bool?>();
            var replica = new Played(message =>
            {
                asked.Add(CallWire.DecodeCount(message).Read.Strong);
                return Task.FromResult(1L);
            });
            var remote = new RemotePartition(
                Key, new FakeLeader(), [replica], new MemoryStorage().Leases, new RemotePartitionOptions { StrongReads = strong }, _time);
            await remote.Search.CountAsync(null, true, new ReadOptions(), default);
            await remote.Search.CountAsync(null, true, new ReadOptions { Strong = true }, default);
            await remote.Search.CountAsync(null, true, new ReadOptions { Strong = false }, default);
            Assert.Equal([strong, true, false], asked);
        }
    }

    [Fact]
    public async Task AWriteIsSentAgainWhileTheWriterMovesAndIsThereOnce()
    {
        await using var storage = new MemoryStorage();
        await using var partition = await TestPartition.StartAsync(storage);
        var calls = 0;
        // Nobody, then an answer that gets lost, then another leader.
        partition.Leader.Before = () => ++calls == 1 ? throw new IOException("no route") : Task.CompletedTask;
        partition.Leader.After = async () =>
        {
            if (calls != 2)
                return;
            partition.Leader.Target = await partition.OpenLeaderAsync();
            throw new IOException("connection reset");
        };
        var (bytes, count) = Described.Upserts(1, 2);
        Assert.Equal(2, await partition.Remote.WriteAsync(bytes, count, TimeSpan.FromMinutes(1), default));
        Assert.Equal(3, calls);
        await using var reader = await storage.OpenLogReaderAsync(partition.Key, default);
        Assert.Equal(3, reader.NextOperation);
    }

    [Fact]
    public async Task AWriteWhoseWriterStaysAwayFailsClearly()
    {
        await using var storage = new MemoryStorage();
        var remote = new RemotePartition(Key, new FakeLeader(), [], storage.Leases, new RemotePartitionOptions(), _time);
        var (bytes, count) = Described.Upserts(1);
        var started = _time.GetTimestamp();
        var error = await Assert.ThrowsAsync<GranaryException>(
            () => PumpAsync(remote.WriteAsync(bytes, count, TimeSpan.FromSeconds(10), default).AsTask()));
        Assert.Equal(ErrorKind.Unavailable, error.Kind);
        Assert.Contains("The writer of partition 7 is unavailable", error.Message, StringComparison.Ordinal);
        Assert.InRange(_time.GetElapsedTime(started), TimeSpan.FromSeconds(23), TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task AFullQueueIsToldAtOnce()
    {
        await using var storage = new MemoryStorage();
        var config = Fixture.Plain with { Ingestion = new IngestionSettings { QueueCapacity = 1 } };
        await using var partition = await TestPartition.StartAsync(storage, new TestPartitionOptions { Config = config });
        foreach (var held in partition.Storages)
            held.Open = new TaskCompletionSource().Task;
        var (bytes, count) = Described.Upserts(1);
        await partition.Remote.WriteAsync(bytes, count, TimeSpan.Zero, default);
        var error = await Assert.ThrowsAsync<GranaryException>(
            () => partition.Remote.WriteAsync(bytes, count, TimeSpan.Zero, default).AsTask());
        Assert.Equal(ErrorKind.TooManyRequests, error.Kind);
        Assert.NotNull(error.RetryAfter);
        foreach (var held in partition.Storages)
            held.Open = Task.CompletedTask;
    }

    private static PartitionKey Key { get; } = new(Guid.NewGuid(), 7);

    private RemotePartition Reach(params IReplicaPort[] ports) => Reach(new RemotePartitionOptions(), ports);

    private RemotePartition Reach(RemotePartitionOptions options, params IReplicaPort[] ports) =>
        new(Key, new FakeLeader(), ports, new MemoryStorage().Leases, options, _time);

    /// <summary>Lets the clock go on until a task has ended.</summary>
    private async Task<T> PumpAsync<T>(Task<T> task)
    {
        while (!task.IsCompleted)
        {
            _time.Advance(TimeSpan.FromMilliseconds(10));
            await Task.Yield();
        }

        return await task;
    }

    /// <summary>A replica that answers counts as it is told.</summary>
    private sealed class Played(Func<ReadOnlyMemory<byte>, Task<long>> answer) : IReplicaPort
    {
        public bool IsLocal { get; init; }

        public int Asked { get; private set; }

        public bool Cancelled { get; private set; }

        public async ValueTask<ReadOnlyMemory<byte>> AskAsync(
            ReplicaCall call, ReadOnlyMemory<byte> request, CancellationToken cancellation)
        {
            Asked++;
            await using var registered = cancellation.Register(() => Cancelled = true);
            return CallWire.EncodeNumber(await answer(request));
        }

        public ValueTask<ReplicaWait> WaitAsync(
            WaitTarget target, long first, long last, TimeSpan? limit, CancellationToken cancellation) =>
            throw new IOException("nobody waits here");
    }
}
