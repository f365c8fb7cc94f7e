using Granary.Collections.Diagnostics;
using Granary.Collections.Feeds;
using Granary.Collections.Partitions;
using Granary.Collections.Ports;
using Granary.Collections.Tests.Support;
using Granary.Index;
using Granary.Storage.Memory;

namespace Granary.Collections.Tests.Cluster;

public sealed class PartitionLeaderTests : IAsyncDisposable
{
    private static readonly TimeSpan NoWait = TimeSpan.Zero;
    private readonly ManualTime _time = new();
    private readonly MemoryStorage _storage = new();
    private readonly PartitionKey _key = new(Guid.NewGuid(), 0);
    private readonly List<PartitionLeader> _opened = [];

    [Fact]
    public async Task TwoLeadersFenceEachOtherAndGoOnAndNeverFork()
    {
        var (one, two) = (await OpenAsync(), await OpenAsync());
        var batches = new List<(Guid Id, long Last)>();
        for (ulong i = 1; i <= 60; i++)
        {
            var leader = i % 3 == 0 ? one : two;
            batches.Add(await WriteAsync(leader, i));
        }

        var records = await RecordsAsync();
        Assert.Equal(batches.Select(b => (b.Id, b.Last)), records.Select(r => (r.BatchId, r.LastOperation)));
        Assert.Equal(Enumerable.Range(1, 60).Select(n => (long)n), records.Select(r => r.FirstOperation));
    }

    [Fact]
    public async Task TwoLeadersAtOnceHaveEveryAcknowledgedBatchOnce()
    {
        var leaders = new[] { await OpenAsync(), await OpenAsync() };
        var writes = Enumerable.Range(1, 200).Select(i => Task.Run(() => InsistAsync(leaders[i % 2], (ulong)i))).ToList();
        var acknowledged = await Task.WhenAll(writes);
        var records = await RecordsAsync();
        Assert.Equal(records.Count, records.Select(r => r.BatchId).Distinct().Count());
        Assert.Equal(
            acknowledged.OrderBy(a => a.Last).Select(a => (a.Id, a.Last)), records.Select(r => (r.BatchId, r.LastOperation)));
        Assert.Equal(Enumerable.Range(1, 200).Select(n => (long)n), records.Select(r => r.FirstOperation));
    }

    [Fact]
    public async Task ABatchThatIsSentAgainIsThereOnce()
    {
        var leader = await OpenAsync();
        var (id, last) = await WriteAsync(leader, 1);
        var (bytes, count) = Described.Upserts(1);
        Assert.Equal(last, await leader.WriteAsync(id, true, bytes, count, NoWait, default));
        // Also by one that does not remember it, and after others.
        await WriteAsync(leader, 2);
        var other = await OpenAsync();
        Assert.Equal(last, await other.WriteAsync(id, true, bytes, count, NoWait, default));
        Assert.Equal(2, (await RecordsAsync()).Count);
    }

    [Fact]
    public async Task ABatchThatIsSentAgainWhileItIsUnderWayIsThereOnce()
    {
        var leader = await OpenAsync();
        var held = new TaskCompletionSource();
        _storage.Faults.AppendGate = _ => held.Task;
        var id = Guid.NewGuid();
        var (bytes, count) = Described.Upserts(1, 2);
        var first = leader.WriteAsync(id, false, bytes, count, NoWait, default).AsTask();
        var second = leader.WriteAsync(id, true, bytes, count, NoWait, default).AsTask();
        Assert.False(first.IsCompleted || second.IsCompleted);
        held.SetResult();
        Assert.All(await Task.WhenAll(first, second), last => Assert.Equal(2, last));
        Assert.Single(await RecordsAsync());
    }

    [Fact]
    public async Task ABatchWhoseAppendGotInAtAnotherLeaderIsFoundWhenThisOneIsFenced()
    {
        var (one, two) = (await OpenAsync(), await OpenAsync());
        var id = Guid.NewGuid();
        var (bytes, count) = Described.Upserts(1);
        // The second got it while the first, which is fenced, was sent it too.
        Assert.Equal(1, await two.WriteAsync(id, false, bytes, count, NoWait, default));
        Assert.Equal(1, await one.WriteAsync(id, false, bytes, count, NoWait, default));
        Assert.Single(await RecordsAsync());
        Assert.Equal(1, one.Depth);
    }

    [Fact]
    public async Task WhatWasSentToALeaderThatStoodStillAndThenToAnotherIsThereOnceHoweverLateTheFirstComesToIt()
    {
        var (one, two) = (await OpenAsync(), await OpenAsync());
        var sent = Enumerable.Range(1, 5).Select(i => (Id: Guid.NewGuid(), Operations: Described.Upserts((ulong)i))).ToList();
        for (var i = 0; i < sent.Count; i++)
            Assert.Equal(i + 1, await two.WriteAsync(sent[i].Id, true, sent[i].Operations.Bytes, 1, NoWait, default));
        // Written over, so that to apply the first ones again would undo it.
        await WriteAsync(two, 1);
        // One after the other: only the first of them finds the log fenced.
        for (var i = 0; i < sent.Count; i++)
            Assert.Equal(i + 1, await one.WriteAsync(sent[i].Id, false, sent[i].Operations.Bytes, 1, NoWait, default));
        Assert.Equal(6, (await RecordsAsync()).Count);
        Assert.Equal(6, one.Depth);
        var reservation = await one.ReserveAsync(1, NoWait, default);
        Assert.Equal(2, await one.WriteReservedAsync(sent[1].Id, false, reservation, sent[1].Operations.Bytes, default));
        Assert.Equal(7, (await WriteAsync(one, 9)).Last);
        Assert.Equal(7, (await RecordsAsync()).Count);
        Assert.Equal(7, one.Depth);
    }

    [Fact]
    public async Task WhatWasSentToALeaderThatStoodStillWhileItWasOpenedAndThenToAnotherIsThereOnce()
    {
        var other = await OpenAsync();
        var (id, last) = await WriteAsync(other, 1);
        await WriteAsync(other, 1);
        var late = await OpenAsync();
        var (bytes, count) = Described.Upserts(1);
        Assert.Equal(last, await late.WriteAsync(id, false, bytes, count, NoWait, default));
        Assert.Equal(2, (await RecordsAsync()).Count);
        Assert.Equal(0, late.Depth);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task WhatIsSentToTwoOfThreeLeadersAtOnceIsThereOnceAndCountedOnce(int seed)
    {
        const int Rounds = 30, Each = 20;
        var random = new Random(seed);
        PartitionLeader[] leaders = [await OpenAsync(), await OpenAsync(), await OpenAsync()];
        for (var round = 0; round < Rounds; round++)
        {
            if (round % 5 == 4)
                _storage.Faults.FailAppends(AppendFault.AfterEffect);
            var sent = new List<Task>();
            for (var i = 0; i < Each; i++)
            {
                var (id, reserves) = (Guid.NewGuid(), random.Next(3) == 0);
                foreach (var again in new[] { false, true })
                {
                    var (leader, yields) = (leaders[random.Next(3)], random.Next(20));
                    sent.Add(Task.Run(() => SendAsync(leader, id, again, reserves, yields)));
                }
            }

            await Task.WhenAll(sent);
        }

        var records = await RecordsAsync();
        Assert.Equal(Rounds * Each, records.Count);
        Assert.Equal(records.Count, records.Select(r => r.BatchId).Distinct().Count());
        foreach (var leader in leaders)
        {
            await InsistAsync(leader, 1);
            Assert.Equal(leader.Logged, leader.Depth);
        }
    }

    [Fact]
    public async Task AnAppendWhoseAnswerWasLostIsFoundInTheLog()
    {
        var leader = await OpenAsync();
        await WriteAsync(leader, 1);
        _storage.Faults.FailAppends(AppendFault.AfterEffect);
        Assert.Equal(2, (await WriteAsync(leader, 2)).Last);
        Assert.Equal(3, (await WriteAsync(leader, 3)).Last);
        Assert.Equal(3, (await RecordsAsync()).Count);
    }

    [Fact]
    public async Task AStorageThatRefusesGivesTheRoomBack()
    {
        var leader = await OpenAsync(capacity: 3);
        _storage.Faults.FailAppends(AppendFault.DiskFull, 5);
        for (ulong i = 0; i < 5; i++)
        {
            var error = await Assert.ThrowsAsync<GranaryException>(() => WriteAsync(leader, i));
            Assert.Equal(ErrorKind.InsufficientStorage, error.Kind);
        }

        Assert.Equal(0, leader.Depth);
        await WriteAsync(leader, 9);
    }

    [Fact]
    public async Task ADeadReplicaHoldsWritersUpForAWhileOnly()
    {
        var leader = await OpenAsync(capacity: 10);
        var (alive, dead) = (Guid.NewGuid(), Guid.NewGuid());
        await leader.ReportAsync(new ReplicaProgress(alive, 0, 0, 0), default);
        await leader.ReportAsync(new ReplicaProgress(dead, 1, 0, 0), default);
        await FillAsync(leader, 10);
        await leader.ReportAsync(new ReplicaProgress(alive, 0, 10, 10), default);
        // The other one is still at the start.
        await Assert.ThrowsAsync<GranaryException>(() => WriteAsync(leader, 11));
        _time.Advance(PartitionLeader.ProgressLifetime);
        await leader.ReportAsync(new ReplicaProgress(alive, 0, 10, 10), default);
        Assert.Equal(0, leader.Depth);
        await FillAsync(leader, 10);
        // With nobody to say how far they are, the queue fills and is bounded.
        _time.Advance(PartitionLeader.ProgressLifetime);
        var error = await Assert.ThrowsAsync<GranaryException>(() => WriteAsync(leader, 12));
        Assert.Equal(ErrorKind.TooManyRequests, error.Kind);
        Assert.Equal(10, leader.Depth);
    }

    [Fact]
    public async Task WhoWaitsIsLetInWhenADeadReplicaStopsCounting()
    {
        var leader = await OpenAsync(capacity: 4);
        var (alive, dead) = (Guid.NewGuid(), Guid.NewGuid());
        await leader.ReportAsync(new ReplicaProgress(dead, 1, 0, 0), default);
        _time.Advance(TimeSpan.FromSeconds(5));
        await FillAsync(leader, 4);
        await leader.ReportAsync(new ReplicaProgress(alive, 0, 4, 4), default);
        var (bytes, count) = Described.Upserts(9);
        var write = leader.WriteAsync(Guid.NewGuid(), false, bytes, count, TimeSpan.FromMinutes(1), default).AsTask();
        Assert.False(write.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(5, await write);
    }

    [Fact]
    public async Task AReplicaThatIsOpenedAnewCountsOnceItHasCaughtUp()
    {
        var leader = await OpenAsync(capacity: 10);
        var (kept, fresh) = (Guid.NewGuid(), Guid.NewGuid());
        for (var i = 0; i < 5; i++)
        {
            await FillAsync(leader, 10);
            await leader.ReportAsync(new ReplicaProgress(kept, 0, leader.Logged, leader.Logged), default);
        }

        // Far behind: it holds nobody up.
        await leader.ReportAsync(new ReplicaProgress(fresh, 1, 50, 5), default);
        await FillAsync(leader, 10);
        await leader.ReportAsync(new ReplicaProgress(kept, 0, 60, 60), default);
        await leader.ReportAsync(new ReplicaProgress(fresh, 1, 60, 52), default);
        Assert.Equal(8, leader.Depth);
        await FillAsync(leader, 2);
        await Assert.ThrowsAsync<GranaryException>(() => WriteAsync(leader, 1));
    }

    [Fact]
    public async Task AReservationThatIsNotUsedRunsOutAndIsMadeAgainWhenItIsUsedLate()
    {
        var leader = await OpenAsync(capacity: 3);
        var reserved = await leader.ReserveAsync(3, NoWait, default);
        await Assert.ThrowsAsync<GranaryException>(() => WriteAsync(leader, 1));
        for (var passed = TimeSpan.Zero; passed <= PartitionLeader.ReservationLifetime; passed += TimeSpan.FromSeconds(1))
            _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(0, leader.Depth);
        await FillAsync(leader, 3);
        // Room or not: its batch lies in other partitions as well.
        var (bytes, _) = Described.Upserts(7, 8, 9);
        Assert.Equal(6, await leader.WriteReservedAsync(Guid.NewGuid(), false, reserved, bytes, default));
        Assert.Equal(6, leader.Depth);
    }

    [Fact]
    public async Task AReservationIsUsedOnceAndGivenBackOnce()
    {
        var leader = await OpenAsync(capacity: 10);
        var used = await leader.ReserveAsync(2, NoWait, default);
        var released = await leader.ReserveAsync(2, NoWait, default);
        Assert.Equal(4, leader.Depth);
        await leader.ReleaseAsync(released, default);
        await leader.ReleaseAsync(released, default);
        Assert.Equal(2, leader.Depth);
        var id = Guid.NewGuid();
        var (bytes, _) = Described.Upserts(1, 2);
        await leader.WriteReservedAsync(id, false, used, bytes, default);
        Assert.Equal(2, await leader.WriteReservedAsync(id, true, used, bytes, default));
        await leader.ReleaseAsync(used, default);
        Assert.Equal(2, leader.Depth);
        Assert.Single(await RecordsAsync());
    }

    [Fact]
    public async Task WhoWaitsForRoomIsToldWhenTheLeaderIsClosed()
    {
        var leader = await OpenAsync(capacity: 1);
        await FillAsync(leader, 1);
        var (bytes, count) = Described.Upserts(2);
        var write = leader.WriteAsync(Guid.NewGuid(), false, bytes, count, TimeSpan.FromMinutes(1), default).AsTask();
        await leader.DisposeAsync();
        var error = await Assert.ThrowsAsync<GranaryException>(() => write);
        Assert.Equal(ErrorKind.Unavailable, error.Kind);
    }

    [Fact]
    public async Task TheLogOfADroppedCollectionIsNotMadeAgain()
    {
        var exists = true;
        var leader = await PartitionLeader.OpenAsync(
            _storage, _key, new IngestionSettings(), new InProcessFeed(_time), new PhaseTimings(), _time, default,
            _ => ValueTask.FromResult(exists));
        _opened.Add(leader);
        await WriteAsync(leader, 1);
        exists = false;
        await _storage.DropCollectionAsync(_key.Incarnation, default);

        var error = await Assert.ThrowsAsync<GranaryException>(() => WriteAsync(leader, 2));
        Assert.Equal(ErrorKind.NotFound, error.Kind);
        Assert.Empty(await _storage.ListIncarnationsAsync(default));
    }

    [Fact]
    public async Task ALogMadeAnewWhileItsCollectionIsDroppedGoesAgain()
    {
        var looks = 0;
        // Dropped after the first look: by then the catalog has lost it, and the storage, which had no log of it yet, dropped nothing.
        var error = await Assert.ThrowsAsync<GranaryException>(async () => _opened.Add(await PartitionLeader.OpenAsync(
            _storage, _key, new IngestionSettings(), new InProcessFeed(_time), new PhaseTimings(), _time, default,
            _ => ValueTask.FromResult(looks++ == 0))));
        Assert.Equal(ErrorKind.NotFound, error.Kind);
        Assert.Equal(2, looks);
        Assert.Empty(await _storage.ListIncarnationsAsync(default));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var leader in _opened)
            await leader.DisposeAsync();
        await _storage.DisposeAsync();
    }

    private async Task<PartitionLeader> OpenAsync(int capacity = 10_000)
    {
        var leader = await PartitionLeader.OpenAsync(
            _storage, _key, new IngestionSettings { QueueCapacity = capacity }, new InProcessFeed(_time), new PhaseTimings(), _time,
            default);
        _opened.Add(leader);
        return leader;
    }

    private static async Task<(Guid Id, long Last)> WriteAsync(PartitionLeader leader, ulong id)
    {
        var batch = Guid.NewGuid();
        var (bytes, count) = Described.Upserts(id);
        return (batch, await leader.WriteAsync(batch, false, bytes, count, NoWait, default));
    }

    /// <summary>As whoever calls from another process does, with the system's clock.</summary>
    private static async Task<(Guid Id, long Last)> InsistAsync(PartitionLeader leader, ulong id)
    {
        var batch = Guid.NewGuid();
        var (bytes, count) = Described.Upserts(id);
        return (batch, await Patience.InsistAsync(
            retry => leader.WriteAsync(batch, retry, bytes, count, null, default), null, "The leader", TimeProvider.System, default));
    }

    private static async Task SendAsync(PartitionLeader leader, Guid batch, bool again, bool reserves, int yields)
    {
        var (bytes, count) = Described.Upserts(1, 2);
        for (; yields > 0; yields--)
            await Task.Yield();
        await Patience.InsistAsync(
            async retry => reserves
                ? await leader.WriteReservedAsync(batch, retry || again, await leader.ReserveAsync(count, NoWait, default), bytes, default)
                : await leader.WriteAsync(batch, retry || again, bytes, count, null, default),
            null, "The leader", TimeProvider.System, default);
    }

    private static async Task FillAsync(PartitionLeader leader, int count)
    {
        for (var i = 0; i < count; i++)
            await WriteAsync(leader, (ulong)i);
    }

    private async Task<List<LogRecord>> RecordsAsync()
    {
        await using var reader = await _storage.OpenLogReaderAsync(_key, default);
        var records = new List<LogRecord>();
        await foreach (var record in reader.ReadAsync(1, default))
            records.Add(record);
        return records;
    }
}
