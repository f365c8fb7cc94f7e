using Granary.Collections;
using Granary.Collections.Ports;
using Granary.Grains.Hosting;
using Granary.Storage.Memory;
using Microsoft.Extensions.DependencyInjection;
using Orleans.TestingHost;

namespace Granary.Grains.Tests.Support;

/// <summary>A cluster of silos in this process over one storage in memory.</summary>
internal sealed class TestSilos : IAsyncDisposable
{
    private readonly MemoryStorage _storage;
    private readonly InProcessTestCluster _cluster;

    private TestSilos(short count, DatabaseOptions options, MemoryStorage storage)
    {
        _storage = storage;
        var builder = new InProcessTestClusterBuilder(count);
        builder.ConfigureSilo((_, silo) =>
        {
            silo.AddGranary(_ => new SharedStorage(_storage), options);
            silo.AddMemoryGrainStorageAsDefault();
            silo.UseInMemoryReminderService();
            silo.AddGranaryMemoryStreams();
        });
        _cluster = builder.Build();
    }

    public InProcessTestCluster Cluster => _cluster;

    public IReadOnlyList<InProcessSiloHandle> Silos => _cluster.Silos;

    /// <summary>The storage that all of them share.</summary>
    public IStorage Storage => _storage;

    public static async Task<TestSilos> StartAsync(short count, DatabaseOptions? options = null, MemoryStorage? storage = null)
    {
        var silos = new TestSilos(count, options ?? new DatabaseOptions(), storage ?? new MemoryStorage());
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
