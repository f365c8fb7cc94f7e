using System.Runtime.InteropServices;
using Granary.Collections.Ports;
using Granary.Index;
using Granary.Index.Checkpoints;
using Microsoft.Data.Sqlite;

namespace Granary.Storage.Sqlite;

/// <summary>A partition's log as rows. The head row is never truncated, so its epoch and next operation fence for ever.</summary>
internal sealed class SqliteLog : IPartitionLog
{
    private readonly SqliteDatabase _database;
    private readonly WalSync _sync;
    private readonly PartitionKey _partition;
    private readonly (string Name, object Value)[] _key;
    private readonly long _epoch;
    private long _next;
    private long _first;
    private long _bytes;
    private volatile bool _disposed;

    private SqliteLog(SqliteDatabase database, WalSync sync, PartitionKey partition, (long Epoch, long Next, long First, long Bytes) state)
    {
        (_database, _sync, _partition) = (database, sync, partition);
        _key = KeyOf(partition);
        (_epoch, _next, _first, _bytes) = state;
    }

    public long NextOperation => Volatile.Read(ref _next);

    public long FirstOperation => Volatile.Read(ref _first);

    public string? RecoveryNote => null;

    public long SizeInBytes => Volatile.Read(ref _bytes);

    public static (string Name, object Value)[] KeyOf(PartitionKey partition) =>
        [("@i", partition.Incarnation.ToString("N")), ("@p", partition.Number)];

    public static async ValueTask<IPartitionLog> OpenAsync(
        SqliteDatabase database, WalSync sync, PartitionKey partition, CancellationToken cancellation)
    {
        var key = KeyOf(partition);
        var state = await database.WriteAsync(
            connection =>
            {
                SqliteDatabase.Execute(connection, "INSERT OR IGNORE INTO head VALUES (@i, @p, 1, 0)", key);
                SqliteDatabase.Execute(connection, "UPDATE head SET epoch = epoch + 1 WHERE incarnation = @i AND partition = @p", key);
                using var command = SqliteDatabase.Command(
                    connection,
                    """
                    SELECT epoch, next_op, (SELECT min(first_op) FROM log WHERE incarnation = @i AND partition = @p),
                        (SELECT sum(count) FROM log WHERE incarnation = @i AND partition = @p),
                        (SELECT sum(length(bytes)) FROM log WHERE incarnation = @i AND partition = @p)
                    FROM head WHERE incarnation = @i AND partition = @p
                    """,
                    key);
                using var row = command.ExecuteReader();
                row.Read();
                var (epoch, next) = (row.GetInt64(0), row.GetInt64(1));
                if (row.IsDBNull(2))
                    return (epoch, next, next, 0L);
                var first = row.GetInt64(2);
                if (first + row.GetInt64(3) != next)
                    throw SqliteErrors.Corrupted(database.Path, $"table log, partition {partition}",
                        $"operations {first} to {next - 1} should be there, it holds {row.GetInt64(3)} of them");
                return (epoch, next, first, row.GetInt64(4));
            },
            cancellation).ConfigureAwait(false);
        return new SqliteLog(database, sync, partition, state);
    }

    public async ValueTask AppendAsync(IReadOnlyList<LogRecord> records, CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        cancellation.ThrowIfCancellationRequested();
        var expected = NextOperation;
        var next = StorageRules.CheckAppend(records, expected);
        if (records.Count == 0)
            return;
        try
        {
            await _database.WriteAsync(
                connection =>
                {
                    Advance(connection, expected, next);
                    Insert(connection, records);
                    return true;
                },
                cancellation).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            if (!Committed(records, next))
                throw e.InnerException is SqliteException reason
                    ? SqliteErrors.From(_database.Path, reason)
                    : new GranaryException(ErrorKind.Internal, $"{e.Message}; it did not", e);
        }

        Volatile.Write(ref _bytes, _bytes + records.Sum(r => (long)r.Operations.Length));
        Volatile.Write(ref _next, next);
        _sync.Request();
    }

    public IAsyncEnumerable<LogRecord> ReadAsync(long fromOperation, CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return SqliteLogReading.ReadAsync(_database, _partition, fromOperation, NextOperation, cancellation);
    }

    public async ValueTask TruncateAsync(long beforeOperation, CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var (first, bytes) = await _database.WriteAsync(
            connection =>
            {
                using var fence = SqliteDatabase.Command(
                    connection, "SELECT count(*) FROM head WHERE incarnation = @i AND partition = @p AND epoch = @epoch",
                    [.. _key, ("@epoch", _epoch)]);
                if ((long)fence.ExecuteScalar()! == 0)
                    throw Conflict();
                using var size = SqliteDatabase.Command(
                    connection,
                    "SELECT coalesce(sum(length(bytes)), 0) FROM log WHERE incarnation = @i AND partition = @p AND first_op + count <= "
                        + "@before",
                    [.. _key, ("@before", beforeOperation)]);
                var freed = (long)size.ExecuteScalar()!;
                SqliteDatabase.Execute(
                    connection, "DELETE FROM log WHERE incarnation = @i AND partition = @p AND first_op + count <= @before",
                    [.. _key, ("@before", beforeOperation)]);
                return (SqliteLogReading.First(connection, _key), freed);
            },
            cancellation).ConfigureAwait(false);
        Volatile.Write(ref _first, first);
        Interlocked.Add(ref _bytes, -bytes);
    }

    public ValueTask DisposeAsync()
    {
        _disposed = true;
        return default;
    }

    private void Advance(SqliteConnection connection, long expected, long next)
    {
        using var advance = SqliteDatabase.Command(
            connection,
            "UPDATE head SET next_op = @next WHERE incarnation = @i AND partition = @p AND next_op = @expected AND epoch = @epoch",
            [.. _key, ("@next", next), ("@expected", expected), ("@epoch", _epoch)]);
        if (advance.ExecuteNonQuery() == 0)
            throw Conflict();
    }

    private void Insert(SqliteConnection connection, IReadOnlyList<LogRecord> records)
    {
        using var insert = SqliteDatabase.Command(
            connection,
            "INSERT INTO log (incarnation, partition, first_op, count, batch_id, crc32c, bytes) VALUES (@i, @p, @first, @count, @batch, "
                + "@crc, @bytes)",
            _key);
        var (first, count) = (insert.Parameters.Add("@first", SqliteType.Integer), insert.Parameters.Add("@count", SqliteType.Integer));
        var (batch, crc) = (insert.Parameters.Add("@batch", SqliteType.Blob), insert.Parameters.Add("@crc", SqliteType.Integer));
        var bytes = insert.Parameters.Add("@bytes", SqliteType.Blob);
        foreach (var record in records)
        {
            (first.Value, count.Value, batch.Value) = (record.FirstOperation, record.Count, record.BatchId.ToByteArray());
            crc.Value = (long)Crc32C.Compute(record.Operations.Span);
            bytes.Value = MemoryMarshal.TryGetArray(record.Operations, out var array) && array.Array!.Length == array.Count
                ? array.Array
                : record.Operations.ToArray();
            insert.ExecuteNonQuery();
        }
    }

    /// <summary>After a commit of unknown outcome: whether the head and the last batch are what it would have made them.</summary>
    private bool Committed(IReadOnlyList<LogRecord> records, long next) => _database.Read(connection =>
    {
        using var command = SqliteDatabase.Command(
            connection,
            """
            SELECT count(*) FROM head JOIN log USING (incarnation, partition)
            WHERE incarnation = @i AND partition = @p AND next_op = @next AND epoch = @epoch AND first_op = @first AND batch_id = @batch
            """,
            [.. _key, ("@next", next), ("@epoch", _epoch), ("@first", records[^1].FirstOperation),
                ("@batch", records[^1].BatchId.ToByteArray())]);
        return (long)command.ExecuteScalar()! > 0;
    });

    private LogConflictException Conflict() =>
        new($"The log of {_partition} was opened by another writer (ours has epoch {_epoch}), or its collection was dropped.");
}
