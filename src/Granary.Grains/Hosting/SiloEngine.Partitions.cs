using System.Collections.Concurrent;
using Granary.Collections.Catalog;
using Granary.Collections.Diagnostics;
using Granary.Collections.Partitions;
using Granary.Collections.Ports;
using Granary.Collections.Searching;
using Granary.Grains.Calls;
using Granary.Grains.Interfaces;
using Granary.Index;

namespace Granary.Grains.Hosting;

/// <summary>The writers and replicas of a silo.</summary>
internal sealed partial class SiloEngine
{
    private readonly ConcurrentDictionary<PartitionKey, PartitionReplica> _replicas = [];
    private readonly Dictionary<PartitionKey, HashSet<int>> _grainsHere = [];
    private readonly Lock _lock = new();
    private readonly ConcurrentDictionary<PartitionKey, PartitionLeader> _leaders = [];
    /// <summary>Below so many points over all partitions asked, waking other threads takes longer than it saves.</summary>
    private const long ParallelFrom = 20_000;

    private readonly SemaphoreSlim _opening = new(1, 1);
    private volatile bool _wasReady;

    /// <summary>Opens the writing side of a partition, for its collection grain.</summary>
    public async ValueTask<PartitionLeader> OpenLeaderAsync(
        PartitionKey partition, CollectionDocument document, IFeed feed, CancellationToken cancellation)
    {
        var leader = await PartitionLeader.OpenAsync(
            _storage, partition, document.Config.Ingestion, feed, new PhaseTimings(), _options.Time, cancellation,
            async token => await (await DatabaseAsync(token).ConfigureAwait(false)).HasAsync(partition.Incarnation, token)
                .ConfigureAwait(false)).ConfigureAwait(false);
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
    /// The replica behind an indexer grain, which serves from now on; it opens in the background unless it is warm already. A silo has one
    /// replica of a partition, whatever number the plan gives it. Null: it belongs to no collection.
    /// </summary>
    public async ValueTask<PartitionReplica?> OpenReplicaAsync(string key, CancellationToken cancellation)
    {
        var (partition, number) = GrainKeys.Parse(key);
        PartitionReplica? replica;
        do
        {
            replica = await HostAsync(partition, number, cancellation).ConfigureAwait(false);
            if (replica is null)
                return null;
        }
        while (!TryServe(partition, number, replica));
        try
        {
            await _renewals.RenewAsync(cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // The next renewal may be in time: a grain that failed here would leave a replica that renews its lease and nobody reaches.
            LogUnleased(_logger, key, e);
        }

        return replica;
    }

    /// <summary>False: the replica was a stray one and is being closed; another takes its place.</summary>
    private bool TryServe(PartitionKey partition, int number, PartitionReplica replica)
    {
        lock (_lock)
        {
            if (!_replicas.TryGetValue(partition, out var now) || !ReferenceEquals(now, replica))
                return false;
            if (!_grainsHere.TryGetValue(partition, out var numbers))
                _grainsHere[partition] = numbers = [];
            numbers.Add(number);
            replica.Serve();
            return true;
        }
    }

    /// <summary>
    /// Warms a replica up, beside the one that serves elsewhere; tells whether it has caught up with the log. False, too, where it does not
    /// belong here as far as is known here.
    /// </summary>
    public async ValueTask<bool> PrepareAsync(string key, CancellationToken cancellation)
    {
        var (partition, number) = GrainKeys.Parse(key);
        // Whoever asks may have heard of a change that this silo has not. A grain that is sent to where it is sent back from has both silos
        // wait for each other until its calls time out.
        if (_cluster.SendsAway(partition, number))
        {
            try
            {
                await RefreshAsync(cancellation).ConfigureAwait(false);
            }
            catch (GranaryException)
            {
                // The catalog does not answer now: whoever asks does so again.
                return false;
            }
        }

        return !_cluster.SendsAway(partition, number)
            && await HostAsync(partition, number, cancellation).ConfigureAwait(false) is { } replica
            && await IsWarmAsync(replica, cancellation).ConfigureAwait(false);
    }

    /// <summary>
    /// A grain lets its replica go. While another grain stands before it, it serves on; without one it stays warm only where the plan has
    /// it.
    /// </summary>
    public void LetGo(string key)
    {
        var (partition, number) = GrainKeys.Parse(key);
        lock (_lock)
        {
            if (_grainsHere.TryGetValue(partition, out var numbers) && numbers.Remove(number) && numbers.Count > 0)
                return;
            _grainsHere.Remove(partition);
            // Together with the look at who stands before it: a grain that is activated just now must find it serving.
            if (_cluster.NumberHere(partition) is null)
                Close(partition);
            else if (_replicas.TryGetValue(partition, out var replica))
                _ = StandByAsync(partition, replica);
        }
    }

    /// <summary>
    /// Answers requests to replicas here, on the thread pool whatever scheduler calls: one after the other, side by side where there is
    /// much to do.
    /// </summary>
    public async Task<Reply<Bytes>[]> AskAsync(ReplicaAsk[] asks, CancellationToken cancellation)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        var replies = new Reply<Bytes>[asks.Length];
        var replicas = new PartitionReplica?[asks.Length];
        var points = 0L;
        for (var i = 0; i < asks.Length; i++)
        {
            if (!_replicas.TryGetValue(new PartitionKey(asks[i].Incarnation, asks[i].Partition), out var replica) || !replica.Serves)
                continue;
            replicas[i] = replica;
            points += replica.EstimatedPoints;
        }

        var shared = Array.TrueForAll(asks, a => a.Call == ReplicaCall.Search)
            ? SharedSearches.TryShare(Array.ConvertAll(asks, a => a.Request.Memory)) : null;
        if (points >= (shared is null ? ParallelFrom : SharedSearches.ParallelFrom) && Environment.ProcessorCount > 1)
            await Parallel.ForAsync(0, asks.Length, cancellation, (i, _) => AnswerAsync(i)).ConfigureAwait(false);
        else
        {
            for (var i = 0; i < asks.Length; i++)
                await AnswerAsync(i).ConfigureAwait(false);
        }

        return replies;

        async ValueTask AnswerAsync(int i)
        {
            if (replicas[i] is { } replica)
            {
                replies[i] = await Reply.OfAsync(async () => new Bytes(
                    await (shared is null
                        ? replica.AskHereAsync(asks[i].Call, asks[i].Request.Memory, cancellation)
                        : replica.SearchHereAsync(shared[i], cancellation)).ConfigureAwait(false)))
                    .ConfigureAwait(false);
            }
        }
    }

    /// <summary>The silo's state for people.</summary>
    public SiloReport Report() => new(
        _cluster.Here.ToParsableString(), _cluster.Name, _cluster.IsLeaving,
        [
            .. _replicas.Values.Select(static r => (Report: r.Report(), StandsBy: r.IsStandingBy))
                .OrderBy(static r => r.Report.Key.Incarnation).ThenBy(static r => r.Report.Key.Number).Select(static r =>
                {
                    var state = r.Report.Reason is null ? SiloReplica.Serving
                        : r.Report.State == ReplicaState.Open && r.StandsBy ? "stands by" : r.Report.Reason;
                    return new SiloReplica(
                        GrainKeys.Of(r.Report.Key, r.Report.Replica), state, r.Report.Applied, r.Report.Reason is null);
                }),
        ]);

    /// <summary>
    /// Why this silo should get no requests; null once every replica that belonged here served. From then on it answers whatever is asked,
    /// from other silos' replicas where its own are still opening: after a silo's end all others have some to open, and were they all
    /// unready for it, nobody would get requests.
    /// </summary>
    public string? NotReady
    {
        get
        {
            if (!_database.Task.IsCompletedSuccessfully)
                return "the silo is starting";
            if (_cluster.IsLeaving)
                return "the silo is leaving";
            if (_wasReady)
                return null;
            foreach (var (partition, number) in _cluster.PlannedHere())
            {
                if (!HasGrain(partition, number) || !_replicas.TryGetValue(partition, out var replica) || !replica.Serves)
                    return $"replica {GrainKeys.Of(partition, number)} does not serve yet";
            }

            _wasReady = true;
            return null;
        }
    }

    private bool HasGrain(PartitionKey partition, int number)
    {
        lock (_lock)
            return _grainsHere.TryGetValue(partition, out var numbers) && numbers.Contains(number);
    }

    private List<(PartitionKey Partition, int Replica)> GrainsHere()
    {
        lock (_lock)
            return [.. _grainsHere.SelectMany(g => g.Value.Select(number => (g.Key, number)))];
    }

    private async ValueTask<PartitionReplica?> HostAsync(PartitionKey partition, int number, CancellationToken cancellation)
    {
        if (_replicas.TryGetValue(partition, out var known))
            return known;
        var document = await FindAsync(partition.Incarnation, cancellation).ConfigureAwait(false);
        if (document is null || partition.Number >= document.Config.Partitions || number >= document.Config.Replicas)
            return null;
        await _opening.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (_replicas.TryGetValue(partition, out known))
                return known;
            return _replicas[partition] = PartitionReplica.Start(new ReplicaOptions
            {
                Storage = _storage,
                Key = partition,
                Replica = number,
                InitialSchema = document.InitialSchema,
                Config = document.Config,
                Leader = new LeaderClient(_grains, partition),
                Leases = _renewals,
                TakesCheckpoints = true,
                Embedder = _embedder,
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
    private void Close(PartitionKey partition)
    {
        if (_replicas.TryRemove(partition, out var replica))
            _ = CloseAsync(partition, replica);
    }

    private async Task StandByAsync(PartitionKey partition, PartitionReplica hosted)
    {
        try
        {
            await hosted.StandByAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // The lease runs out by itself.
            LogUnclosed(_logger, partition.ToString(), e);
        }
    }

    private async Task CloseAsync(PartitionKey partition, PartitionReplica hosted)
    {
        try
        {
            await hosted.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            LogUnclosed(_logger, partition.ToString(), e);
        }
    }

    [Microsoft.Extensions.Logging.LoggerMessage(
        5, Microsoft.Extensions.Logging.LogLevel.Information, "The lease of {Key} could not be renewed now; it is tried again")]
    private static partial void LogUnleased(Microsoft.Extensions.Logging.ILogger logger, string key, Exception e);

    [Microsoft.Extensions.Logging.LoggerMessage(
        2, Microsoft.Extensions.Logging.LogLevel.Warning, "The replica of {Key} was not closed in order; its log has everything")]
    private static partial void LogUnclosed(Microsoft.Extensions.Logging.ILogger logger, string key, Exception e);
}
