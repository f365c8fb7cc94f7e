using Granary.Collections;
using Granary.Collections.Ports;
using Granary.Grains.Hosting;
using Granary.Grains.Interfaces;
using Granary.Storage.Memory;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Streams;
using Orleans.TestingHost;

namespace Granary.Grains.Tests.Support;

/// <summary>A cluster of silos in this process over one storage in memory.</summary>
internal sealed class TestSilos : IAsyncDisposable
{
    private readonly MemoryStorage _storage;
    private readonly InProcessTestCluster _cluster;
    private volatile Task _hold = Task.CompletedTask;
    private volatile Task _holdCatalog = Task.CompletedTask;
    private volatile Func<PartitionKey, long> _sizes = _ => 0;

    private TestSilos(short count, DatabaseOptions options, MemoryStorage storage, int? faults)
    {
        _storage = storage;
        var builder = new InProcessTestClusterBuilder(count);
        builder.ConfigureSilo((_, silo) =>
        {
            silo.AddGranary(_ => new SharedStorage(_storage, () => _hold, () => _holdCatalog, key => _sizes(key)), options);
            silo.AddMemoryGrainStorageAsDefault();
            silo.UseInMemoryReminderService();
            if (faults is not { } seed)
            {
                silo.AddGranaryMemoryStreams();
                return;
            }

            // What writers publish to goes through the faults to a provider of another name, which indexers hear as well.
            silo.AddMemoryStreams("carrier", streams => streams.ConfigureStreamPubSub(StreamPubSubType.ImplicitOnly));
            silo.Services.AddKeyedSingleton<IStreamProvider>(GrainKeys.StreamProvider, (services, _) =>
                new FaultyStreams(services.GetRequiredKeyedService<IStreamProvider>("carrier"), seed));
        });
        _cluster = builder.Build();
    }

    public InProcessTestCluster Cluster => _cluster;

    public IReadOnlyList<InProcessSiloHandle> Silos => _cluster.Silos;

    /// <summary>The storage that all of them share.</summary>
    public IStorage Storage => _storage;

    /// <summary>Starts so many silos.</summary>
    /// <param name="count">How many.</param>
    /// <param name="options">The engine's settings.</param>
    /// <param name="storage">What they share.</param>
    /// <param name="faults">The seed of what happens to doorbells on their way; null: nothing.</param>
    public static async Task<TestSilos> StartAsync(
        short count, DatabaseOptions? options = null, MemoryStorage? storage = null, int? faults = null)
    {
        var silos = new TestSilos(count, options ?? new DatabaseOptions(), storage ?? new MemoryStorage(), faults);
        await silos._cluster.DeployAsync();
        return silos;
    }

    /// <summary>The engine as the REST API of a silo sees it.</summary>
    public IDatabase At(int silo) => Of(Silos[silo]);

    public static IDatabase Of(InProcessSiloHandle silo) => silo.ServiceProvider.GetRequiredService<IDatabase>();

    /// <summary>From here on no replica reads more of a log until this is done.</summary>
    public void Hold(Task until) => _hold = until;

    /// <summary>From here on no silo reads the catalog until this is done; where it fails, reading fails.</summary>
    public void HoldCatalog(Task until) => _holdCatalog = until;

    /// <summary>From here on partitions are measured as so much larger than they are.</summary>
    public void Enlarge(Func<PartitionKey, long> sizes) => _sizes = sizes;

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        await _storage.DisposeAsync();
    }
}
