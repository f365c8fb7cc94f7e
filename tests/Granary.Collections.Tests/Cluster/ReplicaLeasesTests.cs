using Granary.Collections.Partitions;
using Granary.Collections.Ports;
using Granary.Storage.Memory;

namespace Granary.Collections.Tests.Cluster;

public sealed class ReplicaLeasesTests
{
    [Fact]
    public async Task ALeaseTakenAgainBeforeTheOldOneIsReturnedIsKnownToWriters()
    {
        await using var storage = new MemoryStorage();
        var key = new PartitionKey(Guid.NewGuid(), 0);
        await using var log = await storage.OpenLogAsync(key, default);
        await using var leases = new ReplicaLeases(storage.Leases!, TimeProvider.System, TimeSpan.FromMinutes(10));
        var request = new LeaseRequest(key, Guid.NewGuid(), 0);
        var old = leases.Register(request, static () => 0, static _ => { });
        await leases.RenewAsync(default);
        // A grain lets its replica go while another is being made for it.
        var taken = leases.Register(request, static () => 0, static _ => { });
        await leases.RenewAsync(default);
        await old.DisposeAsync();

        Assert.NotNull(old.State.Reason);
        Assert.Null(taken.State.Reason);
        Assert.Equal(request.Instance, Assert.Single(await storage.Leases!.HoldersAsync(key, default)).Instance);
        await taken.DisposeAsync();
        Assert.Empty(await storage.Leases!.HoldersAsync(key, default));
    }
}
