using Granary.Collections.Ports;
using Xunit;

namespace Granary.Storage.Conformance;

/// <summary>
/// What every lease store must do. A backend derives from it, says how to open its storage empty, and how its clock goes on.
/// </summary>
public abstract class LeaseConformance : IAsyncLifetime
{
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(5); // More than a busy machine stands still for.
    private static readonly PartitionKey Key = new(new Guid("00112233-4455-6677-8899-aabbccddeeff"), 0);
    private static readonly PartitionKey Other = Key with { Number = 1 };
    private IStorage? _storage;

    private IStorage Storage => _storage ?? throw new InvalidOperationException("the test has not begun");

    private ILeaseStore Leases => Storage.Leases ?? throw new InvalidOperationException("the storage has no leases");

    /// <summary>Opens storage with nothing in it.</summary>
    protected abstract Task<IStorage> OpenEmptyAsync();

    /// <summary>Completes when the store's clock has gone on by so much.</summary>
    protected abstract Task PassAsync(TimeSpan time);

    public virtual async Task InitializeAsync() => _storage = await OpenEmptyAsync();

    public virtual async Task DisposeAsync() => await Storage.DisposeAsync();

    [Fact]
    public async Task A_renewal_gives_a_lease_and_tells_the_next_operation()
    {
        await using var log = await Storage.OpenLogAsync(Key, default);
        var request = Request();
        Assert.Empty(await Leases.HoldersAsync(Key, default));
        Assert.Equal([1], await Leases.RenewAsync([request], Duration, default));
        await AppendAsync(log, 5);
        Assert.Equal([6], await Leases.RenewAsync([request], Duration, default));
        var holder = Assert.Single(await Leases.HoldersAsync(Key, default));
        Assert.Equal((request.Instance, request.Replica), (holder.Instance, holder.Replica));
        Assert.InRange(holder.Remaining, TimeSpan.FromTicks(1), Duration);
    }

    [Fact]
    public async Task A_lease_runs_out_and_can_be_got_again()
    {
        await using var log = await Storage.OpenLogAsync(Key, default);
        var request = Request();
        await Leases.RenewAsync([request], Duration, default);
        await PassAsync(Duration);
        Assert.Empty(await Leases.HoldersAsync(Key, default));
        await AppendAsync(log, 2);
        Assert.Equal([3], await Leases.RenewAsync([request], Duration, default));
        Assert.Single(await Leases.HoldersAsync(Key, default));
    }

    [Fact]
    public async Task Renewing_prolongs_a_lease()
    {
        await using var log = await Storage.OpenLogAsync(Key, default);
        var (kept, left) = (Request(), Request(replica: 1));
        await Leases.RenewAsync([kept, left], Duration, default);
        await PassAsync(Duration * 0.6);
        await Leases.RenewAsync([kept], Duration, default);
        await PassAsync(Duration * 0.6);
        Assert.Equal(kept.Instance, Assert.Single(await Leases.HoldersAsync(Key, default)).Instance);
    }

    [Fact]
    public async Task Leases_of_many_partitions_are_renewed_in_the_order_asked_and_one_that_is_unknown_hinders_nobody()
    {
        await using var log = await Storage.OpenLogAsync(Key, default);
        await using var other = await Storage.OpenLogAsync(Other, default);
        await AppendAsync(log, 3);
        await AppendAsync(other, 7);
        var unknown = Request(Key with { Incarnation = Guid.NewGuid() });
        var (first, second, third) = (Request(Other), Request(), Request(Other, replica: 1));
        Assert.Equal([8, 0, 4, 8], await Leases.RenewAsync([first, unknown, second, third], Duration, default));
        Assert.Equal(second.Instance, Assert.Single(await Leases.HoldersAsync(Key, default)).Instance);
        Assert.Equal(
            new[] { first.Instance, third.Instance }.Order(),
            (await Leases.HoldersAsync(Other, default)).Select(h => h.Instance).Order());
        Assert.Empty(await Leases.HoldersAsync(unknown.Partition, default));
    }

    [Fact]
    public async Task Engines_of_the_same_replica_hold_leases_of_their_own()
    {
        await using var log = await Storage.OpenLogAsync(Key, default);
        var (old, fresh) = (Request(), Request());
        await Leases.RenewAsync([old], Duration, default);
        await Leases.RenewAsync([fresh], Duration, default);
        Assert.Equal(2, (await Leases.HoldersAsync(Key, default)).Count);
        await Leases.ReleaseAsync([old], default);
        Assert.Equal(fresh.Instance, Assert.Single(await Leases.HoldersAsync(Key, default)).Instance);
    }

    [Fact]
    public async Task Leases_are_given_back_and_giving_back_what_is_not_held_does_no_harm()
    {
        await using var log = await Storage.OpenLogAsync(Key, default);
        var (first, second) = (Request(), Request(replica: 1));
        await Leases.RenewAsync([first, second], Duration, default);
        await Leases.ReleaseAsync([first, Request(), Request(Key with { Incarnation = Guid.NewGuid() })], default);
        Assert.Equal(second.Instance, Assert.Single(await Leases.HoldersAsync(Key, default)).Instance);
        await Leases.ReleaseAsync([first, second], default);
        Assert.Empty(await Leases.HoldersAsync(Key, default));
        await Leases.ReleaseAsync([], default);
        Assert.Empty(await Leases.RenewAsync([], Duration, default));
    }

    [Fact]
    public async Task A_dropped_collection_has_no_leases_and_gives_none()
    {
        var log = await Storage.OpenLogAsync(Key, default);
        var request = Request();
        await Leases.RenewAsync([request], Duration, default);
        await log.DisposeAsync();
        await Storage.DropCollectionAsync(Key.Incarnation, default);
        Assert.Empty(await Leases.HoldersAsync(Key, default));
        Assert.Equal([0], await Leases.RenewAsync([request], Duration, default));
        Assert.Empty(await Leases.HoldersAsync(Key, default));
    }

    /// <summary>The rule that wait=true stands on.</summary>
    [Fact]
    public async Task Who_is_no_holder_after_an_append_is_told_of_it_when_it_becomes_one()
    {
        await using var log = await Storage.OpenLogAsync(Key, default);
        for (var round = 0; round < 40; round++)
        {
            var request = Request();
            var renewal = Task.Run(async () => (await Leases.RenewAsync([request], Duration, default))[0]);
            await AppendAsync(log, 1);
            var holders = await Leases.HoldersAsync(Key, default);
            var head = await renewal;
            if (holders.All(h => h.Instance != request.Instance))
                Assert.Equal(log.NextOperation, head);
            await Leases.ReleaseAsync([request], default);
        }
    }

    private static LeaseRequest Request(PartitionKey? key = null, int replica = 0) => new(key ?? Key, Guid.NewGuid(), replica);

    private static ValueTask AppendAsync(IPartitionLog log, int count) =>
        log.AppendAsync([new LogRecord(log.NextOperation, count, Guid.NewGuid(), new byte[8])], default);
}
