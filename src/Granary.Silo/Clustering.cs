using Granary.Collections.Ports;
using Granary.Grains.Hosting;
using Granary.Grains.Interfaces;
using Granary.Storage.Postgres;
using Orleans.Configuration;
using Orleans.Dashboard;
using Orleans.Streams;

namespace Granary.Silo;

/// <summary>Configures Orleans: membership, grain storage and reminders in PostgreSQL, streams, dashboard, Granary's engine.</summary>
internal static class Clustering
{
    private const string Invariant = "Npgsql";

    /// <summary>Adds the silo.</summary>
    public static void AddSilo(this WebApplicationBuilder builder, SiloSettings settings, IStorage storage) => builder.UseOrleans(silo =>
    {
        silo.Configure<ClusterOptions>(cluster => (cluster.ClusterId, cluster.ServiceId) = (settings.Cluster, settings.Service));
        silo.Configure<EndpointOptions>(endpoints =>
        {
            endpoints.AdvertisedIPAddress = settings.Address;
            endpoints.SiloPort = settings.Port;
            endpoints.GatewayPort = settings.Gateway;
            endpoints.SiloListeningEndpoint = new System.Net.IPEndPoint(settings.Address, settings.Port);
            if (settings.Gateway != 0)
                endpoints.GatewayListeningEndpoint = new System.Net.IPEndPoint(settings.Address, settings.Gateway);
        });
        // Three missed probes, 1.5 s apart, seen by two silos (by one where there are only two): a killed silo is declared dead within
        // about 5 s, and its partitions' writers are opened elsewhere.
        silo.Configure<ClusterMembershipOptions>(membership =>
        {
            membership.ProbeTimeout = TimeSpan.FromSeconds(1.5);
            membership.NumMissedProbesLimit = 3;
            // One that was paused so long that it was declared dead finds out from the table. Until then it renews its leases, and
            // writers wait for replicas that they do not reach.
            membership.TableRefreshTimeout = TimeSpan.FromSeconds(10);
            membership.DefunctSiloCleanupPeriod = TimeSpan.FromHours(1);
            membership.DefunctSiloExpiration = TimeSpan.FromDays(1);
        });
        AddShared(silo, settings);
        silo.AddDashboard();
        silo.AddGranary(_ => storage, settings.Server.Engine.ToDatabaseOptions(), settings.HandOver);
    });

    private static void AddShared(ISiloBuilder silo, SiloSettings settings)
    {
        if (settings.InMemory)
        {
            silo.UseInMemoryClustering(settings);
            silo.AddGranaryMemoryStreams();
            return;
        }

        var connection = PostgresStorage.ToConnectionString(settings.StorageText);
        silo.UseAdoNetClustering(o => (o.Invariant, o.ConnectionString) = (Invariant, connection));
        silo.AddAdoNetGrainStorageAsDefault(o => (o.Invariant, o.ConnectionString) = (Invariant, connection));
        silo.UseAdoNetReminderService(o => (o.Invariant, o.ConnectionString) = (Invariant, connection));
        if (!settings.PostgresStreams)
        {
            silo.AddGranaryMemoryStreams();
            return;
        }

        silo.AddAdoNetStreams(GrainKeys.StreamProvider, streams =>
        {
            streams.ConfigureAdoNet(o => o.Configure(a => (a.Invariant, a.ConnectionString) = (Invariant, connection)));
            streams.ConfigureStreamPubSub(StreamPubSubType.ImplicitOnly);
            streams.ConfigurePartitioning(4);
            // A bell is rung to be heard: the default of 100 ms is most of the time it may take.
            streams.ConfigurePullingAgent(agent => agent.Configure(o => o.GetQueueMsgsTimerPeriod = TimeSpan.FromMilliseconds(40)));
        });
    }

    private static void UseInMemoryClustering(this ISiloBuilder silo, SiloSettings settings)
    {
        var gateway = settings.Gateway == 0 ? 30000 : settings.Gateway;
        silo.UseLocalhostClustering(settings.Port, gateway, null, settings.Service, settings.Cluster);
        silo.AddMemoryGrainStorageAsDefault();
        silo.UseInMemoryReminderService();
    }
}
