using System.Net;
using Granary.Index;
using Granary.Standalone.Settings;

namespace Granary.Silo;

/// <summary>The settings of a silo, checked and typed: those of the standalone server that concern one, and the cluster's own.</summary>
internal sealed record SiloSettings
{
    public static readonly Setting Storage = new("storage", "postgres://127.0.0.1:5432/granary",
        "Where data is kept: postgres://USER:PASSWORD@HOST:PORT/DATABASE; mem: for a single silo that forgets everything at its end.");
    public static readonly Setting ClusterId = new("cluster-id", "granary", "Silos of one name form one cluster.");
    public static readonly Setting ServiceId =
        new("service-id", "granary", "The service's name; it stays when a cluster is replaced by another.");
    public static readonly Setting SiloAddress =
        new("silo-address", "127.0.0.1", "The IP address under which the other silos reach this one; in Kubernetes the pod's.");
    public static readonly Setting SiloPort = new("silo-port", "11111", "The port for the other silos, 1 to 65535.");
    public static readonly Setting GatewayPort =
        new("gateway-port", "30000", "The port for Orleans clients, 1 to 65535; 0: none are served.");
    public static readonly Setting Streams = new("streams", "memory",
        "What carries the doorbells from writers to indexers: memory or postgres. A lost one costs time, never data.");
    public static readonly Setting AdminUrls = new("admin-urls", "http://127.0.0.1:8080",
        "Addresses of the Orleans dashboard (/dashboard), separated by semicolons; empty: none. Asks for the API key where one is set.");
    public static readonly Setting Cache =
        new("cache", "./granary-cache", "A folder for checkpoints fetched from the database; it may be emptied while the silo is stopped.");
    public static readonly Setting Migrate =
        new("migrate", "true", "Whether the silo may bring the database's schema up to date when it starts: true or false.");
    public static readonly Setting OtlpEndpoint =
        new("otlp-endpoint", "", "Where traces and metrics are sent by OTLP over gRPC, such as http://127.0.0.1:4317; empty: nowhere.");
    public static readonly Setting HandOverTimeout =
        new("hand-over-timeout", "60", "Seconds a stopping silo takes at most to hand its partitions over, 0 to 3600.");

    /// <summary>All of them, in the order of the help.</summary>
    public static readonly IReadOnlyList<Setting> All =
    [
        Storage, Cache, Migrate, ClusterId, ServiceId, SiloAddress, SiloPort, GatewayPort, Streams, AdminUrls, OtlpEndpoint,
        HandOverTimeout,
        .. AllSettings.All.Where(s => s != AllSettings.Storage),
    ];

    public required ServerSettings Server { get; init; }

    public required string StorageText { get; init; }

    public required string CachePath { get; init; }

    public required bool MayMigrate { get; init; }

    public required string Cluster { get; init; }

    public required string Service { get; init; }

    public required IPAddress Address { get; init; }

    public required int Port { get; init; }

    public required int Gateway { get; init; }

    public required bool PostgresStreams { get; init; }

    public required string[] AdminAddresses { get; init; }

    public required Uri? Otlp { get; init; }

    public required TimeSpan HandOver { get; init; }

    /// <summary>Whether the storage is the process' own memory.</summary>
    public bool InMemory => StorageText == "mem:";

    /// <summary>Reads and checks every setting.</summary>
    /// <exception cref="GranaryException">A value breaks its rule.</exception>
    public static SiloSettings From(SettingValues values)
    {
        var storage = ReadStorage(values);
        var settings = new SiloSettings
        {
            // Which storage silos can share is decided here.
            Server = ServerSettings.From(values, storage),
            StorageText = storage,
            CachePath = values.Required(Cache),
            MayMigrate = values.Flag(Migrate),
            Cluster = values.Required(ClusterId),
            Service = values.Required(ServiceId),
            Address = IPAddress.TryParse(values.Required(SiloAddress), out var address)
                ? address : throw values.Wrong(SiloAddress, "must be an IP address"),
            Port = (int)values.Number(SiloPort, 1, 65535),
            Gateway = (int)values.Number(GatewayPort, 0, 65535),
            PostgresStreams = values.Word(Streams, "memory", "postgres") == "postgres",
            AdminAddresses = ServerSettings.ReadUrls(values, AdminUrls),
            Otlp = values.Text(OtlpEndpoint) is not { } otlp ? null
                : Uri.TryCreate(otlp, UriKind.Absolute, out var endpoint)
                    ? endpoint : throw values.Wrong(OtlpEndpoint, "must be an address"),
            HandOver = TimeSpan.FromSeconds(values.Number(HandOverTimeout, 0, 3600)),
        };
        if (settings is { InMemory: true, PostgresStreams: true })
            throw values.Wrong(Streams, "needs --storage postgres://…");
        return settings;
    }

    /// <summary>The storage's connection string.</summary>
    /// <exception cref="GranaryException">It is none that silos can share.</exception>
    public static string ReadStorage(SettingValues values)
    {
        var storage = values.Required(Storage);
        return storage == "mem:" || storage.StartsWith("postgres://", StringComparison.Ordinal)
            || storage.StartsWith("postgresql://", StringComparison.Ordinal)
            ? storage
            : throw GranaryException.BadInput($"{Storage.Option} must begin with postgres:// (or be mem: for a single silo)");
    }
}
