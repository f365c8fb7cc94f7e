using Granary.Collections.Partitions;
using Granary.Collections.Ports;
using Granary.Collections.Searching;
using Granary.Collections.Wire;
using Granary.Index;

namespace Granary.Collections.Tests.Cluster;

/// <summary>A leader in another process: what goes there and comes back is copied, may get lost, and may be held up.</summary>
internal sealed class FakeLeader : ILeaderPort
{
    /// <summary>Who answers; null: nobody can be reached.</summary>
    public PartitionLeader? Target { get; set; }

    /// <summary>Awaited before a call gets there.</summary>
    public Func<Task>? Before { get; set; }

    /// <summary>Awaited after a call took effect; what it throws is all that the caller sees.</summary>
    public Func<Task>? After { get; set; }

    /// <summary>The newest report of each replica.</summary>
    public Action<ReplicaProgress>? Reported { get; set; }

    public ValueTask<long> WriteAsync(
        Guid batch, bool retry, ReadOnlyMemory<byte> operations, int count, TimeSpan? admission, CancellationToken cancellation) =>
        CallAsync(l => l.WriteAsync(batch, retry, operations.ToArray(), count, admission, cancellation));

    public ValueTask<Reservation> ReserveAsync(int count, TimeSpan admission, CancellationToken cancellation) =>
        CallAsync(l => l.ReserveAsync(count, admission, cancellation));

    public async ValueTask ReleaseAsync(Reservation reservation, CancellationToken cancellation) => await CallAsync(async l =>
    {
        await l.ReleaseAsync(reservation, cancellation);
        return true;
    });

    public ValueTask<long> WriteReservedAsync(
        Guid batch, bool retry, Reservation reservation, ReadOnlyMemory<byte> operations, CancellationToken cancellation) =>
        CallAsync(l => l.WriteReservedAsync(batch, retry, reservation, operations.ToArray(), cancellation));

    public ValueTask<LeaderState> StateAsync(CancellationToken cancellation) => CallAsync(l => l.StateAsync(cancellation));

    public async ValueTask TruncateAsync(long beforeOperation, CancellationToken cancellation) => await CallAsync(async l =>
    {
        await l.TruncateAsync(beforeOperation, cancellation);
        return true;
    });

    public async ValueTask ReportAsync(ReplicaProgress progress, CancellationToken cancellation)
    {
        if (Target is not { } target)
            throw new IOException("The silo cannot be reached.");
        await target.ReportAsync(progress, cancellation);
        Reported?.Invoke(progress);
    }

    private async ValueTask<T> CallAsync<T>(Func<ILeaderPort, ValueTask<T>> call)
    {
        if (Before is { } before)
            await before();
        if (Target is not { } target)
            throw new IOException("The silo cannot be reached.");
        try
        {
            var answer = await call(target);
            if (After is { } after)
                await after();
            return answer;
        }
        catch (GranaryException e)
        {
            throw ErrorWire.Decode(ErrorWire.Encode(e));
        }
    }
}

/// <summary>A replica in another process.</summary>
internal sealed class FakeReplica : IReplicaPort
{
    private int _asked;

    /// <summary>Who answers; null: nobody can be reached.</summary>
    public PartitionReplica? Target { get; set; }

    /// <summary>Awaited before a call gets there; what it throws is all that the caller sees.</summary>
    public Func<CancellationToken, Task>? Before { get; set; }

    /// <summary>How many requests came.</summary>
    public int Asked => Volatile.Read(ref _asked);

    public bool IsLocal { get; init; }

    /// <summary>Whether it is in this process after all.</summary>
    public bool IsHere { get; set; }

    public IPartitionSearch? Near(ReadOptions read) => IsHere ? Target?.Near(read) : null;

    public async ValueTask<ReadOnlyMemory<byte>> AskAsync(
        ReplicaCall call, ReadOnlyMemory<byte> request, CancellationToken cancellation)
    {
        Interlocked.Increment(ref _asked);
        try
        {
            var target = await ReachAsync(cancellation);
            return (await target.AskAsync(call, request.ToArray(), cancellation)).ToArray();
        }
        catch (GranaryException e)
        {
            return ErrorWire.Encode(e);
        }
    }

    public async ValueTask<ReplicaWait> WaitAsync(
        WaitTarget target, long first, long last, TimeSpan? limit, CancellationToken cancellation)
    {
        var wait = await (await ReachAsync(cancellation)).WaitAsync(target, first, last, limit, cancellation);
        return wait with { Result = StatusWire.DecodeWait(StatusWire.Encode(wait.Result)) };
    }

    private async Task<PartitionReplica> ReachAsync(CancellationToken cancellation)
    {
        if (Before is { } before)
            await before(cancellation);
        return Target ?? throw new IOException("The silo cannot be reached.");
    }
}

/// <summary>The way to a lease store, which may be blocked.</summary>
internal sealed class FakeLeases(ILeaseStore inner) : ILeaseStore
{
    private int _looks;

    /// <summary>Renewals wait for this.</summary>
    public Task Open { get; set; } = Task.CompletedTask;

    /// <summary>How often holders were asked for.</summary>
    public int Looks => Volatile.Read(ref _looks);

    public async ValueTask<IReadOnlyList<long>> RenewAsync(
        IReadOnlyList<LeaseRequest> requests, TimeSpan duration, CancellationToken cancellation)
    {
        await Open.WaitAsync(cancellation);
        return await inner.RenewAsync(requests, duration, cancellation);
    }

    public async ValueTask<IReadOnlyList<LeaseHolder>> HoldersAsync(PartitionKey partition, CancellationToken cancellation)
    {
        var holders = await inner.HoldersAsync(partition, cancellation);
        Interlocked.Increment(ref _looks);
        return holders;
    }

    public ValueTask ReleaseAsync(IReadOnlyList<LeaseRequest> requests, CancellationToken cancellation) =>
        inner.ReleaseAsync(requests, cancellation);
}
