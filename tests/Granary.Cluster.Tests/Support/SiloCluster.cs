using Granary.Tests.Shared;
using Xunit.Abstractions;

namespace Granary.Cluster.Tests.Support;

/// <summary>Silos in processes of their own over a database of their own. Ended at the end, with their logs in the test's output.</summary>
internal sealed class SiloCluster : IAsyncDisposable
{
    private static readonly Lazy<Task<PostgresServer>> Shared = new(() => PostgresServer.StartAsync());
    private readonly ITestOutputHelper? _output;

    private SiloCluster(ITestOutputHelper? output, string database, IReadOnlyList<SiloProcess> silos) =>
        (_output, Database, Silos) = (output, database, silos);

    /// <summary>The address of the database.</summary>
    public string Database { get; }

    public IReadOnlyList<SiloProcess> Silos { get; }

    public SiloProcess this[int silo] => Silos[silo];

    /// <summary>Starts silos and waits until each knows the others.</summary>
    /// <param name="output">Where the silos' logs go; null: nowhere.</param>
    /// <param name="silos">How many.</param>
    /// <param name="server">The database server; null: one for all tests.</param>
    /// <param name="each">More settings of a silo, by its number.</param>
    public static async Task<SiloCluster> StartAsync(
        ITestOutputHelper? output, int silos = 2, PostgresServer? server = null, Func<int, Dictionary<string, string>>? each = null)
    {
        var database = await (server ?? await Shared.Value).CreateDatabaseAsync();
        var cluster = new SiloCluster(output, database, [
            .. Enumerable.Range(0, silos).Select(i => new SiloProcess(
                $"silo {i}", [new("GRANARY_STORAGE", database), new("GRANARY_LOG_LEVEL", "warning"), .. each?.Invoke(i) ?? []]))]);
        try
        {
            await Task.WhenAll(cluster.Silos.Select(static s => s.StartAsync()));
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Waits until these silos see each other, and nobody else, and serve everything that belongs to them.</summary>
    public async Task<TimeSpan> SettledAsync(params IReadOnlyList<SiloProcess> silos)
    {
        var expected = silos.Select(static s => s.Address).Order(StringComparer.Ordinal).ToList();
        var waited = await Task.WhenAll(silos.Select(silo => Until.NothingIsMissingAsync(async () =>
        {
            var members = await silo.ClusterAsync();
            var active = members.Where(static m => m.State == "active").Select(static m => m.Address).Order(StringComparer.Ordinal);
            return active.SequenceEqual(expected) && members.Count == expected.Count
                ? null
                : $"{silo.Name} sees {string.Join(", ", members.Select(static m => $"{m.Address} {m.State}"))}";
        })));
        var ready = await Task.WhenAll(silos.Select(static s => s.ReadyAsync()));
        return waited.Max() + ready.Max();
    }

    /// <summary>Waits until every silo sees every other and serves.</summary>
    public Task<TimeSpan> SettledAsync() => SettledAsync(Silos);

    public async ValueTask DisposeAsync()
    {
        foreach (var silo in Silos)
        {
            await silo.DisposeAsync();
            _output?.WriteLine($"==== {silo.Name} ({silo.Address}, {silo.Url})\n{silo.Tail(80)}");
        }
    }
}
