using Granary.Client;
using Granary.Index;
using Granary.Standalone.Hosting;
using Granary.Standalone.Settings;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Granary.Standalone.Tests.Client;

public sealed class EmbeddedClientTests : ClientBehaviour
{
    protected override async Task<IGranaryClient> OpenAsync() => await EmbeddedGranaryClient.OpenAsync("mem:");
}

public sealed class HttpClientTests : ClientBehaviour
{
    private GranaryServer _server = null!;

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        await _server.DisposeAsync();
    }

    protected override async Task<IGranaryClient> OpenAsync()
    {
        var file = new Dictionary<string, string?>
        {
            ["Granary:Storage"] = "mem:",
            ["Granary:Urls"] = "http://127.0.0.1:0",
            ["Granary:ApiKey"] = "key",
        };
        var values = new SettingValues(static _ => null, new ConfigurationBuilder().AddInMemoryCollection(file).Build());
        _server = await GranaryServer.StartAsync(ServerSettings.From(values), default);
        return new GranaryHttpClient(_server.Addresses[0], "key");
    }

    [Fact]
    public async Task A_wrong_key_is_forbidden()
    {
        await using var client = new GranaryHttpClient(_server.Addresses[0], "other");
        Assert.Equal(ErrorKind.Forbidden, (await Assert.ThrowsAsync<GranaryException>(() => client.ListCollectionsAsync())).Kind);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_unavailable_and_named()
    {
        await using var client = new GranaryHttpClient(new Uri("http://127.0.0.1:1"));
        var error = await Assert.ThrowsAsync<GranaryException>(() => client.ListCollectionsAsync());
        Assert.Equal(ErrorKind.Unavailable, error.Kind);
        Assert.StartsWith("http://127.0.0.1:1/ cannot be reached: ", error.Message, StringComparison.Ordinal);
    }
}

public sealed class RegistrationTests
{
    [Fact]
    public async Task A_host_opens_the_database_at_its_start_and_closes_it_at_its_end()
    {
        using var folder = new TemporaryFolder();
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddGranary($"file:{folder.Path}/data");
        var host = builder.Build();
        await host.StartAsync();
        Assert.Empty(await host.Services.GetRequiredService<IGranaryClient>().ListCollectionsAsync());
        await host.StopAsync();
        await ((IAsyncDisposable)host).DisposeAsync();
        await using var again = await EmbeddedGranaryClient.OpenAsync($"file:{folder.Path}/data");
        Assert.Empty(await again.ListCollectionsAsync());
    }

    [Fact]
    public void A_bad_connection_string_fails_at_registration() =>
        Assert.Throws<GranaryException>(() => new ServiceCollection().AddGranary("nonsense"));

    [Fact]
    public void An_address_registers_the_HTTP_client()
    {
        using var services = new ServiceCollection().AddGranary("http://127.0.0.1:6333").BuildServiceProvider();
        Assert.IsType<GranaryHttpClient>(services.GetRequiredService<IGranaryClient>());
    }
}
