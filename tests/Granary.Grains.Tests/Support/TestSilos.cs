using Granary.Collections;
using Granary.Grains.Hosting;
using Granary.Storage.Memory;
using Microsoft.Extensions.DependencyInjection;
using Orleans.TestingHost;

namespace Granary.Grains.Tests.Support;

/// <summary>A cluster of silos in this process over one storage in memory.</summary>
internal sealed class TestSilos : IAsyncDisposable
{
    private readonly MemoryStorage _storage = new();
    private readonly InProcessTestCluster _cluster;

    private TestSilos(short count)
    {
        var builder = new InProcessTestClusterBuilder(count);
        builder.ConfigureSilo((_, silo) =>
        {
            silo.AddGranary(_ => new SharedStorage(_storage), new DatabaseOptions());
            silo.AddGranaryMemoryStreams();
        });
        _cluster = builder.Build();
    }

    public InProcessTestCluster Cluster => _cluster;

    public IReadOnlyList<InProcessSiloHandle> Silos => _cluster.Silos;

    public static async Task<TestSilos> StartAsync(short count)
    {
        var silos = new TestSilos(count);
        await silos._cluster.DeployAsync();
        return silos;
    }

    /// <summary>The engine as the REST API of a silo sees it.</summary>
    public IDatabase At(int silo) => Of(Silos[silo]);

    public static IDatabase Of(InProcessSiloHandle silo) => silo.ServiceProvider.GetRequiredService<IDatabase>();

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        await _storage.DisposeAsync();
    }
}
