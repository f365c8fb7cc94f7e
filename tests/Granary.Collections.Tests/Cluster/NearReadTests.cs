using Granary.Collections.Partitions;
using Granary.Collections.Searching;
using Granary.Index;
using Granary.Index.Search;
using Granary.Storage.Memory;

namespace Granary.Collections.Tests.Cluster;

/// <summary>Reads of a replica in the same process go without the wire, and under the same rules.</summary>
public sealed class NearReadTests : IAsyncDisposable
{
    private static readonly ReadOptions Loose = new() { Strong = false };
    private readonly MemoryStorage _storage = new();

    [Fact]
    public async Task AReplicaInThisProcessAnswersWithoutBeingAskedOverTheWire()
    {
        await using var partition = await TestPartition.StartAsync(_storage);
        await WriteAsync(partition, 7);
        var request = new PartitionRequest([new ScanLeg { Limit = 10 }], Loose) { Fetch = PointSelection.Bare };
        var asked = await partition.Remote.Search.SearchAsync(request, default);
        var before = partition.Ports.Sum(p => p.Asked);
        Assert.False(partition.Remote.Search.IsNear);
        partition.Ports[1].IsHere = true;
        Assert.True(partition.Remote.Search.IsNear);
        Assert.Equal(7, partition.Remote.Search.EstimatedPoints);
        var near = await partition.Remote.Search.SearchAsync(request, default);
        Assert.Equal(7, near.Points!.Count);
        Assert.Equal(asked.Points!.Select(p => (p.Id, p.Version)), near.Points.Select(p => (p.Id, p.Version)));
        Assert.Equal(asked.Legs[0].Hits, near.Legs[0].Hits);
        Assert.Equal(7, await partition.Remote.Search.CountAsync(null, true, Loose, default));
        PointId[] ids = [new(1), new(2), new(99)];
        Assert.Equal(2, (await partition.Remote.Search.FetchAsync(ids, PointSelection.Bare, Loose, default)).Count);
        Assert.Equal(before, partition.Ports.Sum(p => p.Asked));
    }

    [Fact]
    public async Task WhatWouldHaveToWaitIsAskedSoThatAnotherReplicaMayBeFaster()
    {
        await using var partition = await TestPartition.StartAsync(_storage);
        var last = await WriteAsync(partition, 3);
        var replica = partition.Ports[0].Target!;
        Assert.NotNull(replica.Near(Loose));
        Assert.NotNull(replica.Near(Loose with { MinOperation = last }));
        Assert.Null(replica.Near(Loose with { MinOperation = last + 1 }));
        Assert.Null(replica.Near(new ReadOptions { Strong = true }));
        partition.Ports[0].IsHere = true;
        var before = partition.Ports.Sum(p => p.Asked);
        Assert.Equal(3, await partition.Remote.Search.CountAsync(null, true, new ReadOptions { Strong = true }, default));
        Assert.Equal(before + 1, partition.Ports.Sum(p => p.Asked));
    }

    [Fact]
    public async Task WithoutALeaseNothingIsReadFromItAndAnotherReplicaAnswers()
    {
        await using var partition = await TestPartition.StartAsync(_storage);
        await WriteAsync(partition, 3);
        partition.Ports[0].IsHere = true;
        var near = partition.Ports[0].Target!.Near(Loose)!;
        await partition.Ports[0].Target!.StandByAsync();
        Assert.Null(partition.Ports[0].Target!.Near(Loose));
        // Whoever had it in hand before is refused as well.
        var error = await Assert.ThrowsAsync<GranaryException>(() => near.CountAsync(null, true, Loose, default).AsTask());
        Assert.Equal(ErrorKind.Unavailable, error.Kind);
        Assert.Equal(3, await partition.Remote.Search.CountAsync(null, true, Loose, default));
        Assert.True(partition.Ports[1].Asked > 0);
    }

    [Fact]
    public async Task ABellIsTimedFromItsRingToApplied()
    {
        await using var partition = await TestPartition.StartAsync(_storage);
        var last = await WriteAsync(partition, 3);
        var replica = partition.Ports[0].Target!;
        Assert.Equal(0, await BellsAsync(partition));
        replica.Bell(last, TimeProvider.System.GetUtcNow());
        while (await BellsAsync(partition) == 0)
            await Task.Yield();
        // One that is ahead of the log is counted only once that operation is applied.
        replica.Bell(last + 1, TimeProvider.System.GetUtcNow());
        Assert.Equal(1, await BellsAsync(partition));
        await WriteAsync(partition, 1);
        while (await BellsAsync(partition) == 1)
            await Task.Yield();
    }

    public ValueTask DisposeAsync() => _storage.DisposeAsync();

    private static async Task<long> BellsAsync(TestPartition partition) =>
        (await partition.Remote.ReportAsync(default)).Timings.Single(t => t.Phase == "bell").Count;

    private static async Task<long> WriteAsync(TestPartition partition, int count)
    {
        var (bytes, written) = Described.Upserts([.. Enumerable.Range(1, count).Select(i => (ulong)i)]);
        var last = await partition.Remote.WriteAsync(bytes, written, TimeSpan.FromMinutes(1), default);
        Assert.True((await partition.Remote.WaitAsync(WaitTarget.Applied, 1, last, null, default)).Reached);
        return last;
    }
}
