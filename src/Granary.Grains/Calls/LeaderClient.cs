using Granary.Collections.Partitions;
using Granary.Collections.Ports;
using Granary.Collections.Wire;
using Granary.Grains.Interfaces;

namespace Granary.Grains.Calls;

/// <summary>A partition's writing side, reached through its collection grain.</summary>
/// <param name="grains">Makes grain references.</param>
/// <param name="partition">The partition.</param>
internal sealed class LeaderClient(IGrainFactory grains, PartitionKey partition) : ILeaderPort
{
    private readonly ICollectionGrain _grain = grains.GetGrain<ICollectionGrain>(GrainKeys.Of(partition));
    private readonly string _name = $"The writer of partition {partition.Number}";

    /// <inheritdoc/>
    public ValueTask<long> WriteAsync(
        Guid batch, bool retry, ReadOnlyMemory<byte> operations, int count, TimeSpan? admission, CancellationToken cancellation) =>
        Faults.CallAsync(_name, () => _grain.WriteAsync(batch, retry, new Bytes(operations), count, admission, cancellation));

    /// <inheritdoc/>
    public async ValueTask<Reservation> ReserveAsync(int count, TimeSpan admission, CancellationToken cancellation) =>
        new(await Faults.CallAsync(_name, () => _grain.ReserveAsync(count, admission, cancellation)).ConfigureAwait(false), count);

    /// <inheritdoc/>
    public async ValueTask ReleaseAsync(Reservation reservation, CancellationToken cancellation) =>
        await Faults.CallAsync(_name, () => _grain.ReleaseAsync(reservation.Id, reservation.Count)).ConfigureAwait(false);

    /// <inheritdoc/>
    public ValueTask<long> WriteReservedAsync(
        Guid batch, bool retry, Reservation reservation, ReadOnlyMemory<byte> operations, CancellationToken cancellation) =>
        Faults.CallAsync(
            _name, () => _grain.WriteReservedAsync(batch, retry, reservation.Id, reservation.Count, new Bytes(operations)));

    /// <inheritdoc/>
    public async ValueTask<LeaderState> StateAsync(CancellationToken cancellation)
    {
        var state = await Faults.CallAsync(_name, _grain.StateAsync).ConfigureAwait(false);
        return new LeaderState(state.Logged, state.LogBytes, state.Depth, state.Fault)
        {
            Timings = [.. StatusWire.DecodeTimings(state.Timings)],
        };
    }

    /// <inheritdoc/>
    public async ValueTask TruncateAsync(long beforeOperation, CancellationToken cancellation) =>
        await Faults.CallAsync(_name, () => _grain.TruncateAsync(beforeOperation, cancellation)).ConfigureAwait(false);

    /// <inheritdoc/>
    public async ValueTask ReportAsync(ReplicaProgress progress, CancellationToken cancellation)
    {
        try
        {
            await _grain.ReportAsync(progress.Instance, progress.Replica, progress.Applied, progress.Linked).ConfigureAwait(false);
        }
        catch (Exception e) when (Faults.IsTransport(e))
        {
            throw Faults.Unavailable(_name, e);
        }
    }
}
