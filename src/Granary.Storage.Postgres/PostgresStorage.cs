using Granary.Collections.Ports;
using Granary.Index;
using Granary.Storage.Postgres.Checkpoints;
using Granary.Storage.Postgres.Connections;
using Granary.Storage.Postgres.Log;
using Npgsql;
using NpgsqlTypes;

namespace Granary.Storage.Postgres;

/// <summary>
/// Storage in a PostgreSQL database (15 or later), which any number of processes may use: whoever opens a partition's log for writing
/// fences the writer before. docs/storage.md describes set-up, docs/formats.md the tables.
/// </summary>
public sealed class PostgresStorage : IStorage
{
    /// <summary>Renewals come one after the other; a second connection is for one that was cancelled.</summary>
    private const int RenewingConnections = 2;

    private readonly PostgresDatabase _database;
    private readonly PostgresDatabase _renewals;
    private readonly CheckpointCache _cache;

    private PostgresStorage(PostgresDatabase database, PostgresDatabase renewals)
    {
        (_database, _renewals) = (database, renewals);
        Catalog = new PostgresCatalog(database);
        Leases = new PostgresLeases(database, renewals);
        _cache = new CheckpointCache(database.Options.CacheFolder ?? CheckpointCache.DefaultFolder);
    }

    /// <inheritdoc/>
    public string Kind => "postgres";

    /// <inheritdoc/>
    public ICatalogStore Catalog { get; }

    /// <inheritdoc/>
    public ILeaseStore? Leases { get; }

    /// <summary>Opens a database, and brings its tables up to date unless told not to.</summary>
    /// <param name="address">
    /// <c>postgres://user:password@host:port/database</c>; options after <c>?</c>: <c>cache</c> (a folder), <c>migrate</c>, <c>sslmode</c>,
    /// <c>sslrootcert</c>, <c>pool</c>, <c>connect_timeout</c>, <c>application_name</c>. The first two go before those in
    /// <paramref name="options"/>.
    /// </param>
    /// <param name="options">How to work; the defaults if null.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="GranaryException">The address is no such one, the database cannot be reached or does not let the user in, or its
    /// tables are not those of this version.</exception>
    public static async ValueTask<PostgresStorage> OpenAsync(
        string address, PostgresStorageOptions? options = null, CancellationToken cancellation = default)
    {
        var database = Connect(address, options ?? new PostgresStorageOptions());
        try
        {
            await PrepareAsync(database, cancellation).ConfigureAwait(false);
            await database.ExecuteAsync(
                "DELETE FROM granary.checkpoint WHERE NOT published AND touched < now() - $1", cancellation,
                (NpgsqlDbType.Interval, database.Options.LeftoverAge)).ConfigureAwait(false);
            return new PostgresStorage(database, Connect(address, database.Options, RenewingConnections));
        }
        catch
        {
            await database.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Applies the migrations that a database lacks; answers with what was applied.</summary>
    /// <exception cref="GranaryException">The database cannot be reached, or a migration was refused or has changed.</exception>
    public static async ValueTask<IReadOnlyList<PostgresMigration>> MigrateAsync(
        string address, CancellationToken cancellation = default)
    {
        var database = Connect(address, new PostgresStorageOptions());
        await using (database.ConfigureAwait(false))
            return await database.RunAsync(PostgresMigrations.ApplyAsync, cancellation).ConfigureAwait(false);
    }

    /// <summary>Checks an address without connecting; returns it fit for messages: no user, no password.</summary>
    /// <exception cref="GranaryException">It is no PostgreSQL address, or names an option that is not known.</exception>
    public static string Describe(string address) => PostgresAddress.Parse(address).Name;

    /// <summary>
    /// The connection string for an address that the AdoNet providers of Orleans want; its search path leads to the tables that the
    /// migrations make for them.
    /// </summary>
    /// <exception cref="GranaryException">It is no PostgreSQL address, or names an option that is not known.</exception>
    public static string ToConnectionString(string address) =>
        new NpgsqlConnectionStringBuilder(PostgresAddress.Parse(address).ConnectionString) { SearchPath = "granary" }.ToString();

    /// <inheritdoc/>
    public ValueTask<IPartitionLog> OpenLogAsync(PartitionKey partition, CancellationToken cancellation)
    {
        _database.ThrowIfDisposed();
        return PostgresLog.OpenAsync(_database, partition, cancellation);
    }

    /// <inheritdoc/>
    public async ValueTask<ILogReader> OpenLogReaderAsync(PartitionKey partition, CancellationToken cancellation)
    {
        _database.ThrowIfDisposed();
        var reader = new PostgresLogReader(new LogTable(_database, partition));
        await reader.HeadAsync(cancellation).ConfigureAwait(false);
        return reader;
    }

    /// <inheritdoc/>
    public async ValueTask<ICheckpointStore> OpenCheckpointsAsync(PartitionKey partition, CancellationToken cancellation)
    {
        _database.ThrowIfDisposed();
        var store = new PostgresCheckpointStore(_database, partition, _cache);
        await store.TidyCacheAsync(cancellation).ConfigureAwait(false);
        return store;
    }

    /// <inheritdoc/>
    public async ValueTask DropCollectionAsync(Guid incarnation, CancellationToken cancellation)
    {
        await _database.RunAsync(
            (connection, cancel) => _database.EvictingAsync(
                connection,
                PostgresDatabase.ListAsync(
                    connection, "SELECT FROM granary.drop_collection($1)", _ => true, cancel, (NpgsqlDbType.Uuid, incarnation)),
                cancel),
            cancellation).ConfigureAwait(false);
        _cache.Remove(incarnation);
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<Guid>> ListIncarnationsAsync(CancellationToken cancellation) =>
        await _database.ListAsync(
            "SELECT incarnation FROM granary.log_head UNION SELECT incarnation FROM granary.checkpoint WHERE published",
            row => row.GetGuid(0), cancellation).ConfigureAwait(false);

    /// <inheritdoc/>
    /// <remarks>
    /// A log's table is asked for by its size only, and where there is no checkpoint: what it holds is shared out evenly.
    /// </remarks>
    public async ValueTask<IReadOnlyList<StoredSize>> MeasureAsync(CancellationToken cancellation) => await _database.ListAsync(
        """
        SELECT h.incarnation, h.partition, coalesce(
            newest.bytes,
            pg_table_size(to_regclass('granary.log_' || replace(h.incarnation::text, '-', '')))
                / count(*) OVER (PARTITION BY h.incarnation),
            0)
        FROM granary.log_head AS h LEFT JOIN (
            SELECT DISTINCT ON (incarnation, partition) incarnation, partition, bytes FROM granary.checkpoint
            WHERE published ORDER BY incarnation, partition, operation DESC, id DESC
        ) AS newest ON newest.incarnation = h.incarnation AND newest.partition = h.partition
        """,
        row => new StoredSize(new PartitionKey(row.GetGuid(0), row.GetInt32(1)), row.GetInt64(2)), cancellation).ConfigureAwait(false);

    /// <summary>Closes every connection.</summary>
    public async ValueTask DisposeAsync()
    {
        await _renewals.DisposeAsync().ConfigureAwait(false);
        await _database.DisposeAsync().ConfigureAwait(false);
    }

    private static PostgresDatabase Connect(string address, PostgresStorageOptions options, int? connections = null)
    {
        options.Check();
        var parsed = PostgresAddress.Parse(address);
        options = options with
        {
            CacheFolder = parsed.CacheFolder ?? options.CacheFolder,
            Migrate = parsed.Migrate ?? options.Migrate,
        };
        var commit = options.Durability == Durability.Disk ? "on" : "local";
        var builder = new NpgsqlConnectionStringBuilder(parsed.ConnectionString);
        builder.Options += $" -c synchronous_commit={commit}";
        builder.MaxPoolSize = connections ?? builder.MaxPoolSize;
        return new PostgresDatabase(NpgsqlDataSource.Create(builder), parsed.Name, options);
    }

    private static async ValueTask PrepareAsync(PostgresDatabase database, CancellationToken cancellation)
    {
        var lacking = await database.RunAsync(PostgresMigrations.LackingAsync, cancellation).ConfigureAwait(false);
        if (lacking.Count > 0 && database.Options.Migrate)
            await database.RunAsync(PostgresMigrations.ApplyAsync, cancellation).ConfigureAwait(false);
        else if (lacking.Count > 0)
            throw new GranaryException(ErrorKind.Unavailable,
                $"{database.Name}: {lacking.Count} migrations are missing, the first is {lacking[0].Name}; `granary migrate` (of a "
                    + "cluster: `granary-silo migrate`) applies them");
        if (database.Options.Durability != Durability.Disk)
            return;
        var sync = await database.ListAsync("SHOW fsync", row => row.GetString(0), cancellation).ConfigureAwait(false);
        if (sync[0] != "on")
            throw new GranaryException(ErrorKind.Unavailable,
                $"{database.Name}: PostgreSQL runs with fsync={sync[0]}, so that durability=disk cannot be kept");
    }
}
