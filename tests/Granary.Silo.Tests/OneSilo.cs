using System.Net;
using System.Net.Sockets;
using System.Text;
using Granary.Standalone.Settings;
using Microsoft.Extensions.Configuration;

namespace Granary.Silo.Tests;

/// <summary>A silo over memory in this process, with an API key, on ports that were free, and a collection of three partitions.</summary>
[CollectionDefinition(Name)]
public sealed class OneSilo : IAsyncLifetime, ICollectionFixture<OneSilo>
{
    /// <summary>Of the tests that share it: what a process counts is counted once for all silos in it.</summary>
    public const string Name = "one silo";

    public const string Key = "a-key";
    private SiloServer? _server;

    /// <summary>The REST API, with the key.</summary>
    public HttpClient Rest { get; } = new();

    public Uri RestAddress { get; private set; } = null!;

    public Uri AdminAddress { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        var ports = FreePorts(4);
        (RestAddress, AdminAddress) = (new($"http://127.0.0.1:{ports[0]}"), new($"http://127.0.0.1:{ports[1]}"));
        var file = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Granary:Storage"] = "mem:",
            ["Granary:Urls"] = RestAddress.ToString(),
            ["Granary:AdminUrls"] = AdminAddress.ToString(),
            ["Granary:SiloPort"] = $"{ports[2]}",
            ["Granary:GatewayPort"] = $"{ports[3]}",
            ["Granary:ApiKey"] = Key,
            ["Granary:Embeddings"] = "none",
        }).Build();
        _server = await SiloServer.StartAsync(SiloSettings.From(new SettingValues(static _ => null, file)), default);
        Rest.BaseAddress = RestAddress;
        Rest.DefaultRequestHeaders.Add("api-key", Key);
        await SendAsync(HttpMethod.Put, "/collections/told", """{"vectors":{"size":2,"distance":"Dot"},"shard_number":3}""");
        var points = string.Join(',', Enumerable.Range(1, 30).Select(static i => $"{{\"id\":{i},\"vector\":[{i},1]}}"));
        await SendAsync(HttpMethod.Put, "/collections/told/points?wait=true", $"{{\"points\":[{points}]}}");
    }

    public async Task DisposeAsync()
    {
        Rest.Dispose();
        if (_server is not null)
            await _server.DisposeAsync();
    }

    private async Task SendAsync(HttpMethod method, string path, string body)
    {
        using var request = new HttpRequestMessage(method, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        using var response = await Rest.SendAsync(request);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
    }

    private static int[] FreePorts(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(static _ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        listeners.ForEach(static l => l.Start());
        int[] ports = [.. listeners.Select(static l => ((IPEndPoint)l.LocalEndpoint).Port)];
        listeners.ForEach(static l => l.Stop());
        return ports;
    }
}
