using System.Globalization;
using Granary.Collections.Ports;
using Granary.Index;
using Microsoft.Data.Sqlite;

namespace Granary.Storage.Sqlite;

/// <summary>
/// Storage in one inspectable SQLite database (WAL mode), used by one process at a time; docs/formats.md describes its tables.
/// </summary>
public sealed class SqliteStorage : IStorage
{
    private readonly SqliteDatabase _database;
    private readonly SqliteCatalog _catalog;
    private readonly WalSync _sync;
    private readonly OpenCheckpoints _open = new();
    private readonly FileStream _lock;
    private bool _disposed;

    private SqliteStorage(SqliteDatabase database, FileStream held)
    {
        (_database, _lock) = (database, held);
        _catalog = new SqliteCatalog(database);
        _sync = new WalSync(database);
    }

    /// <inheritdoc/>
    public string Kind => "sqlite";

    /// <inheritdoc/>
    public ICatalogStore Catalog => _catalog;

    /// <summary>
    /// Opens a database file, or makes it. Beside it stand <c>-wal</c>, <c>-shm</c>, <c>-lock</c> and <c>-owner</c> files while it is open.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="options">How to write; the defaults if null.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="GranaryException">The file is in use, read-only, of a newer version, not Granary's, or damaged.</exception>
    public static ValueTask<SqliteStorage> OpenAsync(
        string path, SqliteStorageOptions? options = null, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        options ??= new SqliteStorageOptions();
        options.Check();
        path = Path.GetFullPath(path);
        var held = Lock(path);
        try
        {
            return new(new SqliteStorage(new SqliteDatabase(path, options), held));
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public ValueTask<IPartitionLog> OpenLogAsync(PartitionKey partition, CancellationToken cancellation) =>
        SqliteLog.OpenAsync(_database, _sync, partition, cancellation);

    /// <inheritdoc/>
    public ValueTask<ILogReader> OpenLogReaderAsync(PartitionKey partition, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var reader = new SqliteLogReader(_database, partition);
        reader.Look();
        return new(reader);
    }

    /// <inheritdoc/>
    public ValueTask<ICheckpointStore> OpenCheckpointsAsync(PartitionKey partition, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        ObjectDisposedException.ThrowIf(_disposed, this);
        return new(new SqliteCheckpointStore(_database, partition, _open));
    }

    /// <inheritdoc/>
    public async ValueTask DropCollectionAsync(Guid incarnation, CancellationToken cancellation)
    {
        var key = ("@i", (object)incarnation.ToString("N"));
        await _database.WriteAsync(
            connection =>
            {
                SqliteDatabase.Execute(connection, "DELETE FROM head WHERE incarnation = @i", key);
                SqliteDatabase.Execute(connection, "DELETE FROM log WHERE incarnation = @i", key);
                SqliteDatabase.Execute(connection, "UPDATE checkpoint SET published = 0 WHERE incarnation = @i", key);
                foreach (var id in Numbers(connection, "SELECT id FROM checkpoint WHERE incarnation = @i", key)
                    .Where(id => !_open.IsOpen(id)))
                    SqliteDatabase.Execute(connection, "DELETE FROM checkpoint WHERE id = @id", ("@id", id));
                return true;
            },
            cancellation).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<Guid>> ListIncarnationsAsync(CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        return new(_database.Read(connection =>
        {
            using var command = SqliteDatabase.Command(
                connection, "SELECT incarnation FROM head UNION SELECT incarnation FROM checkpoint WHERE published = 1");
            using var rows = command.ExecuteReader();
            var list = new List<Guid>();
            while (rows.Read())
                list.Add(Guid.ParseExact(rows.GetString(0), "N"));
            return list;
        }));
    }

    /// <summary>Moves the write-ahead log into the database, syncs it and gives the file up.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
            return;
        _disposed = true;
        try
        {
            await _sync.DisposeAsync().ConfigureAwait(false);
            await _database.DisposeAsync().ConfigureAwait(false);
        }
        finally
        {
            File.Delete(_database.Path + "-owner");
            await _lock.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static List<long> Numbers(SqliteConnection connection, string sql, (string Name, object Value) parameter)
    {
        using var command = SqliteDatabase.Command(connection, sql, parameter);
        using var rows = command.ExecuteReader();
        var numbers = new List<long>();
        while (rows.Read())
            numbers.Add(rows.GetInt64(0));
        return numbers;
    }

    /// <summary>
    /// An operating system lock beside the database, which ends with the process however it ends; <c>-owner</c> names the process.
    /// </summary>
    private static FileStream Lock(string path)
    {
        var owner = path + "-owner";
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            var held = new FileStream(path + "-lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
            File.WriteAllText(owner, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
            return held;
        }
        catch (UnauthorizedAccessException e)
        {
            throw new GranaryException(
                ErrorKind.InsufficientStorage, $"{path}: the folder is read-only or belongs to another user: {e.Message}", e);
        }
        catch (IOException e) when (e.HResult is 11 or 35 or unchecked((int)0x80070020) or unchecked((int)0x80070021))
        {
            var process = File.Exists(owner) ? File.ReadAllText(owner) : "(unknown)";
            throw new GranaryException(
                ErrorKind.Unavailable, $"{path}: this database is in use by process {process}; stop it or choose another file", e);
        }
        catch (IOException e)
        {
            throw new GranaryException(ErrorKind.InsufficientStorage, $"{path}: the file cannot be opened or made: {e.Message}", e);
        }
    }
}
