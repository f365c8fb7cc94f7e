using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Granary.Tests.Shared;

namespace Granary.Benchmarks;

/// <summary>Silos in processes of their own over a PostgreSQL server of this run. The silo's program must have been built.</summary>
internal sealed class SiloCluster : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private readonly string _program;
    private readonly string _storage;
    private readonly string _streams;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("granary-cluster");
    private readonly Dictionary<ServerProcess, string> _addresses = [];
    private int _started;

    private SiloCluster(string program, PostgresServer postgres, string storage, string streams) =>
        (_program, Postgres, _storage, _streams) = (program, postgres, storage, streams);

    public PostgresServer Postgres { get; }

    public List<ServerProcess> Silos { get; } = [];

    /// <summary>Starts PostgreSQL and the silos, one after the other.</summary>
    public static async Task<SiloCluster> StartAsync(
        Arguments arguments, int silos, string streams = "memory", string? program = null)
    {
        program ??= arguments.Text("silo", Find());
        if (!File.Exists(program))
            throw new ArgumentException($"--silo: {program} does not exist; `dotnet build -c Release src/Granary.Silo` makes it");
        var postgres = await PostgresServer.StartAsync();
        var cluster = new SiloCluster(program, postgres, await postgres.CreateDatabaseAsync(), streams);
        try
        {
            for (var i = 0; i < silos; i++)
                await cluster.AddAsync();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts one more silo; answers once it listens.</summary>
    public async Task<ServerProcess> AddAsync()
    {
        var dll = _program + ".dll";
        var start = new ProcessStartInfo(File.Exists(dll) ? "dotnet" : _program)
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
            WorkingDirectory = _folder.FullName,
        };
        if (File.Exists(dll))
            start.ArgumentList.Add(dll);
        var port = FreePort();
        foreach (var argument in (string[])["--urls", "http://127.0.0.1:0", "--storage", _storage, "--silo-port", port,
            "--gateway-port", "0", "--admin-urls", "", "--streams", _streams, "--log-level", "critical",
            "--cache", Path.Combine(_folder.FullName, $"silo-{_started++}")])
            start.ArgumentList.Add(argument);
        var silo = await ServerProcess.ListenAsync(start);
        Silos.Add(silo);
        _addresses[silo] = $"127.0.0.1:{port}";
        return silo;
    }

    /// <summary>The silo's address among the cluster's members.</summary>
    public string AddressOf(ServerProcess silo) => _addresses[silo];

    /// <summary>How many replicas of a collection each member serves, by the member's address, as a silo sees it.</summary>
    public static async Task<Dictionary<string, int>> ServingAsync(ServerProcess silo, string collection)
    {
        var view = await silo.SendAsync(HttpMethod.Get, "/cluster");
        return view.GetProperty("members").EnumerateArray().ToDictionary(
            m => m.GetProperty("address").GetString()!,
            m => m.GetProperty("replicas").EnumerateArray().Count(r =>
                r.GetProperty("collection").GetString() == collection && r.GetProperty("state").GetString() == "serves"));
    }

    /// <summary>Waits until the members serve as asked.</summary>
    public static async Task WaitServingAsync(ServerProcess silo, string collection, Func<Dictionary<string, int>, bool> enough)
    {
        var watch = Stopwatch.StartNew();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (await timer.WaitForNextTickAsync())
        {
            var serving = await ServingAsync(silo, collection);
            if (enough(serving))
                return;
            if (watch.Elapsed > Patience)
            {
                var view = await silo.SendAsync(HttpMethod.Get, "/cluster");
                throw new InvalidOperationException($"After {Patience.TotalSeconds} s: {JsonSerializer.Serialize(view)}");
            }
        }
    }

    /// <summary>Waits until everything accepted is linked.</summary>
    public static async Task WaitLinkedAsync(ServerProcess server, string collection) =>
        await server.SendAsync(HttpMethod.Post, $"/collections/{collection}/wait?timeout=3600");

    /// <summary>Sends bodies of upserts on some connections at once; those refused for want of room are sent again.</summary>
    public static async Task UpsertAsync(ServerProcess server, string collection, int bodies, Func<int, byte[]> make, int connections = 4)
    {
        var next = -1;
        await Task.WhenAll(Enumerable.Range(0, connections).Select(async _ =>
        {
            while (Interlocked.Increment(ref next) is var i && i < bodies)
            {
                while (true)
                {
                    using var response = await server.Client.PutAsync(
                        $"/collections/{collection}/points", PointBodies.Content(make(i)));
                    if ((int)response.StatusCode == 429)
                        continue;
                    response.EnsureSuccessStatusCode();
                    break;
                }
            }
        }));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var silo in Silos)
            await silo.DisposeAsync();
        await Postgres.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Orleans.sln")))
            folder = folder.Parent;
        return Path.Combine(folder?.FullName ?? ".", "src", "Granary.Silo", "bin", "Release", "net10.0", "granary-silo");
    }

    private static string FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
    }
}
