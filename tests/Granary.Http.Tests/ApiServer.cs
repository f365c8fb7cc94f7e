using Granary.Collections;
using Granary.Collections.Ports;
using Granary.Storage.Memory;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Granary.Http.Tests;

/// <summary>The REST API over a database in memory (or elsewhere), on a free port of this machine.</summary>
public sealed class ApiServer : ApiRequests, IAsyncLifetime
{
    private readonly GranaryHttpOptions _options;
    private readonly Func<IDatabase, IDatabase>? _around;
    private readonly Func<Task<IStorage>> _storage;
    private WebApplication? _app;
    private Collections.Database? _database;

    public ApiServer() : this(new GranaryHttpOptions())
    {
    }

    internal ApiServer(
        GranaryHttpOptions options, Func<IDatabase, IDatabase>? around = null, Func<Task<IStorage>>? storage = null)
    {
        (_options, _around) = (options, around);
        _storage = storage ?? (static () => Task.FromResult<IStorage>(new MemoryStorage()));
    }

    internal IDatabase Database => _database!;

    public async Task InitializeAsync()
    {
        _database = await Collections.Database.OpenAsync(await _storage(), new DatabaseOptions(), CancellationToken.None);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton(_around?.Invoke(_database) ?? _database);
        builder.Services.AddGranaryHttp(_options);
        _app = builder.Build();
        _app.MapGranary();
        await _app.StartAsync();
        Url = _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        Client.Dispose();
        Client = new HttpClient { BaseAddress = new Uri(Url) };
    }

    public async Task DisposeAsync()
    {
        Client.Dispose();
        await _app!.DisposeAsync();
        await _database!.DisposeAsync();
    }
}
