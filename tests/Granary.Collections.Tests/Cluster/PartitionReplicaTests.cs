using Granary.Collections.Partitions;
using Granary.Collections.Tests.Support;
using Granary.Collections.Wire;
using Granary.Index;
using Granary.Storage.Memory;

namespace Granary.Collections.Tests.Cluster;

public sealed class PartitionReplicaTests : IAsyncDisposable
{
    private readonly MemoryStorage _storage = new();

    [Fact]
    public async Task UntilItIsOpenItSaysSoAndItOpensWhenTheStorageIsBack()
    {
        await using var partition = await TestPartition.StartAsync(_storage);
        var (failures, failed) = (0, new TaskCompletionSource());
        partition.Storages[1].OpenFault = () =>
        {
            if (Interlocked.Increment(ref failures) == 2)
                failed.SetResult();
            return Volatile.Read(ref failures) < 3 ? new IOException("no storage") : null;
        };
        await partition.Ports[1].Target!.DisposeAsync();
        var replica = partition.StartReplica(1);
        var error = await Assert.ThrowsAsync<GranaryException>(() => CountAsync(replica));
        Assert.Equal(ErrorKind.Unavailable, error.Kind);
        Assert.Contains("Replica 1 of partition 0", error.Message, StringComparison.Ordinal);
        await failed.Task;
        await replica.WaitServingAsync(default);
        Assert.Equal(ReplicaState.Open, replica.State);
        Assert.Null(replica.Report().Reason);
        Assert.Equal(0, await CountAsync(replica));
    }

    [Fact]
    public async Task AnEngineThatStoppedIsOpenedAnewWithAnotherInstance()
    {
        await using var partition = await TestPartition.StartAsync(_storage);
        var replica = partition.Ports[1].Target!;
        var before = replica.Report().Instance;
        var once = 0;
        partition.Storages[1].Fault = () => Interlocked.Increment(ref once) == 1 ? new IOException("a bad disk") : null;
        var (bytes, count) = Described.Upserts(1, 2);
        var last = await partition.Remote.WriteAsync(bytes, count, TimeSpan.FromMinutes(1), default);
        Assert.True((await partition.Remote.WaitAsync(WaitTarget.Applied, last - 1, last, null, default)).Reached);
        await replica.WaitServingAsync(default);
        while (replica.Report().Instance == before)
            await Task.Yield();
        await replica.WaitServingAsync(default);
        Assert.Equal(2, await CountAsync(replica));
    }

    [Fact]
    public async Task AClosedReplicaGivesItsLeaseBackAndServesNoMore()
    {
        await using var partition = await TestPartition.StartAsync(_storage);
        var replica = partition.Ports[1].Target!;
        Assert.Equal(2, (await _storage.Leases.HoldersAsync(partition.Key, default)).Count);
        await replica.DisposeAsync();
        Assert.Equal(0, Assert.Single(await _storage.Leases.HoldersAsync(partition.Key, default)).Replica);
        Assert.Equal(ReplicaState.Closed, replica.State);
        var error = await Assert.ThrowsAsync<GranaryException>(() => CountAsync(replica));
        Assert.Equal(ErrorKind.Unavailable, error.Kind);
        await Assert.ThrowsAsync<GranaryException>(() => replica.WaitServingAsync(default).AsTask());
    }

    [Fact]
    public async Task OneReplicaTakesCheckpointsAndDrainingTakesOne()
    {
        await using var partition = await TestPartition.StartAsync(_storage);
        var (bytes, count) = Described.Upserts(1, 2, 3);
        await partition.Remote.WriteAsync(bytes, count, TimeSpan.FromMinutes(1), default);
        var error = await Assert.ThrowsAsync<GranaryException>(
            () => partition.Ports[1].Target!.AskAsync(ReplicaCall.Checkpoint, default, default).AsTask());
        Assert.Equal(ErrorKind.BadInput, error.Kind);
        await partition.Ports[1].Target!.DrainAsync(default);
        await using var checkpoints = await _storage.OpenCheckpointsAsync(partition.Key, default);
        Assert.Empty(await checkpoints.ListAsync(default));
        await partition.Ports[0].Target!.DrainAsync(default);
        Assert.Equal(3, Assert.Single(await checkpoints.ListAsync(default)).Operation);
    }

    [Fact]
    public async Task TheLeaderHearsHowFarReplicasAre()
    {
        await using var partition = await TestPartition.StartAsync(_storage);
        var heard = new TaskCompletionSource();
        var far = new long[2];
        partition.Leader.Reported = progress =>
        {
            Volatile.Write(ref far[progress.Replica], progress.Linked);
            if (far.All(f => f == 3))
                heard.TrySetResult();
        };
        var (bytes, count) = Described.Upserts(1, 2, 3);
        await partition.Remote.WriteAsync(bytes, count, TimeSpan.FromMinutes(1), default);
        await heard.Task;
        Assert.Equal(0, partition.Leader.Target!.Depth);
    }

    [Fact]
    public async Task StateSchemaAndRebuildGoThroughThePorts()
    {
        await using var partition = await TestPartition.StartAsync(_storage);
        var (bytes, count) = Described.Upserts(1, 2, 3);
        var last = await partition.Remote.WriteAsync(bytes, count, TimeSpan.FromMinutes(1), default);
        Assert.True((await partition.Remote.WaitAsync(WaitTarget.Linked, 1, last, null, default)).Reached);
        var schema = await partition.Remote.SchemaAsync(default);
        Assert.Equal(Fixture.Plain.Schema.Dense.AsEnumerable(), schema.Dense);
        await partition.Remote.RebuildAsync(default);
        var report = await partition.Remote.ReportAsync(default);
        Assert.Equal((3, 3, 3, 3), (report.Status.Logged, report.Status.Applied, report.Status.Linked, report.Status.Points));
        Assert.Null(report.Status.Fault);
        Assert.Equal(3, partition.Remote.Search.EstimatedPoints);
        Assert.Equal(3, await partition.Remote.LoggedAsync(default));
        // One away: the others serve. All away: the partition says so.
        await partition.Ports[0].Target!.DisposeAsync();
        report = await partition.Remote.ReportAsync(default);
        Assert.Null(report.Status.Fault);
        Assert.Contains("replica 0", report.Status.RecoveryNote, StringComparison.Ordinal);
        await partition.Ports[1].Target!.DisposeAsync();
        report = await partition.Remote.ReportAsync(default);
        Assert.Contains("Partition 0 is unavailable", report.Status.Fault, StringComparison.Ordinal);
    }

    public ValueTask DisposeAsync() => _storage.DisposeAsync();

    private static async Task<long> CountAsync(PartitionReplica replica) => CallWire.DecodeNumber(
        await replica.AskAsync(ReplicaCall.Count, CallWire.Encode(new CountCall(null, true, new ReadOptions { Strong = false })), default));
}
