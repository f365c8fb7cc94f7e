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
/// <param name="local">The replica of a partition that is in this process.</param>
/// <param name="leases">Who may serve reads.</param>
/// <param name="time">The clock.</param>
internal sealed class ClusterPartitionHost(
    IGrainFactory grains, ClusterView cluster, Func<PartitionKey, PartitionReplica?> local, ILeaseStore leases,
    TimeProvider time) : IPartitionHost
{
    private readonly SiloCarriers _carriers = new(grains);

    /// <summary>Longer than a hand-over or a lease's renewal takes.</summary>
    private static readonly RemotePartitionOptions Options = new() { ReadPatience = TimeSpan.FromSeconds(5) };

    /// <inheritdoc/>
    public bool OwnsStorage => false;

    /// <inheritdoc/>
    public ValueTask<IPartitionSet> OpenAsync(
        string name, CollectionDocument document, PhaseTimings timings, CancellationToken cancellation)
    {
        var partitions = ImmutableArray.CreateBuilder<RemotePartition>();
        for (var number = 0; number < document.Config.Partitions; number++)
        {
            var key = new PartitionKey(document.Incarnation, number);
            var replicas = Enumerable.Range(0, document.Config.Replicas)
                .Select(IReplicaPort (r) => new ReplicaClient(grains, cluster, _carriers, local, key, r)).ToList();
            partitions.Add(new RemotePartition(key, new LeaderClient(grains, key), replicas, leases, Options, time));
        }

        var all = new RemotePartitions(partitions.ToImmutable());
        all.Use(document.Config);
        return new(all);
    }

    /// <summary>Ingestion is set on the silos that have the writers and the replicas, by the catalog; nothing here is to be
    /// drained.</summary>
    private sealed class RemotePartitions(ImmutableArray<RemotePartition> partitions) : IPartitionSet
    {
        public ImmutableArray<IPartition> Partitions { get; } = ImmutableArray<IPartition>.CastUp(partitions);

        public void Use(CollectionConfig config)
        {
            foreach (var partition in partitions)
                partition.Use(config);
        }

        public ValueTask DrainAsync(CancellationToken cancellation) => ValueTask.CompletedTask;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
