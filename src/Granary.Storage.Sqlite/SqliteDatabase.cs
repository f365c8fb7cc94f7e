using System.Collections.Concurrent;
using Granary.Collections.Ports;
using Granary.Index;
using Microsoft.Data.Sqlite;

namespace Granary.Storage.Sqlite;

/// <summary>One connection that writes, one transaction at a time, and others that read beside it (WAL).</summary>
internal sealed class SqliteDatabase : IAsyncDisposable
{
    private readonly SemaphoreSlim _writing = new(1);
    private readonly ConcurrentBag<SqliteConnection> _readers = [];
    private readonly SqliteConnection _writer;
    private volatile bool _disposed;

    public SqliteDatabase(string path, SqliteStorageOptions options)
    {
        (Path, Options) = (path, options);
        SQLitePCL.Batteries_V2.Init();
        _writer = Connect();
        try
        {
            Execute(_writer, "PRAGMA journal_mode=WAL");
            Execute(_writer, options.Durability == Durability.Disk ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
            Execute(_writer, "PRAGMA foreign_keys=ON");
            SqliteSchema.Prepare(_writer, path);
        }
        catch (SqliteException e)
        {
            _writer.Dispose();
            throw SqliteErrors.From(path, e);
        }
        catch
        {
            _writer.Dispose();
            throw;
        }
    }

    public string Path { get; }

    public SqliteStorageOptions Options { get; }

    /// <summary>Runs one write transaction: everything in it is committed or nothing.</summary>
    /// <exception cref="GranaryException">Nothing was committed.</exception>
    /// <exception cref="IOException">It is unknown whether it was committed.</exception>
    public async ValueTask<T> WriteAsync<T>(Func<SqliteConnection, T> work, CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_disposed, typeof(SqliteStorage));
        await _writing.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            return Transact(work);
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>The same for callers that cannot wait asynchronously (streams).</summary>
    public void Write(Action<SqliteConnection> work)
    {
        _writing.Wait();
        try
        {
            Transact(connection =>
            {
                work(connection);
                return true;
            });
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>
    /// What was committed is on disk when this returns, whatever the durability. (Opening the log file beside SQLite is safe: its
    /// locks are on the other files.)
    /// </summary>
    public void SyncLog()
    {
        try
        {
            using var file = File.OpenHandle(Path + "-wal", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
            RandomAccess.FlushToDisk(file);
        }
        catch (FileNotFoundException)
        {
            // Nothing was written since the last one was moved into the database, which syncs it.
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new GranaryException(ErrorKind.Internal, $"{Path}-wal: syncing failed: {e.Message}", e);
        }
    }

    /// <summary>Runs reads on a connection of their own.</summary>
    public T Read<T>(Func<SqliteConnection, T> work)
    {
        var connection = RentReader();
        try
        {
            return work(connection);
        }
        catch (SqliteException e)
        {
            throw SqliteErrors.From(Path, e);
        }
        finally
        {
            ReturnReader(connection);
        }
    }

    public SqliteConnection RentReader()
    {
        ObjectDisposedException.ThrowIf(_disposed, typeof(SqliteStorage));
        return _readers.TryTake(out var connection) ? connection : Connect();
    }

    public void ReturnReader(SqliteConnection connection)
    {
        if (_disposed)
            connection.Dispose();
        else
            _readers.Add(connection);
    }

    public async ValueTask DisposeAsync()
    {
        _disposed = true;
        await _writing.WaitAsync().ConfigureAwait(false);
        try
        {
            while (_readers.TryTake(out var reader))
                reader.Dispose();
            _writer.Dispose();
        }
        finally
        {
            _writing.Release();
        }
    }

    public static void Execute(SqliteConnection connection, string sql, params (string Name, object Value)[] parameters)
    {
        using var command = Command(connection, sql, parameters);
        command.ExecuteNonQuery();
    }

    public static SqliteCommand Command(SqliteConnection connection, string sql, params (string Name, object Value)[] parameters)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in parameters)
            command.Parameters.AddWithValue(name, value);
        return command;
    }

    private T Transact<T>(Func<SqliteConnection, T> work)
    {
        ObjectDisposedException.ThrowIf(_disposed, typeof(SqliteStorage));
        T result;
        try
        {
            Execute(_writer, "BEGIN IMMEDIATE");
            result = work(_writer);
        }
        catch (SqliteException e)
        {
            RollBack();
            throw SqliteErrors.From(Path, e);
        }
        catch
        {
            RollBack();
            throw;
        }

        Commit();
        return result;
    }

    private SqliteConnection Connect()
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = Path,
            Pooling = false,
            DefaultTimeout = 5,
        }.ToString());
        try
        {
            connection.Open();
            return connection;
        }
        catch (SqliteException e)
        {
            connection.Dispose();
            throw SqliteErrors.From(Path, e);
        }
    }

    private void Commit()
    {
        try
        {
            Execute(_writer, "COMMIT");
        }
        catch (SqliteException e)
        {
            // Still inside the transaction: it can be rolled back for certain. Otherwise SQLite ended it, one way or the other.
            if (SQLitePCL.raw.sqlite3_get_autocommit(_writer.Handle) != 0)
                throw new IOException($"{Path}: it is unknown whether a commit took effect: {e.Message}", e);
            RollBack();
            throw SqliteErrors.From(Path, e);
        }
    }

    private void RollBack()
    {
        try
        {
            if (SQLitePCL.raw.sqlite3_get_autocommit(_writer.Handle) == 0)
                Execute(_writer, "ROLLBACK");
        }
        catch (SqliteException)
        {
            // The error that led here says more.
        }
    }
}
