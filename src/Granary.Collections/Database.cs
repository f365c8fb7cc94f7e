using System.Collections.Concurrent;
using Granary.Collections.Catalog;
using Granary.Collections.Embedding;
using Granary.Collections.Partitions;
using Granary.Collections.Ports;
using Granary.Collections.Querying;
using Granary.Index;

namespace Granary.Collections;

/// <summary>The engine of a process: every collection, with its partitions where the host has them (standalone: in this process).</summary>
public sealed partial class Database : IDatabase, IQueryInputs, IAsyncDisposable
{
    private readonly IStorage _storage;
    private readonly DatabaseOptions _options;
    private readonly CollectionCatalog _catalog;
    private readonly TextEmbedder _embedder;
    private readonly IPartitionHost _host;
    private readonly ConcurrentDictionary<string, IHostedCollection> _collections = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _changing = new(1, 1);
    private int _disposed;

    private Database(IStorage storage, DatabaseOptions options, IPartitionHost? host)
    {
        (_storage, _options) = (storage, options);
        _catalog = new CollectionCatalog(storage.Catalog);
        _embedder = new TextEmbedder(options);
        _host = host ?? new LocalPartitionHost(storage, _embedder, options);
    }

    /// <inheritdoc/>
    public string StorageKind => _storage.Kind;

    /// <summary>
    /// Opens every collection of the storage; each answers as soon as its checkpoint is there. One that cannot be recovered is red and says
    /// why; the others serve. The database owns the storage from here on, also when opening fails.
    /// </summary>
    /// <exception cref="GranaryException">The catalog cannot be recovered.</exception>
    public static ValueTask<Database> OpenAsync(IStorage storage, DatabaseOptions options, CancellationToken cancellation) =>
        OpenAsync(storage, options, null, cancellation);

    /// <summary>As above, with the partitions where a host has them; null: in this process.</summary>
    /// <exception cref="GranaryException">The catalog cannot be recovered.</exception>
    public static async ValueTask<Database> OpenAsync(
        IStorage storage, DatabaseOptions options, IPartitionHost? host, CancellationToken cancellation)
    {
        var database = new Database(storage, options, host);
        try
        {
            await database._catalog.LoadAsync(cancellation).ConfigureAwait(false);
            if (database._host.OwnsStorage)
                await database.DropOrphansAsync(cancellation).ConfigureAwait(false);
            foreach (var name in database._catalog.Names)
                database._collections[name] = await database.OpenOrExplainAsync(name, database._catalog.Find(name)!, cancellation)
                    .ConfigureAwait(false);
            return database;
        }
        catch
        {
            await database.CloseAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<string>> ListCollectionsAsync(CancellationToken cancellation = default) =>
        ValueTask.FromResult<IReadOnlyList<string>>([.. _collections.Keys.Order(StringComparer.Ordinal)]);

    /// <inheritdoc/>
    public ValueTask<bool> CollectionExistsAsync(string name, CancellationToken cancellation = default) =>
        ValueTask.FromResult(Find(name) is not null);

    /// <inheritdoc/>
    public ValueTask<ICollection> GetCollectionAsync(string name, CancellationToken cancellation = default) =>
        ValueTask.FromResult<ICollection>(Find(name) ?? throw Errors.CollectionNotFound(name));

    /// <inheritdoc/>
    public ValueTask<EmbedderInfo> GetEmbedderAsync(string? model = null, CancellationToken cancellation = default) =>
        _embedder.DescribeAsync(model, cancellation);

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<PointRecord>> LookupAsync(
        string collection, IReadOnlyList<PointId> ids, PayloadSelector payload, VectorSelector vectors, ReadOptions read,
        CancellationToken cancellation) =>
        await (Find(collection) ?? throw Errors.CollectionNotFound(collection)).RetrieveAsync(ids, payload, vectors, read, cancellation)
            .ConfigureAwait(false);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<float[]?>> EmbedAsync(string? model, IReadOnlyList<string> texts, CancellationToken cancellation) =>
        _embedder.EmbedAsync(model, texts, null, cancellation);

    /// <summary>Drains the queues, takes checkpoints and closes the storage.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        try
        {
            foreach (var collection in _collections.Values)
            {
                try
                {
                    await collection.DrainAsync(CancellationToken.None).ConfigureAwait(false);
                }
                catch (GranaryException)
                {
                    // A partition that cannot drain loses nothing: its log has everything.
                }
            }
        }
        finally
        {
            await CloseAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Closes without draining, as after a crash but in order: what is not indexed is indexed at the next opening.</summary>
    public ValueTask CloseNowAsync() => Interlocked.Exchange(ref _disposed, 1) == 0 ? CloseAsync() : ValueTask.CompletedTask;

    private IHostedCollection? Find(string name)
    {
        if (_collections.TryGetValue(name, out var collection))
            return collection;
        return _catalog.Resolve(name) is { } target && _collections.TryGetValue(target, out collection) ? collection : null;
    }

    private ValueTask<Collection> OpenAsync(string name, CollectionDocument document, CancellationToken cancellation) =>
        Collection.OpenAsync(name, document, _host, _catalog, this, _options, cancellation);

    private async ValueTask<IHostedCollection> OpenOrExplainAsync(string name, CollectionDocument document, CancellationToken cancellation)
    {
        try
        {
            return await OpenAsync(name, document, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OutOfMemoryException && !cancellation.IsCancellationRequested)
        {
            return new UnavailableCollection(name, document.Incarnation, document.Config, e);
        }
    }

    /// <summary>Drops what a crash left between storage and catalog.</summary>
    private async ValueTask DropOrphansAsync(CancellationToken cancellation)
    {
        var known = _catalog.Names.Select(n => _catalog.Find(n)!.Incarnation).ToHashSet();
        foreach (var incarnation in await _storage.ListIncarnationsAsync(cancellation).ConfigureAwait(false))
        {
            if (!known.Contains(incarnation))
                await _storage.DropCollectionAsync(incarnation, cancellation).ConfigureAwait(false);
        }
    }

    private async ValueTask CloseAsync()
    {
        foreach (var collection in _collections.Values)
            await collection.DisposeAsync().ConfigureAwait(false);
        _catalog.Dispose();
        _embedder.Dispose();
        _changing.Dispose();
        await _storage.DisposeAsync().ConfigureAwait(false);
    }
}
