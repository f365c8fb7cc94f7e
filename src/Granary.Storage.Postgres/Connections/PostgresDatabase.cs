using Granary.Index;
using Npgsql;
using NpgsqlTypes;

namespace Granary.Storage.Postgres.Connections;

/// <summary>Connections to one database. What fails for a moment only is tried again, with growing pauses and for a bounded time.</summary>
internal sealed class PostgresDatabase : IAsyncDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(500);
    private readonly CancellationTokenSource _closing = new();
    private volatile bool _disposed;

    public PostgresDatabase(NpgsqlDataSource source, string name, PostgresStorageOptions options) =>
        (Source, Name, Options) = (source, name, options);

    public NpgsqlDataSource Source { get; }

    /// <summary>Host, port and database, for messages: no user, no password.</summary>
    public string Name { get; }

    public PostgresStorageOptions Options { get; }

    public void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(_disposed, typeof(PostgresStorage));

    /// <summary>Runs what may be run twice: reads, and writes that repeat without harm.</summary>
    /// <exception cref="GranaryException">It failed for good, or for longer than it is tried.</exception>
    public async ValueTask<T> RunAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancellation)
    {
        var trial = new Trial(this);
        while (true)
        {
            ThrowIfDisposed();
            try
            {
                return await OnceAsync(work, cancellation).ConfigureAwait(false);
            }
            catch (Exception e) when (PostgresErrors.IsDatabase(e))
            {
                if (!PostgresErrors.IsTransient(e) || !await trial.PauseAsync(cancellation).ConfigureAwait(false))
                    throw PostgresErrors.From(Name, e);
            }
        }
    }

    /// <summary>Runs it once, on a connection of its own; errors come as they are.</summary>
    public async ValueTask<T> OnceAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancellation)
    {
        ThrowIfDisposed();
        var connection = await Source.OpenConnectionAsync(cancellation).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            try
            {
                return await work(connection, cancellation).ConfigureAwait(false);
            }
            catch (Exception e) when (PostgresErrors.IsDatabase(e) && PostgresErrors.IsAmbiguous(e))
            {
                // The others of the pool are as dead as this one.
                Source.Clear();
                throw;
            }
        }
    }

    /// <summary>Runs one statement that may be run twice; answers with the rows it changed.</summary>
    public ValueTask<int> ExecuteAsync(string sql, CancellationToken cancellation, params (NpgsqlDbType Type, object Value)[] parameters) =>
        RunAsync(
            async (connection, cancel) =>
            {
                var command = Command(connection, sql, parameters);
                await using (command.ConfigureAwait(false))
                    return await command.ExecuteNonQueryAsync(cancel).ConfigureAwait(false);
            },
            cancellation);

    /// <summary>Runs one query and makes something of every row.</summary>
    public ValueTask<List<T>> ListAsync<T>(
        string sql, Func<NpgsqlDataReader, T> read, CancellationToken cancellation,
        params (NpgsqlDbType Type, object Value)[] parameters) =>
        RunAsync((connection, cancel) => ListAsync(connection, sql, read, cancel, parameters), cancellation);

    /// <summary>The same on a connection at hand.</summary>
    public static async Task<List<T>> ListAsync<T>(
        NpgsqlConnection connection, string sql, Func<NpgsqlDataReader, T> read, CancellationToken cancellation,
        params (NpgsqlDbType Type, object Value)[] parameters)
    {
        var command = Command(connection, sql, parameters);
        await using (command.ConfigureAwait(false))
        {
            var rows = await command.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
            await using (rows.ConfigureAwait(false))
            {
                var list = new List<T>();
                while (await rows.ReadAsync(cancellation).ConfigureAwait(false))
                    list.Add(read(rows));
                return list;
            }
        }
    }

    public static NpgsqlCommand Command(NpgsqlConnection connection, string sql, params (NpgsqlDbType Type, object Value)[] parameters)
    {
        var command = new NpgsqlCommand(sql, connection);
        foreach (var (type, value) in parameters)
            command.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = type, Value = value });
        return command;
    }

    /// <summary>
    /// Waits for a statement that fences others. It has to wait for their transactions; one that takes long is of a process that is stopped
    /// or cut off, and is ended: what it had not committed was acknowledged to nobody.
    /// </summary>
    public async Task<T> EvictingAsync<T>(NpgsqlConnection connection, Task<T> statement, CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                return await statement.WaitAsync(Options.EvictAfter, Options.Time, CancellationToken.None).ConfigureAwait(false);
            }
            catch (TimeoutException) when (!statement.IsCompleted)
            {
                // Sessions of servers like this one, and nobody's backup or administration. A role may end its own.
                await ListAsync(
                    """
                    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE pid = ANY (pg_blocking_pids($1)) AND usename = current_user
                        AND application_name = current_setting('application_name')
                    """,
                    row => row.GetBoolean(0), cancellation, (NpgsqlDbType.Integer, connection.ProcessID)).ConfigureAwait(false);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_disposed)
            return;
        _disposed = true;
        await _closing.CancelAsync().ConfigureAwait(false);
        await Source.DisposeAsync().ConfigureAwait(false);
        _closing.Dispose();
    }

    /// <summary>How often and how long something has been tried.</summary>
    public sealed class Trial(PostgresDatabase database)
    {
        private readonly long _began = database.Options.Time.GetTimestamp();
        private TimeSpan _pause = FirstPause;

        /// <summary>Waits before another attempt; false when it was tried for long enough, or the storage is closed.</summary>
        public async ValueTask<bool> PauseAsync(CancellationToken cancellation)
        {
            var time = database.Options.Time;
            if (database._disposed || time.GetElapsedTime(_began) + _pause > database.Options.RetryFor)
                return false;
            try
            {
                using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation, database._closing.Token);
                await Task.Delay(_pause, time, stop.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException && !cancellation.IsCancellationRequested)
            {
                return false;
            }

            _pause = _pause * 2 > LongestPause ? LongestPause : _pause * 2;
            return true;
        }
    }
}
