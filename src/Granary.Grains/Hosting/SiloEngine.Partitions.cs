using System.Collections.Concurrent;
using Granary.Collections.Catalog;
using Granary.Collections.Partitions;
using Granary.Collections.Ports;
using Granary.Grains.Calls;
using Granary.Grains.Interfaces;
using Granary.Index;

namespace Granary.Grains.Hosting;

/// <summary>The writers and replicas of a silo.</summary>
internal sealed partial class SiloEngine
{
    private readonly ConcurrentDictionary<string, PartitionReplica> _replicas = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<PartitionKey, PartitionLeader> _leaders = [];
    private readonly SemaphoreSlim _opening = new(1, 1);

    /// <summary>Opens the writing side of a partition, for its collection grain.</summary>
    public async ValueTask<PartitionLeader> OpenLeaderAsync(
        PartitionKey partition, CollectionDocument document, IFeed feed, CancellationToken cancellation)
    {
        var leader = await PartitionLeader.OpenAsync(
            _storage, partition, document.Config.Ingestion, feed, TimingsOf(partition.Incarnation), _options.Time, cancellation)
            .ConfigureAwait(false);
        _leaders[partition] = leader;
        return leader;
    }

    /// <summary>Closes a writing side that was opened here.</summary>
    public async ValueTask CloseAsync(PartitionLeader leader)
    {
        _leaders.TryRemove(new KeyValuePair<PartitionKey, PartitionLeader>(leader.Key, leader));
        await leader.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>
    /// The replica behind an indexer grain, which serves from now on; it opens in the background unless it was warmed up before. Null: it
    /// belongs to no collection.
    /// </summary>
    public async ValueTask<PartitionReplica?> OpenReplicaAsync(string key, CancellationToken cancellation)
    {
        if (await HostAsync(key, cancellation).ConfigureAwait(false) is not { } hosted)
            return null;
        hosted.Serve();
        return hosted;
    }

    /// <summary>Warms a replica up, beside the one that serves elsewhere; tells whether it has caught up with the log.</summary>
    public async ValueTask<bool> PrepareAsync(string key, CancellationToken cancellation) =>
        await HostAsync(key, cancellation).ConfigureAwait(false) is { } hosted
            && await IsWarmAsync(hosted, cancellation).ConfigureAwait(false);

    /// <summary>A grain lets its replica go: it stays warm only where the plan has it.</summary>
    public void LetGo(string key)
    {
        var (partition, replica) = GrainKeys.Parse(key);
        if (!_cluster.Here.Equals(_cluster.PlaceOf(partition, replica)))
            Close(key);
        else if (_replicas.TryGetValue(key, out var hosted))
            _ = StandByAsync(key, hosted);
    }

    /// <summary>The silo's state for people.</summary>
    public SiloReport Report() => new(
        _cluster.Here.ToParsableString(), _cluster.Name, _cluster.IsLeaving,
        [
            .. _replicas.OrderBy(r => r.Key, StringComparer.Ordinal).Select(r => new SiloReplica(
                r.Key, r.Value.Report().Reason ?? "serves", r.Value.Report().Applied, r.Value.Serves)),
        ]);

    /// <summary>Why this silo should get no requests; null when every replica that belongs here serves.</summary>
    public string? NotReady
    {
        get
        {
            if (!_database.Task.IsCompletedSuccessfully)
                return "the silo is starting";
            if (_cluster.IsLeaving)
                return "the silo is leaving";
            foreach (var (partition, number) in _cluster.PlannedHere())
            {
                var key = GrainKeys.Of(partition, number);
                if (!_replicas.TryGetValue(key, out var replica) || !replica.Serves)
                    return $"replica {key} does not serve yet";
            }

            return null;
        }
    }

    private async ValueTask<PartitionReplica?> HostAsync(string key, CancellationToken cancellation)
    {
        if (_replicas.TryGetValue(key, out var known))
            return known;
        var (partition, number) = GrainKeys.Parse(key);
        var document = await FindAsync(partition.Incarnation, cancellation).ConfigureAwait(false);
        if (document is null || partition.Number >= document.Config.Partitions || number >= document.Config.Replicas)
            return null;
        await _opening.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (_replicas.TryGetValue(key, out known))
                return known;
            return _replicas[key] = PartitionReplica.Start(new ReplicaOptions
            {
                Storage = _storage,
                Key = partition,
                Replica = number,
                InitialSchema = document.InitialSchema,
                Config = document.Config,
                Leader = new LeaderClient(_grains, partition),
                Leases = _renewals,
                TakesCheckpoints = number == 0,
                Embedder = number == 0 ? _embedder : null,
                Time = _options.Time,
                StandsBy = true,
            });
        }
        finally
        {
            _opening.Release();
        }
    }

    /// <summary>Whether a replica has everything logged; one that opens is given a while.</summary>
    private async ValueTask<bool> IsWarmAsync(PartitionReplica replica, CancellationToken cancellation)
    {
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limited.CancelAfter(TimeSpan.FromSeconds(10));
        try
        {
            await replica.WaitWarmAsync(limited.Token).ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (e is OperationCanceledException or GranaryException)
        {
            return false;
        }
    }

    /// <summary>Closes a replica in the background: searches under way end first.</summary>
    private void Close(string key)
    {
        if (_replicas.TryRemove(key, out var hosted))
            _ = CloseAsync(key, hosted);
    }

    private async Task StandByAsync(string key, PartitionReplica hosted)
    {
        try
        {
            await hosted.StandByAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // The lease runs out by itself.
            LogUnclosed(_logger, key, e);
        }
    }

    private async Task CloseAsync(string key, PartitionReplica hosted)
    {
        try
        {
            await hosted.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            LogUnclosed(_logger, key, e);
        }
    }

    private async ValueTask CloseReplicasAsync()
    {
        foreach (var (key, hosted) in _replicas)
        {
            _replicas.TryRemove(key, out _);
            await CloseAsync(key, hosted).ConfigureAwait(false);
        }
    }

    [Microsoft.Extensions.Logging.LoggerMessage(
        2, Microsoft.Extensions.Logging.LogLevel.Warning, "Replica {Key} was not closed in order; its log has everything")]
    private static partial void LogUnclosed(Microsoft.Extensions.Logging.ILogger logger, string key, Exception e);
}
