namespace Granary.Collections;

/// <summary>What a process of a cluster tells of the cluster. Standalone processes have none.</summary>
public interface IClusterInfo
{
    /// <summary>Why this process should get no requests now; null when it should.</summary>
    string? NotReady { get; }

    /// <summary>The cluster as this process sees it, the state of every member included that answers in time.</summary>
    ValueTask<ClusterInfo> GetAsync(CancellationToken cancellation = default);
}

/// <summary>The cluster.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Here">The member that answers.</param>
/// <param name="Members">All that take part or are leaving.</param>
public sealed record ClusterInfo(string Name, string Here, IReadOnlyList<ClusterMember> Members);

/// <summary>A member of the cluster.</summary>
/// <param name="Address">Its address.</param>
/// <param name="State">Active, leaving, or why it could not be asked.</param>
/// <param name="Replicas">The replicas it has.</param>
public sealed record ClusterMember(string Address, string State, IReadOnlyList<ClusterReplica> Replicas);

/// <summary>A replica of a partition.</summary>
/// <param name="Collection">The collection's name; its incarnation where the name is not known.</param>
/// <param name="Partition">The partition's number.</param>
/// <param name="Replica">The replica's number.</param>
/// <param name="State">That it serves, or why it does not.</param>
/// <param name="Applied">The newest operation visible there.</param>
public sealed record ClusterReplica(string Collection, int Partition, int Replica, string State, long Applied)
{
    /// <summary>Whether it answers reads.</summary>
    public bool Serves { get; init; }
}
