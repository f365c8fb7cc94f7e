using System.Collections.Immutable;
using Granary.Collections;
using Granary.Collections.Catalog;
using Granary.Collections.Diagnostics;
using Granary.Collections.Partitions;
using Granary.Collections.Ports;
using Granary.Grains.Calls;

namespace Granary.Grains.Hosting;

/// <summary>The cluster's host: a collection's partitions are reached through their grains, wherever these are.</summary>
/// <param name="grains">Makes grain references.</param>
/// <param name="cluster">Where replicas are.</param>
/// <param name="leases">Who may serve reads.</param>
/// <param name="time">The clock.</param>
internal sealed class ClusterPartitionHost(IGrainFactory grains, ClusterView cluster, ILeaseStore leases, TimeProvider time)
    : IPartitionHost
{
    /// <inheritdoc/>
    public bool OwnsStorage => false;

    /// <inheritdoc/>
    public ValueTask<IPartitionSet> OpenAsync(
        string name, CollectionDocument document, PhaseTimings timings, CancellationToken cancellation)
    {
        var partitions = ImmutableArray.CreateBuilder<IPartition>();
        for (var number = 0; number < document.Config.Partitions; number++)
        {
            var key = new PartitionKey(document.Incarnation, number);
            var replicas = Enumerable.Range(0, document.Config.Replicas)
                .Select(IReplicaPort (r) => new ReplicaClient(grains, cluster, key, r)).ToList();
            partitions.Add(new RemotePartition(key, new LeaderClient(grains, key), replicas, leases, new RemotePartitionOptions(), time));
        }

        return new(new RemotePartitions(partitions.ToImmutable()));
    }

    /// <summary>Settings go to the silos that have the writers and the replicas, by the catalog; nothing here is to be drained.</summary>
    private sealed class RemotePartitions(ImmutableArray<IPartition> partitions) : IPartitionSet
    {
        public ImmutableArray<IPartition> Partitions { get; } = partitions;

        public void Use(CollectionConfig config)
        {
        }

        public ValueTask DrainAsync(CancellationToken cancellation) => ValueTask.CompletedTask;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
