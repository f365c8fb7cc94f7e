using Granary.Collections;
using Granary.Collections.Partitions;
using Granary.Collections.Ports;
using Granary.Collections.Searching;
using Granary.Collections.Wire;
using Granary.Grains.Hosting;
using Granary.Grains.Interfaces;
using Granary.Index;

namespace Granary.Grains.Calls;

/// <summary>A replica of a partition, reached through its indexer grain.</summary>
/// <param name="grains">Makes grain references.</param>
/// <param name="cluster">Tells whether the replica has a place, and where.</param>
/// <param name="carriers">What carries calls to one silo together.</param>
/// <param name="local">The replica of a partition that is in this process.</param>
/// <param name="partition">The partition.</param>
/// <param name="replica">The replica's number.</param>
internal sealed class ReplicaClient(
    IGrainFactory grains, ClusterView cluster, SiloCarriers carriers, Func<PartitionKey, PartitionReplica?> local,
    PartitionKey partition, int replica)
    : IReplicaPort
{
    private readonly IIndexerGrain _grain = grains.GetGrain<IIndexerGrain>(GrainKeys.Of(partition, replica));
    private readonly string _name = $"Replica {replica} of partition {partition.Number}";

    /// <inheritdoc/>
    public bool IsLocal => cluster.PlaceOf(partition, replica)?.Equals(cluster.Here) ?? false;

    /// <inheritdoc/>
    public IPartitionSearch? Near(ReadOptions read) => local(partition)?.Near(read);

    /// <inheritdoc/>
    public async ValueTask<ReadOnlyMemory<byte>> AskAsync(
        ReplicaCall call, ReadOnlyMemory<byte> request, CancellationToken cancellation)
    {
        // What is in this process and holds a lease needs no grain: nor does it wait until the cluster has found out who is gone.
        if (call <= ReplicaCall.Facet && IsLocal && local(partition) is { Serves: true } here)
            return await here.AskAsync(call, request, cancellation).ConfigureAwait(false);
        // A call to a replica that has no place would only put it beside another of the same partition.
        var place = PlaceOrThrow();
        if (call is ReplicaCall.Rebuild or ReplicaCall.Checkpoint)
        {
            await Faults.CallAsync(_name, () => _grain.OrderAsync(call, cancellation)).ConfigureAwait(false);
            return CallWire.EncodeDone();
        }

        if (call <= ReplicaCall.Facet && CallBurst.Current is { } burst)
        {
            return await burst.Add(
                carriers.Of(place),
                new BurstCall(partition, call, request, () => AskGrainAsync(call, request, cancellation), cancellation))
                .ConfigureAwait(false);
        }

        return await AskGrainAsync(call, request, cancellation).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<ReplicaWait> WaitAsync(
        WaitTarget target, long first, long last, TimeSpan? limit, CancellationToken cancellation)
    {
        PlaceOrThrow();
        var reply = await Faults.CallAsync(_name, () => _grain.WaitAsync(target, first, last, limit, cancellation)).ConfigureAwait(false);
        return new ReplicaWait(
            reply.Instance, new WaitResult(reply.Reached, reply.Failure.IsEmpty ? null : StatusWire.DecodeFailures(reply.Failure)[0]));
    }

    private async Task<ReadOnlyMemory<byte>> AskGrainAsync(
        ReplicaCall call, ReadOnlyMemory<byte> request, CancellationToken cancellation) =>
        (await Faults.CallAsync(_name, () => _grain.AskAsync(call, new Bytes(request), cancellation)).ConfigureAwait(false)).Memory;

    private SiloAddress PlaceOrThrow() => cluster.PlaceOf(partition, replica)
        ?? throw new GranaryException(ErrorKind.Unavailable, $"{_name} has no silo: there are {cluster.Silos.Length}");
}
