using System.Collections.Concurrent;

namespace Granary.Cluster.Tests.Support;

/// <summary>
/// Writers that keep a ledger, and readers that know what they must be told: the points loaded first, which nobody changes.
/// </summary>
internal sealed class Load : IAsyncDisposable
{
    private const int Firm = 200;
    private const int FirmVersion = 0;
    private const int FirstFirmId = 900_000_000;
    private const int IdsAWriter = 10_000_000;
    private readonly string _collection;
    private readonly CancellationTokenSource _over = new();
    private readonly List<Task> _tasks = [];
    private readonly ConcurrentQueue<string> _failedQueries = new();
    private volatile SiloProcess[] _silos;
    private string _nearest = "";
    private long _version;
    private int _probes;
    private long _queries;
    private long _writes;

    private Load(string collection, IEnumerable<SiloProcess> silos) => (_collection, _silos) = (collection, [.. silos]);

    public Ledger Ledger { get; } = new();

    /// <summary>Queries answered in full.</summary>
    public long Queries => Interlocked.Read(ref _queries);

    /// <summary>Requests to write that were answered.</summary>
    public long Writes => Interlocked.Read(ref _writes);

    /// <summary>Queries that failed or were answered in part.</summary>
    public IReadOnlyCollection<string> FailedQueries => _failedQueries;

    /// <summary>The silos that are asked and written to; the others are about to die, or dead.</summary>
    public IReadOnlyList<SiloProcess> Silos
    {
        get => _silos;
        set => _silos = [.. value];
    }

    /// <summary>Loads the points that nobody changes, and starts writers and readers.</summary>
    /// <param name="silos">The silos.</param>
    /// <param name="collection">The collection.</param>
    /// <param name="writers">How many write at once.</param>
    /// <param name="readers">How many ask at once.</param>
    /// <param name="waits">Whether some writes wait until they are visible.</param>
    /// <param name="pinned">Whether each writer and reader stays with one silo.</param>
    public static async Task<Load> StartAsync(
        IReadOnlyList<SiloProcess> silos, string collection, int writers = 3, int readers = 2, bool waits = true, bool pinned = false)
    {
        var load = new Load(collection, silos);
        var ids = Enumerable.Range(FirstFirmId, Firm).ToArray();
        var wait = waits ? "true" : "false";
        await silos[0].Rest.OkAsync("PUT", $"/collections/{collection}/points?wait={wait}", Points.Upsert(ids, FirmVersion));
        load.Ledger.Note(ids, static _ => new PointState(FirmVersion, null), answered: true);
        await Until.NothingIsMissingAsync(async () =>
        {
            var counts = await Task.WhenAll(silos.Select(s => s.Rest.CountAsync(collection)));
            return counts.All(static c => c == Firm) ? null : $"of {Firm} points {string.Join(", ", counts)}";
        });
        load._nearest = await load.NearestAsync(silos[0]);
        for (var i = 0; i < writers; i++)
        {
            var (number, home) = (i, pinned ? silos[i % silos.Count] : null);
            load._tasks.Add(Task.Run(() => load.WriteAsync(number, home, waits)));
        }

        for (var i = 0; i < readers; i++)
        {
            var (number, home) = (i, pinned ? silos[i % silos.Count] : null);
            load._tasks.Add(Task.Run(() => load.ReadAsync(number, home)));
        }

        return load;
    }

    /// <summary>Writes points of every partition through a silo, and returns once that is acknowledged.</summary>
    public async Task ProbeAsync(SiloProcess silo, bool wait)
    {
        var first = 800_000_000 + (Interlocked.Increment(ref _probes) * 32);
        var ids = Enumerable.Range(first, 32).ToArray();
        var version = Interlocked.Increment(ref _version);
        var body = Points.Upsert(ids, version);
        await Until.NothingIsMissingAsync(async () => await TryAsync(
            silo, "PUT", $"/points?wait={(wait ? "true" : "false")}", body, ids, _ => new PointState(version, null))
            ? null : $"a write through {silo.Name}");
    }

    /// <summary>Ends it.</summary>
    public async Task StopAsync()
    {
        await _over.CancelAsync();
        await Task.WhenAll(_tasks);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _over.Dispose();
    }

    private async Task WriteAsync(int number, SiloProcess? home, bool waits)
    {
        var random = new Random(number);
        var next = (number + 1) * IdsAWriter;
        var mine = new List<int>();
        while (!_over.IsCancellationRequested)
        {
            var silos = _silos;
            var silo = home ?? silos[random.Next(silos.Length)];
            var wait = waits && random.Next(4) == 0 ? "true" : "false";
            var version = Interlocked.Increment(ref _version);
            while (mine.Count < 100)
                mine.Add(next++);
            var ids = Enumerable.Range(0, 5).Select(_ => mine[random.Next(mine.Count)]).Distinct().ToArray();
            var done = random.Next(10) switch
            {
                < 6 => await TryAsync(silo, "PUT", $"/points?wait={wait}", Points.Upsert(ids, version), ids,
                    _ => new PointState(version, null)),
                < 8 => await TryAsync(silo, "POST", $"/points/payload?wait={wait}", Points.SetNote(ids, version), ids,
                    old => old is { } there ? there with { Note = version } : null),
                _ => await TryAsync(silo, "POST", $"/points/delete?wait={wait}", Points.Delete(ids), ids, static _ => null),
            };
            // Whether and when that happens is not known: they are left alone.
            if (!done)
                mine.RemoveAll(ids.Contains);
        }
    }

    private async Task<bool> TryAsync(
        SiloProcess silo, string method, string path, string body, int[] ids, Func<PointState?, PointState?> change)
    {
        var answered = false;
        try
        {
            var (status, _) = await silo.Rest.SendAsync(method, $"/collections/{_collection}{path}", body);
            answered = status == 200;
        }
        catch (Exception e) when (e is HttpRequestException or IOException or TaskCanceledException or ObjectDisposedException)
        {
            // The silo is gone.
        }

        Ledger.Note(ids, change, answered);
        if (answered)
            Interlocked.Increment(ref _writes);
        return answered;
    }

    private async Task ReadAsync(int number, SiloProcess? home)
    {
        var random = new Random(number);
        while (!_over.IsCancellationRequested)
        {
            var silos = _silos;
            var silo = home ?? silos[random.Next(silos.Length)];
            string? wrong;
            try
            {
                wrong = random.Next(2) == 0
                    ? await silo.Rest.CountAsync(_collection, Points.VersionIs(FirmVersion)) is var count && count == Firm
                        ? null : $"{count} of {Firm} points"
                    : await NearestAsync(silo) is var nearest && nearest == _nearest ? null : $"nearest {nearest}, not {_nearest}";
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                wrong = e.Message;
            }

            if (wrong is null)
                Interlocked.Increment(ref _queries);
            else if (home is not null || _silos.Contains(silo))
                _failedQueries.Enqueue($"{DateTime.UtcNow:HH:mm:ss.fff} {silo.Name}: {wrong}");
        }
    }

    /// <summary>The exact nearest of the points that nobody changes.</summary>
    private async Task<string> NearestAsync(SiloProcess silo)
    {
        var result = await silo.Rest.OkAsync("POST", $"/collections/{_collection}/points/query",
            $$$"""
            {"query":{{{Points.Vector(1, 1)}}},"params":{"exact":true},"limit":10,"filter":{{{Points.VersionIs(FirmVersion)}}}}
            """);
        return string.Join(' ', result.GetProperty("points").EnumerateArray().Select(static p => p.GetProperty("id").GetRawText()));
    }
}
