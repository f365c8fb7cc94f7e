using Granary.Collections;
using Granary.Http;
using Granary.Storage.Memory;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Granary.Cluster.Tests.Support;

/// <summary>The REST API over the engine without any cluster, in this process and in memory.</summary>
internal sealed class MemoryServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Database _database;

    private MemoryServer(WebApplication app, Database database, Uri url) => (_app, _database, Rest) = (app, database, new Rest(url));

    public Rest Rest { get; }

    public static async Task<MemoryServer> StartAsync()
    {
        var database = await Database.OpenAsync(new MemoryStorage(), new DatabaseOptions(), CancellationToken.None);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton<IDatabase>(database);
        builder.Services.AddGranaryHttp(new GranaryHttpOptions());
        var app = builder.Build();
        app.MapGranary();
        await app.StartAsync();
        var url = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        return new MemoryServer(app, database, new Uri(url));
    }

    public async ValueTask DisposeAsync()
    {
        Rest.Dispose();
        await _app.DisposeAsync();
        await _database.DisposeAsync();
    }
}
