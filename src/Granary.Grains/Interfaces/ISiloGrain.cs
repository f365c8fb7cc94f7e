using Granary.Collections.Partitions;
using Orleans.Concurrency;

namespace Granary.Grains.Interfaces;

/// <summary>One silo, key: its address. What is asked of a place, not of a partition.</summary>
[Alias("granary.ISiloGrain")]
public interface ISiloGrain : IGrainWithStringKey
{
    /// <summary>Tells that the catalog changed; answers once the change is seen here.</summary>
    [AlwaysInterleave, Alias("CatalogChanged")]
    Task CatalogChangedAsync();

    /// <summary>Tells which silos are about to leave, so that nothing is placed on them.</summary>
    [AlwaysInterleave, Alias("Leaving")]
    Task LeavingAsync(string silo);

    /// <summary>Warms a replica up here, beside the one that serves elsewhere; answers whether it has caught up.</summary>
    [AlwaysInterleave, Alias("Prepare")]
    Task<bool> PrepareAsync(string replica);

    /// <summary>
    /// Answers requests to replicas that are here, off the grain's turn, all in one answer; one without bytes and without an error belongs
    /// to a replica that does not serve here.
    /// </summary>
    [AlwaysInterleave, Alias("Ask")]
    Task<Reply<Bytes>[]> AskAsync(ReplicaAsk[] asks, CancellationToken cancellation);

    /// <summary>The silo's state for people.</summary>
    [AlwaysInterleave, Alias("Status")]
    Task<SiloReport> ReportAsync();
}

/// <summary>A request to a replica.</summary>
/// <param name="Incarnation">The collection.</param>
/// <param name="Partition">The partition's number.</param>
/// <param name="Call">What it is asked for.</param>
/// <param name="Request">The request.</param>
[GenerateSerializer, Immutable, Alias("granary.replica-ask")]
public readonly record struct ReplicaAsk(
    [property: Id(0)] Guid Incarnation, [property: Id(1)] int Partition, [property: Id(2)] ReplicaCall Call,
    [property: Id(3)] Bytes Request);

/// <summary>A silo's state.</summary>
/// <param name="Silo">Its address.</param>
/// <param name="Name">Its name.</param>
/// <param name="Leaving">Whether it is handing its partitions over.</param>
/// <param name="Replicas">Its replicas.</param>
[GenerateSerializer, Immutable, Alias("granary.silo-report")]
public sealed record SiloReport(
    [property: Id(0)] string Silo, [property: Id(1)] string Name, [property: Id(2)] bool Leaving,
    [property: Id(3)] IReadOnlyList<SiloReplica> Replicas);

/// <summary>A replica's state.</summary>
/// <param name="Key">Its grain key.</param>
/// <param name="State">That it serves, stands by, or why it does not serve.</param>
/// <param name="Applied">The newest operation visible.</param>
/// <param name="Leased">Whether it may serve reads.</param>
[GenerateSerializer, Immutable, Alias("granary.replica-report")]
public sealed record SiloReplica(
    [property: Id(0)] string Key, [property: Id(1)] string State, [property: Id(2)] long Applied, [property: Id(3)] bool Leased)
{
    /// <summary>The state of one that serves.</summary>
    public const string Serving = "serves";
}
