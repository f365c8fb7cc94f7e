using Granary.Client;
using Granary.Collections;
using Granary.Index;
using Granary.Standalone.Tests.Hosting;

namespace Granary.Standalone.Tests.Crash;

/// <summary>
/// Rule AckIsDurable, on the real process: writers upsert and delete, the server is killed at a random acknowledgement while other calls
/// are in flight, and started again. What it then holds must be what was acknowledged, with any subset of what was in flight.
/// </summary>
internal sealed class CrashRounds(string folder, int seed)
{
    private const string Collection = "crash";
    private const int Writers = 4;
    private const int IdsAWriter = 200;
    private const int BatchSize = 5;
    private const int LatestKill = 120;

    private readonly Random _random = new(seed);

    /// <summary>The version each id was acknowledged with; 0 for deleted or never written.</summary>
    private readonly long[] _acknowledged = new long[Writers * IdsAWriter];

    /// <summary>The version each id was sent with and not answered for; -1 for none.</summary>
    private readonly long[] _inFlight = new long[Writers * IdsAWriter];

    private long _version;
    private int _acknowledgements;

    /// <summary>Acknowledged operations over all rounds.</summary>
    public long Acknowledged { get; private set; }

    /// <summary>What contradicted the rule, one line each.</summary>
    public List<string> Violations { get; } = [];

    /// <summary>Starts, loads, kills, starts again and compares, so many times over the same folder.</summary>
    public async Task RunAsync(int rounds, Action<int>? done = null)
    {
        Array.Fill(_inFlight, -1);
        for (var round = 1; round <= rounds; round++)
        {
            using (var server = await ServerProcess.StartAsync($"file:{folder}"))
                await LoadAndKillAsync(server);
            using (var server = await ServerProcess.StartAsync($"file:{folder}"))
            {
                await CompareAsync(server, round);
                server.Kill();
                await server.WaitForExitAsync();
            }

            done?.Invoke(round);
        }
    }

    private async Task LoadAndKillAsync(ServerProcess server)
    {
        await using var client = new GranaryHttpClient(server.Address);
        if (!await client.CollectionExistsAsync(Collection))
        {
            var schema = new IndexSchema
            {
                Dense = [new DenseVectorSchema("", 8, Distance.Dot)],
                Text = [new TextFieldSchema("text", "text")],
            };
            await client.CreateCollectionAsync(Collection, new CollectionConfig
            {
                Schema = schema,
                Partitions = 2,
                Ingestion = new IngestionSettings { CheckpointOperations = 500 },
            });
        }

        _acknowledgements = 0;
        var killAt = _random.Next(1, LatestKill);
        var seeds = Enumerable.Range(0, Writers).Select(_ => _random.Next()).ToArray();
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => WriteAsync(client, writer, new Random(seeds[writer]), () =>
        {
            if (Interlocked.Increment(ref _acknowledgements) == killAt)
                server.Kill();
        })));
        await server.WaitForExitAsync();
        Acknowledged += _acknowledgements;
    }

    /// <summary>Writes batches one after another until the server is gone.</summary>
    private async Task WriteAsync(GranaryHttpClient client, int writer, Random random, Action acknowledged)
    {
        while (true)
        {
            var ids = Enumerable.Range(0, BatchSize).Select(_ => (writer * IdsAWriter) + random.Next(IdsAWriter)).Distinct().ToArray();
            var delete = random.Next(5) == 0;
            var version = delete ? 0 : Interlocked.Increment(ref _version);
            foreach (var id in ids)
                _inFlight[id] = version;
            try
            {
                if (delete)
                    await client.DeleteAsync(Collection, [.. ids.Select(ToId)]);
                else
                    await client.UpsertAsync(Collection, [.. ids.Select(id => ToPoint(id, version))], wait: random.Next(4) == 0);
            }
            catch (GranaryException)
            {
                // The server is gone; what was in flight may be there or not.
                return;
            }

            foreach (var id in ids)
                (_acknowledged[id], _inFlight[id]) = (version, -1);
            acknowledged();
        }
    }

    private async Task CompareAsync(ServerProcess server, int round)
    {
        await using var client = new GranaryHttpClient(server.Address);
        var found = new long[_acknowledged.Length];
        PointId? next = null;
        do
        {
            var page = await client.ScrollAsync(Collection, new ScrollRequest { Limit = 1000, Offset = next });
            foreach (var point in page.Points)
            {
                var id = (long)point.Id.Number - 1;
                if (id < 0 || id >= found.Length)
                    Violations.Add($"round {round}: point {point.Id} was never written");
                else
                    found[id] = point.Payload!.ToJson()["version"]!.GetValue<long>();
            }

            next = page.Next;
        }
        while (next is not null);

        for (var id = 0; id < found.Length; id++)
        {
            if (found[id] != _acknowledged[id] && found[id] != _inFlight[id])
                Violations.Add($"round {round}: point {id + 1} has version {found[id]}, acknowledged was {_acknowledged[id]}, in flight "
                    + $"{_inFlight[id]}");
            (_acknowledged[id], _inFlight[id]) = (found[id], -1);
        }
    }

    private static PointId ToId(int id) => new((ulong)id + 1);

    private static Point ToPoint(int id, long version)
    {
        var vector = new float[8];
        vector[id % 8] = version;
        return new Point(ToId(id), vector,
            Payload.Of(new System.Text.Json.Nodes.JsonObject { ["version"] = version, ["text"] = $"version {version} of point {id}" }));
    }
}
