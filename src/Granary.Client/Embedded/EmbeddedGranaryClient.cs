using Granary.Collections;
using Granary.Index;
using Granary.Index.Filters;
using Granary.Index.Operations;

namespace Granary.Client;

/// <summary>A database in this process.</summary>
public sealed class EmbeddedGranaryClient : IGranaryClient
{
    private readonly Func<CancellationToken, Task<IDatabase>> _open;
    private readonly SemaphoreSlim _opening = new(1, 1);
    private readonly bool _owns;
    private IDatabase? _database;

    /// <summary>A client of a database that somebody else opens and closes.</summary>
    public EmbeddedGranaryClient(IDatabase database)
    {
        ArgumentNullException.ThrowIfNull(database);
        _database = database;
        _open = _ => Task.FromResult(database);
    }

    /// <summary>
    /// A client that opens its database when it is first used (or by <see cref="OpenAsync(CancellationToken)"/>) and closes it when
    /// disposed.
    /// </summary>
    public EmbeddedGranaryClient(EmbeddedGranaryOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        GranaryStorage.Split(options.Storage);
        _owns = true;
        _open = cancellation => OpenDatabaseAsync(options, cancellation);
    }

    /// <summary>Opens a database by connection string, with the built-in embedder.</summary>
    /// <exception cref="GranaryException">The storage cannot be opened.</exception>
    public static async Task<EmbeddedGranaryClient> OpenAsync(string storage, CancellationToken cancellation = default)
    {
        var client = new EmbeddedGranaryClient(new EmbeddedGranaryOptions { Storage = storage });
        await client.OpenAsync(cancellation).ConfigureAwait(false);
        return client;
    }

    /// <summary>Opens the database now, if it is not open yet.</summary>
    public async Task OpenAsync(CancellationToken cancellation = default) => await DatabaseAsync(cancellation).ConfigureAwait(false);

    /// <inheritdoc/>
    public async Task CreateCollectionAsync(string collection, CollectionConfig config, CancellationToken cancellation = default)
    {
        var database = await DatabaseAsync(cancellation).ConfigureAwait(false);
        await database.CreateCollectionAsync(collection, CollectionJson.WithDeclared(config), cancellation).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task<CollectionConfig> GetCollectionAsync(string collection, CancellationToken cancellation = default) =>
        (await CollectionAsync(collection, cancellation).ConfigureAwait(false)).Config;

    /// <inheritdoc/>
    public async Task<bool> CollectionExistsAsync(string collection, CancellationToken cancellation = default) =>
        await (await DatabaseAsync(cancellation).ConfigureAwait(false)).CollectionExistsAsync(collection, cancellation)
            .ConfigureAwait(false);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<string>> ListCollectionsAsync(CancellationToken cancellation = default) =>
        await (await DatabaseAsync(cancellation).ConfigureAwait(false)).ListCollectionsAsync(cancellation).ConfigureAwait(false);

    /// <inheritdoc/>
    public async Task<bool> DeleteCollectionAsync(string collection, CancellationToken cancellation = default) =>
        await (await DatabaseAsync(cancellation).ConfigureAwait(false)).DeleteCollectionAsync(collection, cancellation)
            .ConfigureAwait(false);

    /// <inheritdoc/>
    public Task<UpdateResult> UpsertAsync(
        string collection, IReadOnlyList<Point> points, bool wait = false, CancellationToken cancellation = default) =>
        WriteAsync(collection, operations => PointOperations.Upsert(operations, points), wait, cancellation);

    /// <inheritdoc/>
    public Task<UpdateResult> DeleteAsync(
        string collection, IReadOnlyList<PointId> ids, bool wait = false, CancellationToken cancellation = default) =>
        WriteAsync(collection, operations => PointOperations.Delete(operations, ids), wait, cancellation);

    /// <inheritdoc/>
    public Task<UpdateResult> DeleteAsync(string collection, Filter filter, bool wait = false, CancellationToken cancellation = default) =>
        WriteAsync(collection, operations => PointOperations.Delete(operations, filter), wait, cancellation);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Hit>> QueryAsync(string collection, QueryRequest query, CancellationToken cancellation = default)
    {
        var found = await (await CollectionAsync(collection, cancellation).ConfigureAwait(false)).QueryAsync(query, cancellation)
            .ConfigureAwait(false);
        return [.. found.Select(static point => new Hit(point.Id, point.Score)
        {
            Version = point.Version,
            Legs = point.Legs,
            Payload = point.Payload is { } payload ? Payload.Trusted(payload) : null,
            Vectors = point.Vectors ?? [],
        })];
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<Hit>> HybridAsync(string collection, HybridQuery query, CancellationToken cancellation = default) =>
        QueryAsync(collection, query.ToRequest(), cancellation);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Point>> RetrieveAsync(
        string collection, IReadOnlyList<PointId> ids, bool withVectors = false, CancellationToken cancellation = default)
    {
        var found = await (await CollectionAsync(collection, cancellation).ConfigureAwait(false))
            .RetrieveAsync(ids, PayloadSelector.All, new VectorSelector(withVectors), null, cancellation).ConfigureAwait(false);
        return [.. found.Select(ToPoint)];
    }

    /// <inheritdoc/>
    public async Task<PointPage> ScrollAsync(string collection, ScrollRequest request, CancellationToken cancellation = default)
    {
        var page = await (await CollectionAsync(collection, cancellation).ConfigureAwait(false)).ScrollAsync(request, cancellation)
            .ConfigureAwait(false);
        return new PointPage([.. page.Points.Select(ToPoint)], page.Next);
    }

    /// <inheritdoc/>
    public async Task<long> CountAsync(string collection, Filter? filter = null, CancellationToken cancellation = default) =>
        await (await CollectionAsync(collection, cancellation).ConfigureAwait(false)).CountAsync(filter, true, null, cancellation)
            .ConfigureAwait(false);

    /// <inheritdoc/>
    public async Task<CollectionStats> StatsAsync(string collection, CancellationToken cancellation = default)
    {
        var info = await (await CollectionAsync(collection, cancellation).ConfigureAwait(false)).GetInfoAsync(cancellation)
            .ConfigureAwait(false);
        return new CollectionStats(
            info.Color, info.Points, info.Partitions.Sum(p => p.IndexedVectors), info.Partitions.Sum(p => Math.Max(0, p.Depth)),
            info.EmbeddingQueue, info.EmbeddingFailures, info.Partitions.Length);
    }

    /// <inheritdoc/>
    public async Task<EmbedderInfo> GetEmbedderAsync(string? model = null, CancellationToken cancellation = default) =>
        await (await DatabaseAsync(cancellation).ConfigureAwait(false)).GetEmbedderAsync(model, cancellation).ConfigureAwait(false);

    /// <inheritdoc/>
    public async Task<bool> WaitAsync(string collection, TimeSpan? limit = null, CancellationToken cancellation = default) =>
        await (await CollectionAsync(collection, cancellation).ConfigureAwait(false)).WaitAsync(limit, cancellation).ConfigureAwait(false);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_owns && _database is IAsyncDisposable database)
            await database.DisposeAsync().ConfigureAwait(false);
        _opening.Dispose();
    }

    private static async Task<IDatabase> OpenDatabaseAsync(EmbeddedGranaryOptions options, CancellationToken cancellation)
    {
        var storage = await GranaryStorage.OpenAsync(options.Storage, options.Durability, cancellation).ConfigureAwait(false);
        try
        {
            return await Database.OpenAsync(storage, options.ToDatabaseOptions(), cancellation).ConfigureAwait(false);
        }
        catch
        {
            await storage.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static Point ToPoint(PointRecord record) => new(record.Id)
    {
        Payload = record.Payload is { } payload ? Payload.Trusted(payload) : null,
        Vectors = record.Vectors ?? [],
    };

    private async Task<UpdateResult> WriteAsync(string collection, Action<OperationWriter> write, bool wait, CancellationToken cancellation)
    {
        var target = await CollectionAsync(collection, cancellation).ConfigureAwait(false);
        var batch = new WriteBatch();
        write(batch.Operations);
        return await target.WriteAsync(batch, new WriteOptions { Wait = wait }, cancellation).ConfigureAwait(false);
    }

    private async ValueTask<ICollection> CollectionAsync(string collection, CancellationToken cancellation) =>
        await (await DatabaseAsync(cancellation).ConfigureAwait(false)).GetCollectionAsync(collection, cancellation).ConfigureAwait(false);

    private async ValueTask<IDatabase> DatabaseAsync(CancellationToken cancellation)
    {
        if (_database is { } open)
            return open;
        await _opening.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            return _database ??= await _open(cancellation).ConfigureAwait(false);
        }
        finally
        {
            _opening.Release();
        }
    }
}
