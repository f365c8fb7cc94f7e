using Granary.Collections;
using Granary.Grains.Interfaces;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using ClusterMember = Granary.Collections.ClusterMember;

namespace Granary.Grains.Hosting;

/// <summary>The cluster as a silo sees it; every other member is asked for its part.</summary>
/// <param name="engine">This silo's engine.</param>
/// <param name="cluster">Who takes part.</param>
/// <param name="grains">Makes grain references.</param>
/// <param name="options">The cluster's name.</param>
internal sealed class SiloClusterInfo(SiloEngine engine, ClusterView cluster, IGrainFactory grains, IOptions<ClusterOptions> options)
    : IClusterInfo
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <inheritdoc/>
    public string? NotReady => engine.NotReady;

    /// <inheritdoc/>
    public async ValueTask<ClusterInfo> GetAsync(CancellationToken cancellation = default)
    {
        var database = await engine.DatabaseAsync(cancellation).ConfigureAwait(false);
        var names = database.Documents.ToDictionary(d => d.Document.Incarnation, d => d.Name);
        var members = await Task.WhenAll(cluster.Members.Select(async silo =>
        {
            try
            {
                var report = silo.Equals(cluster.Here)
                    ? engine.Report()
                    : await grains.GetGrain<ISiloGrain>(silo.ToParsableString()).ReportAsync().WaitAsync(Patience, cancellation)
                        .ConfigureAwait(false);
                return new ClusterMember(
                    Address(silo), report.Leaving ? "leaving" : "active", [.. report.Replicas.Select(r => ReplicaOf(r, names))]);
            }
            catch (Exception e) when (e is OrleansException or TimeoutException)
            {
                return new ClusterMember(Address(silo), $"does not answer ({e.Message})", []);
            }
        })).ConfigureAwait(false);
        return new ClusterInfo(options.Value.ClusterId, Address(cluster.Here), members);
    }

    private static string Address(SiloAddress silo) => $"{silo.Endpoint.Address}:{silo.Endpoint.Port}";

    private static ClusterReplica ReplicaOf(SiloReplica report, Dictionary<Guid, string> names)
    {
        var (partition, replica) = GrainKeys.Parse(report.Key);
        return new ClusterReplica(
            names.GetValueOrDefault(partition.Incarnation) ?? partition.Incarnation.ToString(), partition.Number, replica, report.State,
            report.Applied)
        {
            Serves = report.State == SiloReplica.Serving,
        };
    }
}
