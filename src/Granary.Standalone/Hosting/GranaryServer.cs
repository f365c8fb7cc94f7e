using Granary.Client;
using Granary.Collections;
using Granary.Http;
using Granary.Index;
using Granary.Standalone.Settings;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Granary.Standalone.Hosting;

/// <summary>The server: storage, engine and REST API in this process.</summary>
internal sealed class GranaryServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Database _database;

    private GranaryServer(WebApplication app, Database database, IReadOnlyList<Uri> addresses)
    {
        _app = app;
        _database = database;
        Addresses = addresses;
    }

    /// <summary>Where it listens, with the real ports.</summary>
    public IReadOnlyList<Uri> Addresses { get; }

    /// <summary>The engine.</summary>
    public IDatabase Database => _database;

    /// <summary>Cancelled when the process was asked to stop.</summary>
    public CancellationToken Stopping => _app.Lifetime.ApplicationStopping;

    /// <summary>Opens the storage, starts listening and says so in one line on standard output.</summary>
    public static async Task<GranaryServer> StartAsync(ServerSettings settings, CancellationToken cancellation)
    {
        var storage = await GranaryStorage.OpenAsync(settings.Engine.Storage, settings.Engine.Durability, cancellation);
        Database database;
        try
        {
            database = await Collections.Database.OpenAsync(storage, settings.Engine.ToDatabaseOptions(), cancellation);
        }
        catch
        {
            await storage.DisposeAsync();
            throw;
        }

        var app = Build(settings, database);
        try
        {
            await app.StartAsync(cancellation);
        }
        catch (Exception e) when (e is InvalidOperationException or System.Net.Sockets.SocketException)
        {
            await app.DisposeAsync();
            await database.DisposeAsync();
            throw new GranaryException(
                ErrorKind.BadInput, $"cannot listen on {string.Join(", ", settings.Urls)}: {StartErrors.Describe(e)}", e);
        }
        catch
        {
            await app.DisposeAsync();
            await database.DisposeAsync();
            throw;
        }

        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses
            .Select(static address => new Uri(address.Replace("://[::]", "://localhost", StringComparison.Ordinal)
                .Replace("://0.0.0.0", "://127.0.0.1", StringComparison.Ordinal)))
            .ToList();
        if (string.IsNullOrEmpty(settings.Http.ApiKey) && !string.IsNullOrEmpty(settings.Http.ReadOnlyApiKey))
            await Console.Error.WriteLineAsync(
                "granary: only a read-only key is set, so nobody can write; writes need --api-key (GRANARY_API_KEY)");
        foreach (var address in addresses)
            Console.WriteLine($"Granary is listening on {address.GetLeftPart(UriPartial.Authority)}");
        return new GranaryServer(app, database, addresses);
    }

    /// <summary>Completes when the process was asked to stop (SIGTERM, Ctrl-C) and requests under way have ended.</summary>
    public Task WaitForStopAsync(CancellationToken cancellation) => _app.WaitForShutdownAsync(cancellation);

    /// <summary>Stops listening, drains the queues, takes checkpoints and closes the storage.</summary>
    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        await _database.DisposeAsync();
    }

    private static WebApplication Build(ServerSettings settings, Database database)
    {
        var builder = RestHost.Begin(settings, settings.Urls, settings.StopTimeout);
        builder.Services.AddSingleton<IDatabase>(database);
        builder.Services.AddGranaryHttp(settings.Http);
        builder.Services.AddHostedService<IdleMemory>();
        var app = builder.Build();
        app.MapGranary();
        return app;
    }
}
