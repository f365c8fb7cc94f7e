using System.Runtime.CompilerServices;
using Granary.Collections.Ports;
using Granary.Index;
using Granary.Index.Checkpoints;
using Microsoft.Data.Sqlite;

namespace Granary.Storage.Sqlite;

/// <summary>Reads a partition's log, for its writer and for those beside it.</summary>
internal static class SqliteLogReading
{
    /// <summary>The records from an operation on that begin before <paramref name="next"/>.</summary>
    public static async IAsyncEnumerable<LogRecord> ReadAsync(
        SqliteDatabase database, PartitionKey partition, long from, long next, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var key = SqliteLog.KeyOf(partition);
        var connection = database.RentReader();
        try
        {
            // One snapshot for the whole reading: a truncation meanwhile takes nothing away from it.
            using var snapshot = connection.BeginTransaction(deferred: true);
            var first = First(connection, key);
            if (from < first)
                throw new LogTruncatedException(from, first);
            using var command = SqliteDatabase.Command(
                connection,
                """
                SELECT first_op, count, batch_id, crc32c, bytes FROM log
                WHERE incarnation = @i AND partition = @p AND first_op < @next AND first_op >= coalesce(
                    (SELECT max(first_op) FROM log WHERE incarnation = @i AND partition = @p AND first_op <= @from), 0)
                ORDER BY first_op
                """,
                [.. key, ("@from", from), ("@next", next)]);
            command.Transaction = snapshot;
            using var rows = command.ExecuteReader();
            while (rows.Read())
            {
                cancellation.ThrowIfCancellationRequested();
                var record = new LogRecord(rows.GetInt64(0), rows.GetInt32(1), new Guid((byte[])rows[2]), (byte[])rows[4]);
                if (Crc32C.Compute(record.Operations.Span) != (uint)rows.GetInt64(3))
                    throw SqliteErrors.Corrupted(database.Path, $"table log, partition {partition}, first_op {record.FirstOperation}",
                        "the checksum does not match");
                if (record.LastOperation >= from)
                    yield return record;
            }
        }
        finally
        {
            database.ReturnReader(connection);
        }

        await Task.CompletedTask.ConfigureAwait(false);
    }

    /// <summary>The oldest operation there is.</summary>
    public static long First(SqliteConnection connection, (string Name, object Value)[] key)
    {
        using var command = SqliteDatabase.Command(
            connection,
            """
            SELECT coalesce((SELECT min(first_op) FROM log WHERE incarnation = @i AND partition = @p),
                (SELECT next_op FROM head WHERE incarnation = @i AND partition = @p), 1)
            """,
            key);
        return (long)command.ExecuteScalar()!;
    }
}

/// <summary>Reads a partition's log beside its writer.</summary>
internal sealed class SqliteLogReader(SqliteDatabase database, PartitionKey partition) : ILogReader
{
    private readonly (string Name, object Value)[] _key = SqliteLog.KeyOf(partition);
    private (long Next, long First) _seen = (1, 1);
    private volatile bool _disposed;

    public long NextOperation => Volatile.Read(ref _seen.Next);

    public long FirstOperation => Volatile.Read(ref _seen.First);

    public string? RecoveryNote => null;

    /// <summary>Adding it up would read the whole log with every look.</summary>
    public long SizeInBytes => 0;

    public ValueTask<long> HeadAsync(CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        cancellation.ThrowIfCancellationRequested();
        Look();
        return new(NextOperation);
    }

    public IAsyncEnumerable<LogRecord> ReadAsync(long fromOperation, CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        Look();
        return SqliteLogReading.ReadAsync(database, partition, fromOperation, NextOperation, cancellation);
    }

    public ValueTask DisposeAsync()
    {
        _disposed = true;
        return default;
    }

    /// <summary>Learns what the log holds now.</summary>
    public void Look()
    {
        var found = database.Read<(long Next, long First)?>(connection =>
        {
            using var command = SqliteDatabase.Command(
                connection,
                """
                SELECT next_op, coalesce((SELECT min(first_op) FROM log WHERE incarnation = @i AND partition = @p), next_op)
                FROM head WHERE incarnation = @i AND partition = @p
                """,
                _key);
            using var row = command.ExecuteReader();
            return row.Read() ? (row.GetInt64(0), row.GetInt64(1)) : null;
        });
        if (found is null && NextOperation > 1)
            throw GranaryException.NotFound($"The log of {partition} is gone: its collection was dropped.");
        if (found is not { } seen)
            return;
        Volatile.Write(ref _seen.First, seen.First);
        Volatile.Write(ref _seen.Next, seen.Next);
    }
}
