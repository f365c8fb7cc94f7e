using Granary.Collections;
using Granary.Collections.Ports;
using Granary.Collections.Wire;
using Granary.Grains.Interfaces;
using Granary.Grains.Placement;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Streams;

namespace Granary.Grains.Hosting;

/// <summary>Makes a silo one of Granary's.</summary>
public static class GranarySiloExtensions
{
    /// <summary>For what a message between silos has beside an answer of several replicas' bytes.</summary>
    private const int MessageRoom = 1 << 20;

    /// <summary>
    /// Adds the engine, its placement and, as <see cref="IDatabase"/>, the cluster. The caller adds clustering and the stream provider
    /// (<see cref="AddGranaryMemoryStreams"/>, or another one under <see cref="GrainKeys.StreamProvider"/>), the default grain storage and
    /// reminders.
    /// </summary>
    /// <param name="silo">The silo.</param>
    /// <param name="storage">The storage all silos share, and who may serve reads of it; the engine owns it.</param>
    /// <param name="options">The engine's settings.</param>
    /// <param name="handOver">How long handing partitions over may take when the silo stops; null for 60 s.</param>
    public static ISiloBuilder AddGranary(
        this ISiloBuilder silo, Func<IServiceProvider, IStorage> storage, DatabaseOptions options, TimeSpan? handOver = null)
    {
        // A trace goes on in the silos a request asks.
        silo.AddActivityPropagation();
        // The wire's own limit is the only one: it tells what to ask for instead.
        silo.Configure<SiloMessagingOptions>(static messages => messages.MaxMessageBodySize = WireWriter.MaxBytes + MessageRoom);
        silo.AddPlacementDirector<PlannedPlacement, PlannedPlacementDirector>();
        silo.AddPlacementDirector<NamedSiloPlacement, NamedSiloPlacementDirector>();
        silo.Services.AddSingleton<ClusterView>();
        silo.Services.AddSingleton(services =>
        {
            var opened = storage(services);
            return new SiloEngine(
                opened, opened.Leases ?? throw new InvalidOperationException($"{opened.Kind} storage cannot be shared by silos."), options,
                services.GetRequiredService<IGrainFactory>(), services.GetRequiredService<ClusterView>(),
                services.GetRequiredService<ILogger<SiloEngine>>());
        });
        silo.Services.AddSingleton<IDatabase, ClusterDatabase>();
        silo.Services.AddSingleton<IClusterInfo, SiloClusterInfo>();
        silo.Services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(services =>
            new SiloLife(services.GetRequiredService<SiloEngine>(), handOver ?? TimeSpan.FromSeconds(60)));
        return silo;
    }

    /// <summary>Doorbells over Orleans' memory streams: the default, since a lost bell costs time only.</summary>
    public static ISiloBuilder AddGranaryMemoryStreams(this ISiloBuilder silo) =>
        silo.AddMemoryStreams(GrainKeys.StreamProvider, streams =>
        {
            streams.ConfigureStreamPubSub(StreamPubSubType.ImplicitOnly);
            streams.ConfigurePullingAgent(agent => agent.Configure(o =>
            {
                o.GetQueueMsgsTimerPeriod = TimeSpan.FromMilliseconds(25);
                o.BatchContainerBatchSize = 64;
            }));
        });
}
