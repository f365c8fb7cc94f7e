using Granary.Collections;
using Granary.Collections.Catalog;
using Granary.Collections.Embedding;
using Granary.Collections.Partitions;
using Granary.Collections.Ports;
using Granary.Index;
using Microsoft.Extensions.Logging;

namespace Granary.Grains.Hosting;

/// <summary>
/// What a silo holds: the storage, the catalog as it knows it, the replicas it serves and the writers it runs. Grains are handles to what
/// is here.
/// </summary>
internal sealed partial class SiloEngine : IAsyncDisposable
{
    private static readonly TimeSpan CloseLimit = TimeSpan.FromSeconds(10);
    private readonly IStorage _storage;
    private readonly ILeaseStore _leases;
    private readonly DatabaseOptions _options;
    private readonly IGrainFactory _grains;
    private readonly ClusterView _cluster;
    private readonly ILogger<SiloEngine> _logger;
    private readonly TextEmbedder _embedder;
    private readonly ReplicaLeases _renewals;
    private readonly TaskCompletionSource<Database> _database = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stopping = new();
    private Task _loops = Task.CompletedTask;
    private int _disposed;

    public SiloEngine(
        IStorage storage, ILeaseStore leases, DatabaseOptions options, IGrainFactory grains, ClusterView cluster,
        ILogger<SiloEngine> logger)
    {
        (_storage, _leases, _options, _grains, _cluster, _logger) = (storage, leases, options, grains, cluster, logger);
        _embedder = new TextEmbedder(options);
        _renewals = new ReplicaLeases(leases, options.Time);
    }

    /// <summary>The clock.</summary>
    public TimeProvider Time => _options.Time;

    /// <summary>What stores everything.</summary>
    public string StorageKind => _storage.Kind;

    /// <summary>Opens the catalog and begins to keep what should be here.</summary>
    public async Task StartAsync(CancellationToken cancellation)
    {
        var host = new ClusterPartitionHost(_grains, _cluster, _replicas.GetValueOrDefault, _leases, _options.Time);
        var database = await Database.OpenAsync(_storage, _options, host, cancellation).ConfigureAwait(false);
        _database.SetResult(database);
        Follow(database);
        _loops = Task.WhenAll(
            Task.Run(FollowAsync, CancellationToken.None), Task.Run(KeepAsync, CancellationToken.None),
            Task.Run(WakeCatalogAsync, CancellationToken.None));
    }

    /// <summary>The catalog and the collections as this silo knows them; waits while the silo starts.</summary>
    public Task<Database> DatabaseAsync(CancellationToken cancellation) => _database.Task.WaitAsync(cancellation);

    /// <summary>A collection by name or alias, after a look at the catalog where it is unknown; null: there is none.</summary>
    public async ValueTask<ICollection?> TryCollectionAsync(string name, CancellationToken cancellation)
    {
        var database = await DatabaseAsync(cancellation).ConfigureAwait(false);
        if (!await database.CollectionExistsAsync(name, cancellation).ConfigureAwait(false))
            return null;
        return await database.GetCollectionAsync(name, cancellation).ConfigureAwait(false);
    }

    /// <summary>A collection by name or alias.</summary>
    /// <exception cref="GranaryException">There is none.</exception>
    public async ValueTask<ICollection> CollectionAsync(string name, CancellationToken cancellation) =>
        await (await DatabaseAsync(cancellation).ConfigureAwait(false)).GetCollectionAsync(name, cancellation).ConfigureAwait(false);

    /// <summary>Looks at the catalog, and follows it.</summary>
    public async ValueTask RefreshAsync(CancellationToken cancellation)
    {
        var database = await DatabaseAsync(cancellation).ConfigureAwait(false);
        await database.RefreshAsync(cancellation).ConfigureAwait(false);
        Follow(database);
    }

    /// <summary>
    /// Tells every other silo of a change of the catalog, so that the caller's next request finds it wherever it goes. One that does not
    /// hear looks by itself soon.
    /// </summary>
    public async Task TellAsync()
    {
        await Task.WhenAll(_cluster.Silos.Where(s => !s.Equals(_cluster.Here)).Select(async silo =>
        {
            try
            {
                await _grains.GetGrain<Interfaces.ISiloGrain>(silo.ToParsableString()).CatalogChangedAsync()
                    .WaitAsync(TimeSpan.FromSeconds(5)).ConfigureAwait(false);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // Whatever it was, there too (the storage away for a moment): the change is made.
                LogUntold(_logger, silo.ToString(), e);
            }
        })).ConfigureAwait(false);
    }

    /// <summary>Waits for a change of a schema that the catalog grain logged, as far as the caller wants, and answers.</summary>
    public async ValueTask<UpdateResult> AnswerAsync(
        string name, Interfaces.LoggedReply logged, WriteOptions options, CancellationToken cancellation) =>
        await (await DatabaseAsync(cancellation).ConfigureAwait(false)).AnswerAsync(
            name, new LoggedChange(logged.Incarnation, [.. logged.Lasts], logged.Count), options, cancellation).ConfigureAwait(false);

    /// <summary>What the catalog holds of an incarnation; null when it does not know it, even after looking.</summary>
    public async ValueTask<CollectionDocument?> FindAsync(Guid incarnation, CancellationToken cancellation)
    {
        var database = await DatabaseAsync(cancellation).ConfigureAwait(false);
        if (Known() is { } known)
            return known;
        await RefreshAsync(cancellation).ConfigureAwait(false);
        return Known();

        CollectionDocument? Known() => database.Documents.Select(d => d.Document).FirstOrDefault(d => d.Incarnation == incarnation);
    }

    /// <summary>Closes everything, without draining: what is not indexed is indexed from the log, here or elsewhere.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        await _stopping.CancelAsync().ConfigureAwait(false);
        await EndAsync(_loops).ConfigureAwait(false);
        await EndAsync(Task.WhenAll(_replicas.Values.Select(r => r.DisposeAsync().AsTask()))).ConfigureAwait(false);
        await EndAsync(Task.WhenAll(_leaders.Values.Select(l => l.DisposeAsync().AsTask()))).ConfigureAwait(false);
        await EndAsync(_renewals.DisposeAsync().AsTask()).ConfigureAwait(false);
        _embedder.Dispose();
        await EndAsync(CloseDatabaseAsync()).ConfigureAwait(false);
        _stopping.Dispose();
    }

    private async Task CloseDatabaseAsync()
    {
        if (_database.Task.IsCompletedSuccessfully)
            await (await _database.Task.ConfigureAwait(false)).CloseNowAsync().ConfigureAwait(false);
        else
            await _storage.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Closing must not hold up the end of the process, a database that is down included: the log has everything.</summary>
    private async Task EndAsync(Task closing)
    {
        try
        {
            await closing.WaitAsync(CloseLimit, _options.Time).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            LogUnclosed(_logger, "this silo", e);
        }
    }

    /// <summary>The plan, the writers and the replicas use the catalog as it is now.</summary>
    private void Follow(Database database)
    {
        var documents = database.Documents.Select(d => d.Document).ToList();
        _cluster.Use(documents);
        foreach (var document in documents)
        {
            foreach (var (key, leader) in _leaders)
            {
                if (key.Incarnation == document.Incarnation)
                    leader.Settings = document.Config.Ingestion;
            }

            foreach (var hosted in _replicas.Values)
            {
                if (hosted.Key.Incarnation == document.Incarnation)
                    hosted.Use(document.Config);
            }
        }
    }

    /// <summary>Looks at the catalog from time to time: the news of a change may have been lost.</summary>
    private async Task FollowAsync()
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(5), _options.Time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token).ConfigureAwait(false))
            {
                try
                {
                    await RefreshAsync(_stopping.Token).ConfigureAwait(false);
                }
                catch (Exception e) when (e is not (OutOfMemoryException or OperationCanceledException))
                {
                    LogCatalogUnread(_logger, e);
                }
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
        }
    }

    /// <summary>Sees to it that somebody looks after the catalog; from then on the grain's reminder does.</summary>
    private async Task WakeCatalogAsync()
    {
        try
        {
            await _grains.GetGrain<Interfaces.ICatalogGrain>(0).WakeAsync().WaitAsync(_stopping.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // The next silo that starts, the next change or the reminder wakes it.
            if (!_stopping.IsCancellationRequested)
                LogCatalogUnread(_logger, e);
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "The catalog could not be read; it is tried again")]
    private static partial void LogCatalogUnread(ILogger logger, Exception e);

    [LoggerMessage(6, LogLevel.Information, "Silo {Silo} was not told of a change of the catalog; it looks by itself")]
    private static partial void LogUntold(ILogger logger, string silo, Exception e);
}
