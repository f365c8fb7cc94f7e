using Granary.Collections.Ports;
using Granary.Storage.Postgres.Connections;
using NpgsqlTypes;

namespace Granary.Storage.Postgres.Log;

/// <summary>A partition's log as its writer has it.</summary>
internal sealed partial class PostgresLog : IPartitionLog
{
    private readonly PostgresDatabase _database;
    private readonly LogTable _table;
    private readonly long _epoch;
    private long _next;
    private long _first;
    private long _bytes;
    private volatile bool _disposed;

    private PostgresLog(PostgresDatabase database, LogTable table, long epoch, (long Next, long First, long Bytes) state)
    {
        (_database, _table, _epoch) = (database, table, epoch);
        (_next, _first, _bytes) = state;
    }

    public long NextOperation => Volatile.Read(ref _next);

    public long FirstOperation => Volatile.Read(ref _first);

    public string? RecoveryNote => null;

    public long SizeInBytes => Volatile.Read(ref _bytes);

    public static async ValueTask<IPartitionLog> OpenAsync(
        PostgresDatabase database, PartitionKey partition, CancellationToken cancellation)
    {
        var table = new LogTable(database, partition);
        // Raising the epoch twice does no harm: the last one raised is the one that appends.
        var (epoch, next) = (await database.RunAsync(
            (connection, cancel) => database.EvictingAsync(
                connection,
                PostgresDatabase.ListAsync(
                    connection, "SELECT epoch, next_op FROM granary.open_log($1, $2)", row => (row.GetInt64(0), row.GetInt64(1)), cancel,
                    table.Key),
                cancel),
            cancellation).ConfigureAwait(false))[0];
        var held = (await database.ListAsync(
            $"""
            SELECT coalesce(min(first_op), $3), coalesce(sum(count), 0)::bigint, coalesce(sum(octet_length(operations)), 0)::bigint
            FROM {table.Name} WHERE incarnation = $1 AND partition = $2 AND first_op < $3
            """,
            row => (First: row.GetInt64(0), Count: row.GetInt64(1), Bytes: row.GetInt64(2)),
            cancellation,
            [.. table.Key, (NpgsqlDbType.Bigint, next)]).ConfigureAwait(false))[0];
        if (held.First + held.Count != next)
            throw PostgresErrors.Corrupted(database.Name, $"table {table.Name}, partition {partition.Number}",
                $"operations {held.First} to {next - 1} should be there, it holds {held.Count} of them");
        return new PostgresLog(database, table, epoch, (next, held.First, held.Bytes));
    }

    public IAsyncEnumerable<LogRecord> ReadAsync(long fromOperation, CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var first = FirstOperation;
        if (fromOperation < first)
            throw new LogTruncatedException(fromOperation, first);
        return _table.ReadAsync(fromOperation, NextOperation, cancellation);
    }

    public async ValueTask TruncateAsync(long beforeOperation, CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        // KEY SHARE, so that appends go on beside it. A stale truncation that slips through takes nothing that a checkpoint lacks.
        var (mine, bytes) = (await _database.ListAsync(
            $"""
            WITH mine AS (
                SELECT epoch FROM granary.log_head WHERE incarnation = $1 AND partition = $2 AND epoch = $3 FOR KEY SHARE
            ), gone AS (
                DELETE FROM {_table.Name}
                WHERE incarnation = $1 AND partition = $2 AND first_op < $4 AND first_op + count <= $4 AND EXISTS (SELECT FROM mine)
                RETURNING octet_length(operations) AS bytes
            )
            SELECT EXISTS (SELECT FROM mine), coalesce((SELECT sum(bytes) FROM gone), 0)::bigint
            """,
            row => (row.GetBoolean(0), row.GetInt64(1)),
            cancellation,
            [.. _table.Key, (NpgsqlDbType.Bigint, _epoch), (NpgsqlDbType.Bigint, beforeOperation)]).ConfigureAwait(false))[0];
        if (!mine)
            throw Conflict();
        var head = await _table.HeadAsync(cancellation).ConfigureAwait(false) ?? throw Conflict();
        Volatile.Write(ref _first, head.First);
        Interlocked.Add(ref _bytes, -bytes);
    }

    public IAsyncEnumerable<(Guid Batch, long Last)> BatchesAsync(long fromOperation, CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _table.BatchesAsync(fromOperation, cancellation);
    }

    public ValueTask<long?> FindBatchAsync(Guid batch, long fromOperation, CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _table.FindBatchAsync(batch, fromOperation, cancellation);
    }

    public ValueTask DisposeAsync()
    {
        _disposed = true;
        return default;
    }

    private LogConflictException Conflict() =>
        new($"The log of {_table.Partition} was opened by another writer (ours has epoch {_epoch}), or its collection was dropped.");
}
