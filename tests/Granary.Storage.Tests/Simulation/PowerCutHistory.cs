using Granary.Collections.Ports;
using Granary.Index;
using Granary.Storage.Files;

namespace Granary.Storage.Tests.Simulation;

/// <summary>
/// One folder through many power cuts: random work, a cut at a random step, a start, and a comparison of everything found with
/// everything acknowledged and whatever was in flight.
/// </summary>
internal sealed class PowerCutHistory(int seed, Durability durability, bool partial)
{
    private const string Folder = "/srv/granary";
    private readonly Random _random = new(seed);
    private readonly ModelPartition[] _partitions =
        [new(new PartitionKey(Guid.NewGuid(), 0)), new(new PartitionKey(Guid.NewGuid(), 1)), new(new PartitionKey(Guid.NewGuid(), 0))];

    private SimulatedFileSystem _files = new();
    private Dictionary<string, long> _catalog = [];
    private Dictionary<string, long>? _catalogInFlight;

    /// <summary>Operations acknowledged.</summary>
    public long Acknowledged { get; private set; }

    /// <summary>Cuts that came while something was in flight.</summary>
    public int Interrupted { get; private set; }

    private FileStorageOptions Options => new() { SegmentBytes = 4096, Durability = durability, Time = new StoppedTime() };

    public async Task CutAsync()
    {
        _files.StepsToCut = _random.Next(4) == 0 ? _random.Next(20) : _random.Next(250);
        FileStorage? storage = null;
        try
        {
            storage = FileStorage.Open(_files, Folder, Options);
            foreach (var partition in _partitions)
                await partition.OpenAsync(storage);
            while (true)
                await StepAsync(storage);
        }
        catch (GranaryException e) when (e.InnerException is PowerCutException)
        {
        }
        catch (PowerCutException)
        {
        }

        _files = _files.AfterCut(partial ? _random : null);
        if (storage is not null)
            await storage.AbandonAsync();
        await CheckAsync();
    }

    private async Task StepAsync(FileStorage storage)
    {
        var partition = _partitions[_random.Next(_partitions.Length)];
        switch (_random.Next(40))
        {
            case < 30:
                await AppendAsync(partition);
                break;
            case < 33:
                await partition.CheckpointAsync(_random);
                break;
            case < 35:
                await partition.TruncateAsync();
                break;
            case < 38:
                await CommitAsync(storage);
                break;
            case < 39 when partition == _partitions[2]:
                await partition.DropAsync(storage);
                break;
            default:
                await partition.ReopenLogAsync(storage);
                break;
        }
    }

    private async Task AppendAsync(ModelPartition partition)
    {
        var records = new LogRecord[_random.Next(1, 5)];
        var next = partition.Next;
        for (var i = 0; i < records.Length; i++)
        {
            var operations = new byte[_random.Next(600)];
            _random.NextBytes(operations);
            records[i] = new LogRecord(next, _random.Next(1, 4), Guid.NewGuid(), operations);
            next = records[i].LastOperation + 1;
        }

        await partition.AppendAsync(records);
        Acknowledged += records.Sum(r => r.Count);
    }

    private async Task CommitAsync(FileStorage storage)
    {
        var after = new Dictionary<string, long>(_catalog);
        var changes = new List<CatalogChange>();
        foreach (var key in Enumerable.Range(0, 6).Where(_ => _random.Next(2) == 0).Select(n => $"collection/{n}"))
        {
            var version = after.GetValueOrDefault(key);
            var delete = version > 0 && _random.Next(3) == 0;
            changes.Add(new CatalogChange(key, version, delete ? null : (ReadOnlyMemory<byte>?)new byte[_random.Next(100)]));
            if (delete)
                after.Remove(key);
            else
                after[key] = version + 1;
        }

        _catalogInFlight = after;
        Assert.True(await storage.Catalog.TryCommitAsync(changes, CancellationToken.None));
        (_catalog, _catalogInFlight) = (after, null);
    }

    private async Task CheckAsync()
    {
        await using var storage = FileStorage.Open(_files, Folder, Options);
        var found = (await storage.Catalog.ListAsync("", CancellationToken.None)).ToDictionary(e => e.Key, e => e.Version);
        var whole = Same(found, _catalog) || (_catalogInFlight is not null && Same(found, _catalogInFlight));
        Assert.True(whole, $"seed {seed}: the catalog holds [{Text(found)}], acknowledged was [{Text(_catalog)}], in flight "
            + $"[{Text(_catalogInFlight)}]");
        Interrupted += _catalogInFlight is not null || _partitions.Any(p => p.InFlight) ? 1 : 0;
        (_catalog, _catalogInFlight) = (found, null);
        foreach (var partition in _partitions)
            await partition.CheckAsync(storage, durability == Durability.Disk, $"seed {seed}, {partition.Key}");
        _files.StepsToCut = -1;
    }

    private static string Text(Dictionary<string, long>? catalog) => string.Join(", ", catalog?.Select(e => $"{e.Key} v{e.Value}") ?? []);

    private static bool Same(Dictionary<string, long> a, Dictionary<string, long> b) => a.Count == b.Count && !a.Except(b).Any();
}
