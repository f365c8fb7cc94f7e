using Granary.Cluster.Tests.Support;

namespace Granary.Http.Tests;

/// <summary>
/// The REST API of two silos, for the tests of the standalone server: requests go to one and the other in turn, so that what one has done
/// the other must know. Each class of tests finds it empty.
/// </summary>
public sealed class ApiServer : ApiRequests, IAsyncLifetime
{
    private static readonly Lazy<Task<SiloCluster>> Shared = new(StartAsync);

    public async Task InitializeAsync()
    {
        var cluster = await Shared.Value;
        Url = cluster[0].Url.ToString().TrimEnd('/');
        Client.Dispose();
        Client = new HttpClient(new InTurn([.. cluster.Silos.Select(static s => s.Url)])) { BaseAddress = cluster[0].Url };
    }

    public async Task DisposeAsync()
    {
        foreach (var collection in (await OkAsync("GET", "/collections")).GetProperty("collections").EnumerateArray())
            await OkAsync("DELETE", $"/collections/{collection.GetProperty("name").GetString()}");
        Client.Dispose();
    }

    private static async Task<SiloCluster> StartAsync()
    {
        var cluster = await SiloCluster.StartAsync(null);
        AppDomain.CurrentDomain.ProcessExit += (_, _) => cluster.DisposeAsync().AsTask().GetAwaiter().GetResult();
        await cluster.SettledAsync();
        return cluster;
    }

    private sealed class InTurn(IReadOnlyList<Uri> silos) : DelegatingHandler(new SocketsHttpHandler())
    {
        private int _turn;

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var silo = silos[(int)((uint)Interlocked.Increment(ref _turn) % (uint)silos.Count)];
            request.RequestUri = new UriBuilder(request.RequestUri!) { Host = silo.Host, Port = silo.Port }.Uri;
            return base.SendAsync(request, cancellationToken);
        }
    }
}
