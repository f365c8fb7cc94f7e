using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Granary.Collections.Partitions;

namespace Granary.Collections.Diagnostics;

/// <summary>Counts the partition replicas of this process, and those of them that serve, whenever a gauge is read.</summary>
internal sealed class ReplicaCensus
{
    private readonly ConcurrentDictionary<PartitionReplica, byte> _replicas = new();

    public ReplicaCensus(Meter meter)
    {
        meter.CreateObservableGauge("granary.replicas.hosted", () => _replicas.Count, "{replica}", "Partition replicas of this process");
        meter.CreateObservableGauge(
            "granary.replicas.serving", () => _replicas.Keys.Count(static r => r.Serves), "{replica}",
            "Those that are open, have caught up and hold their lease");
    }

    public void Add(PartitionReplica replica) => _replicas.TryAdd(replica, 0);

    public void Remove(PartitionReplica replica) => _replicas.TryRemove(replica, out _);
}
