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
        meter.CreateObservableGauge(
            "granary.replicas.standing_by", () => _replicas.Keys.Count(static r => r.IsStandingBy), "{replica}",
            "Those that are kept warm to take over from another process");
    }

    public ReplicaCounts Count()
    {
        int serving = 0, standing = 0, others = 0;
        foreach (var replica in _replicas.Keys)
        {
            if (replica.Serves)
                serving++;
            else if (replica.IsStandingBy)
                standing++;
            else
                others++;
        }

        return new ReplicaCounts(serving, standing, others);
    }

    public void Add(PartitionReplica replica) => _replicas.TryAdd(replica, 0);

    public void Remove(PartitionReplica replica) => _replicas.TryRemove(replica, out _);
}

/// <summary>How many partition replicas a process has.</summary>
/// <param name="Serving">Open, caught up and with a lease.</param>
/// <param name="StandingBy">Kept warm to take over.</param>
/// <param name="NotServing">Opening, catching up, without a lease or stopped.</param>
public readonly record struct ReplicaCounts(int Serving, int StandingBy, int NotServing);
