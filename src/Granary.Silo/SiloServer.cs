using Granary.Collections.Ports;
using Granary.Http;
using Granary.Index;
using Granary.Standalone.Hosting;
using Granary.Storage.Memory;
using Granary.Storage.Postgres;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Granary.Silo;

/// <summary>A silo, its REST API and the dashboard in this process.</summary>
internal sealed class SiloServer : IAsyncDisposable
{
    private static readonly TimeSpan CloseLimit = TimeSpan.FromSeconds(20);
    private readonly WebApplication _app;
    private readonly Observability? _observability;

    private SiloServer(WebApplication app, Observability? observability) => (_app, _observability) = (app, observability);

    /// <summary>Joins the cluster, starts listening and says so in one line on standard output.</summary>
    public static async Task<SiloServer> StartAsync(SiloSettings settings, CancellationToken cancellation)
    {
        IStorage storage = settings.InMemory
            ? new MemoryStorage()
            : await PostgresStorage.OpenAsync(settings.StorageText, new PostgresStorageOptions
            {
                Durability = settings.Server.Engine.Durability,
                CacheFolder = settings.CachePath,
                Migrate = settings.MayMigrate,
            }, cancellation);
        var observability = settings.Otlp is { } otlp ? Observability.Start(otlp, settings) : null;
        var app = Build(settings, storage);
        app.Lifetime.ApplicationStopping.Register(() => _ = EndAsync(settings.Server.StopTimeout + settings.HandOver + CloseLimit));
        try
        {
            await app.StartAsync(cancellation);
        }
        catch (Exception e) when (e is InvalidOperationException or System.Net.Sockets.SocketException)
        {
            await app.DisposeAsync();
            throw new GranaryException(ErrorKind.BadInput, $"cannot start: {StartErrors.Describe(e)}", e);
        }

        foreach (var address in app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses)
        {
            var shown = address.Replace("://[::]", "://localhost").Replace("://0.0.0.0", "://127.0.0.1");
            Console.WriteLine($"Granary is listening on {shown}");
        }

        return new SiloServer(app, observability);
    }

    /// <summary>Completes when the process was asked to stop (SIGTERM, Ctrl-C) and everything was handed over.</summary>
    public Task WaitForStopAsync(CancellationToken cancellation) => _app.WaitForShutdownAsync(cancellation);

    /// <summary>Stops listening, hands partitions over and leaves the cluster.</summary>
    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        _observability?.Dispose();
    }

    /// <summary>
    /// A stop that takes longer than everything it does may take (the database is away, and membership waits for it) ends as a kill does:
    /// without loss.
    /// </summary>
    private static async Task EndAsync(TimeSpan limit)
    {
        await Task.Delay(limit);
        await Console.Error.WriteLineAsync(
            $"granary-silo: stopping took longer than {limit.TotalSeconds:0} s; the process ends now. Nothing acknowledged is lost.");
        Environment.ExitCode = 1;
        System.Diagnostics.Process.GetCurrentProcess().Kill();
    }

    private static WebApplication Build(SiloSettings settings, IStorage storage)
    {
        var builder = RestHost.Begin(
            settings.Server, [.. settings.Server.Urls, .. settings.AdminAddresses], settings.Server.StopTimeout + settings.HandOver);
        builder.AddSilo(settings, storage);
        builder.Services.AddGranaryHttp(settings.Server.Http);
        var app = builder.Build();
        Dashboard.Map(app, settings);
        app.MapGranary();
        return app;
    }
}
