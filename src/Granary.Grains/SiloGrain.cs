using Granary.Grains.Hosting;
using Granary.Grains.Interfaces;
using Granary.Grains.Placement;
using Orleans.Concurrency;

namespace Granary.Grains;

/// <summary>What others ask of this silo.</summary>
[NamedSiloPlacement, Reentrant]
internal sealed class SiloGrain(SiloEngine engine, ClusterView cluster) : Grain, ISiloGrain
{
    /// <inheritdoc/>
    public async Task CatalogChangedAsync() => await engine.RefreshAsync(default);

    /// <inheritdoc/>
    public Task LeavingAsync(string silo)
    {
        cluster.Leave(SiloAddress.FromParsableString(silo));
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async Task<bool> PrepareAsync(string replica) => await engine.PrepareAsync(replica, default);

    /// <inheritdoc/>
    public Task<Reply<Bytes>[]> AskAsync(ReplicaAsk[] asks, CancellationToken cancellation) => engine.AskAsync(asks, cancellation);

    /// <inheritdoc/>
    public Task<SiloReport> ReportAsync() => Task.FromResult(engine.Report());
}
