using Granary.Collections.Ports;
using Granary.Index;
using Granary.Index.Checkpoints;
using Granary.Storage.Postgres.Connections;
using Npgsql;
using NpgsqlTypes;

namespace Granary.Storage.Postgres.Log;

/// <content>
/// Appending: one transaction that advances the head row, which fences, and brings the records in. A few records are one statement, which
/// is a transaction of its own: one round trip; more are copied, which takes four. When the answer to a commit is lost,
/// the head row is locked and read again: by then the transaction that was lost has ended, one way or the other.
/// </content>
internal sealed partial class PostgresLog
{
    /// <summary>Up to so many records are inserted by one statement.</summary>
    internal const int MostInserted = 16;

    /// <summary>The statement for each number of records, from 1; made when it is first needed.</summary>
    private readonly string?[] _inserts = new string?[MostInserted];

    /// <summary>
    /// Held while the database is asked what became of an append; writer and reader of the log may both find it in doubt.
    /// </summary>
    private readonly SemaphoreSlim _settling = new(1, 1);

    /// <summary>What was tried last, when it is unknown whether it got in.</summary>
    private volatile LogRecord[]? _doubtful;

    public async ValueTask AppendAsync(IReadOnlyList<LogRecord> records, CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        cancellation.ThrowIfCancellationRequested();
        if (_doubtful is not null)
            await HeadAsync(cancellation).ConfigureAwait(false);
        var expected = NextOperation;
        var next = StorageRules.CheckAppend(records, expected);
        if (records.Count == 0)
            return;
        await AppendAsync(records, expected, next).ConfigureAwait(false);
        Interlocked.Add(ref _bytes, records.Sum(r => (long)r.Operations.Length));
        Volatile.Write(ref _next, next);
    }

    /// <summary>The writer's own count; after a failure of unknown outcome the database is asked.</summary>
    public async ValueTask<long> HeadAsync(CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_doubtful is null)
            return NextOperation;
        await _settling.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (_doubtful is { } records)
                await SettleAsync(records, NextOperation, cancellation).ConfigureAwait(false);
            return NextOperation;
        }
        catch (Exception e) when (PostgresErrors.IsDatabase(e))
        {
            throw PostgresErrors.From(_database.Name, e);
        }
        finally
        {
            _settling.Release();
        }
    }

    private async ValueTask AppendAsync(IReadOnlyList<LogRecord> records, long expected, long next)
    {
        var trial = new PostgresDatabase.Trial(_database);
        while (true)
        {
            var committing = false;
            try
            {
                await _database.OnceAsync(
                    async (connection, _) =>
                    {
                        if (records.Count <= MostInserted)
                        {
                            // Begun and committed by the statement itself: any loss of the connection leaves it open what became of it.
                            committing = true;
                            await InsertAsync(connection, records, expected, next).ConfigureAwait(false);
                            return true;
                        }

                        var transaction = await BeginAsync(connection, expected, next).ConfigureAwait(false);
                        await using (transaction.ConfigureAwait(false))
                        {
                            await CopyAsync(connection, records).ConfigureAwait(false);
                            committing = true;
                            await transaction.CommitAsync(CancellationToken.None).ConfigureAwait(false);
                            return true;
                        }
                    },
                    CancellationToken.None).ConfigureAwait(false);
                return;
            }
            catch (Exception e) when (PostgresErrors.IsDatabase(e))
            {
                if (committing && PostgresErrors.IsAmbiguous(e))
                {
                    if (await SettleAsync(records, expected, trial, e).ConfigureAwait(false))
                        return;
                }
                else if (!PostgresErrors.IsTransient(e))
                {
                    throw await RefusedAsync(records, expected, next, e).ConfigureAwait(false);
                }

                // Nothing got in, and the same may succeed a moment later.
                if (!await trial.PauseAsync(CancellationToken.None).ConfigureAwait(false))
                    throw PostgresErrors.From(_database.Name, e);
            }
        }
    }

    private async ValueTask<NpgsqlTransaction> BeginAsync(NpgsqlConnection connection, long expected, long next)
    {
        var transaction = await connection.BeginTransactionAsync().ConfigureAwait(false);
        try
        {
            var advance = PostgresDatabase.Command(
                connection,
                "UPDATE granary.log_head SET next_op = $4 WHERE incarnation = $1 AND partition = $2 AND next_op = $3 AND epoch = $5",
                [.. _table.Key, (NpgsqlDbType.Bigint, expected), (NpgsqlDbType.Bigint, next), (NpgsqlDbType.Bigint, _epoch)]);
            await using (advance.ConfigureAwait(false))
            {
                if (await advance.ExecuteNonQueryAsync().ConfigureAwait(false) == 0)
                    throw Conflict();
            }

            return transaction;
        }
        catch
        {
            await transaction.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private async ValueTask InsertAsync(NpgsqlConnection connection, IReadOnlyList<LogRecord> records, long expected, long next)
    {
        var insert = PostgresDatabase.Command(
            connection, _inserts[records.Count - 1] ??= InsertOf(records.Count),
            [.. _table.Key, (NpgsqlDbType.Bigint, expected), (NpgsqlDbType.Bigint, next), (NpgsqlDbType.Bigint, _epoch)]);
        await using (insert.ConfigureAwait(false))
        {
            foreach (var record in records)
            {
                insert.Parameters.Add(new NpgsqlParameter<long> { TypedValue = record.FirstOperation });
                insert.Parameters.Add(new NpgsqlParameter<int> { TypedValue = record.Count });
                insert.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = record.BatchId });
                insert.Parameters.Add(new NpgsqlParameter<long> { TypedValue = Crc32C.Compute(record.Operations.Span) });
                insert.Parameters.Add(
                    new NpgsqlParameter<ReadOnlyMemory<byte>> { NpgsqlDbType = NpgsqlDbType.Bytea, TypedValue = record.Operations });
            }

            if (await insert.ExecuteNonQueryAsync().ConfigureAwait(false) == 0)
                throw Conflict();
        }
    }

    /// <summary>
    /// The head row is advanced where it is as expected, and the records go in where it was. That there is one is known to the statement by
    /// the row it changed, so that a writer that waited for another's transaction sees what that one committed.
    /// </summary>
    private string InsertOf(int records)
    {
        var rows = Enumerable.Range(0, records).Select(i => i * 5)
            .Select(at => $"(${6 + at}::bigint, ${7 + at}::integer, ${8 + at}::uuid, ${9 + at}::bigint, ${10 + at}::bytea)");
        return $"""
            WITH mine AS (
                UPDATE granary.log_head SET next_op = $4
                WHERE incarnation = $1 AND partition = $2 AND next_op = $3 AND epoch = $5 RETURNING incarnation, partition
            )
            INSERT INTO {_table.Name} (incarnation, partition, first_op, count, batch_id, crc32c, operations)
            SELECT mine.incarnation, mine.partition, record.first_op, record.count, record.batch_id, record.crc32c, record.operations
            FROM mine, (VALUES {string.Join(", ", rows)}) AS record (first_op, count, batch_id, crc32c, operations)
            """;
    }

    private async ValueTask CopyAsync(NpgsqlConnection connection, IReadOnlyList<LogRecord> records)
    {
        var copy = await connection.BeginBinaryImportAsync(
            $"COPY {_table.Name} (incarnation, partition, first_op, count, batch_id, crc32c, operations) FROM STDIN (FORMAT BINARY)")
            .ConfigureAwait(false);
        await using (copy.ConfigureAwait(false))
        {
            foreach (var record in records)
            {
                await copy.StartRowAsync().ConfigureAwait(false);
                await copy.WriteAsync(_table.Partition.Incarnation, NpgsqlDbType.Uuid).ConfigureAwait(false);
                await copy.WriteAsync(_table.Partition.Number, NpgsqlDbType.Integer).ConfigureAwait(false);
                await copy.WriteAsync(record.FirstOperation, NpgsqlDbType.Bigint).ConfigureAwait(false);
                await copy.WriteAsync(record.Count, NpgsqlDbType.Integer).ConfigureAwait(false);
                await copy.WriteAsync(record.BatchId, NpgsqlDbType.Uuid).ConfigureAwait(false);
                await copy.WriteAsync((long)Crc32C.Compute(record.Operations.Span), NpgsqlDbType.Bigint).ConfigureAwait(false);
                await copy.WriteAsync(record.Operations, NpgsqlDbType.Bytea).ConfigureAwait(false);
            }

            await copy.CompleteAsync().ConfigureAwait(false);
        }
    }

    /// <summary>
    /// The database refused the records: each is tried by itself, in a transaction that is rolled back, to tell which one it is. The group
    /// stays refused whole.
    /// </summary>
    private async ValueTask<Exception> RefusedAsync(IReadOnlyList<LogRecord> records, long expected, long next, Exception refusal)
    {
        var tried = 0;
        var known = PostgresErrors.From(_database.Name, refusal);
        // A full or read-only disk refuses all of them. A table that is gone may be that of a dropped collection: the head row tells.
        if (known.Kind != ErrorKind.Internal && refusal is not PostgresException { SqlState: PostgresErrorCodes.UndefinedTable })
            return known;
        try
        {
            await _database.OnceAsync(
                async (connection, _) =>
                {
                    var transaction = await BeginAsync(connection, expected, next).ConfigureAwait(false);
                    await using (transaction.ConfigureAwait(false))
                    {
                        for (; tried < records.Count; tried++)
                            await InsertAsync(connection, records[tried]).ConfigureAwait(false);
                        await transaction.RollbackAsync(CancellationToken.None).ConfigureAwait(false);
                        return true;
                    }
                },
                CancellationToken.None).ConfigureAwait(false);
        }
        catch (LogConflictException e)
        {
            return e;
        }
        catch (PostgresException e) when (!PostgresErrors.IsAmbiguous(e) && tried < records.Count)
        {
            known = PostgresErrors.From(_database.Name, e);
            var record = records[tried];
            return new GranaryException(known.Kind,
                $"{known.Message}; refused was record {tried} of {records.Count}, batch {record.BatchId}, operations "
                    + $"{record.FirstOperation} to {record.LastOperation}, {record.Operations.Length} bytes", e);
        }
        catch (Exception e) when (PostgresErrors.IsDatabase(e))
        {
            // The first refusal says more.
        }

        return known;
    }

    private async ValueTask InsertAsync(NpgsqlConnection connection, LogRecord record)
    {
        var insert = PostgresDatabase.Command(
            connection,
            $"""
            INSERT INTO {_table.Name} (incarnation, partition, first_op, count, batch_id, crc32c, operations)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            """,
            [.. _table.Key, (NpgsqlDbType.Bigint, record.FirstOperation), (NpgsqlDbType.Integer, record.Count),
                (NpgsqlDbType.Uuid, record.BatchId), (NpgsqlDbType.Bigint, (long)Crc32C.Compute(record.Operations.Span)),
                (NpgsqlDbType.Bytea, record.Operations)]);
        await using (insert.ConfigureAwait(false))
            await insert.ExecuteNonQueryAsync().ConfigureAwait(false);
    }

    /// <summary>Finds out, for as long as the trial lasts, whether records whose commit got no answer are in the log.</summary>
    /// <exception cref="IOException">It could not be found out.</exception>
    private async ValueTask<bool> SettleAsync(
        IReadOnlyList<LogRecord> records, long expected, PostgresDatabase.Trial trial, Exception lost)
    {
        LogRecord[] doubtful = [.. records];
        await _settling.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        try
        {
            _doubtful = doubtful;
            while (true)
            {
                try
                {
                    return await SettleAsync(doubtful, expected, CancellationToken.None).ConfigureAwait(false);
                }
                catch (Exception e) when (PostgresErrors.IsDatabase(e))
                {
                    if (!PostgresErrors.IsTransient(e) || !await trial.PauseAsync(CancellationToken.None).ConfigureAwait(false))
                        throw new IOException($"{PostgresErrors.From(_database.Name, e).Message}; it is unknown whether operations "
                            + $"{expected} to {records[^1].LastOperation} were committed: {lost.Message}", lost);
                }
            }
        }
        finally
        {
            _settling.Release();
        }
    }

    private async ValueTask<bool> SettleAsync(LogRecord[] records, long expected, CancellationToken cancellation)
    {
        var (head, epoch, there) = await _database.OnceAsync(
            (connection, cancel) => LookAsync(connection, records[^1], cancel), cancellation).ConfigureAwait(false);
        _doubtful = null;
        if (there)
        {
            Volatile.Write(ref _next, records[^1].LastOperation + 1);
            return true;
        }

        return epoch == _epoch && head == expected ? false : throw Conflict();
    }

    private async Task<(long Head, long Epoch, bool There)> LookAsync(
        NpgsqlConnection connection, LogRecord last, CancellationToken cancellation)
    {
        // Two statements: the second sees what the transaction committed that the first one waited for.
        var transaction = await connection.BeginTransactionAsync(cancellation).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            var head = await PostgresDatabase.ListAsync(
                connection, "SELECT next_op, epoch FROM granary.log_head WHERE incarnation = $1 AND partition = $2 FOR UPDATE",
                row => (row.GetInt64(0), row.GetInt64(1)), cancellation, _table.Key).ConfigureAwait(false);
            if (head.Count == 0)
                return (0, 0, false);
            var found = await PostgresDatabase.ListAsync(
                connection, $"SELECT batch_id FROM {_table.Name} WHERE incarnation = $1 AND partition = $2 AND first_op = $3",
                row => row.GetGuid(0), cancellation, [.. _table.Key, (NpgsqlDbType.Bigint, last.FirstOperation)]).ConfigureAwait(false);
            await transaction.CommitAsync(cancellation).ConfigureAwait(false);
            return (head[0].Item1, head[0].Item2, found.Contains(last.BatchId));
        }
    }
}
