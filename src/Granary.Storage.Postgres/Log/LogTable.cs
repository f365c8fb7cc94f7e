using System.Runtime.CompilerServices;
using Granary.Collections.Ports;
using Granary.Index;
using Granary.Index.Checkpoints;
using Granary.Storage.Postgres.Connections;
using Npgsql;
using NpgsqlTypes;

namespace Granary.Storage.Postgres.Log;

/// <summary>
/// The table of one collection's log and what is read of it. Its name is made of 32 hexadecimal digits and so needs no quoting; it is named
/// itself, not its parent, so that nothing is planned over, or locks, the tables of other collections.
/// </summary>
internal sealed class LogTable(PostgresDatabase database, PartitionKey partition)
{
    /// <summary>A page of records ends with the first that goes beyond so many bytes.</summary>
    private const int PageBytes = 8 << 20;
    private const int PageRecords = 1024;

    /// <summary>Of records' names alone, a page holds more.</summary>
    private const int PageNames = 16_384;

    private readonly string _head = $"""
        SELECT next_op, epoch,
            coalesce((SELECT min(first_op) FROM {NameOf(partition)} WHERE incarnation = $1 AND partition = $2), next_op)
        FROM granary.log_head WHERE incarnation = $1 AND partition = $2
        """;

    private readonly string _page = $"""
        SELECT first_op, count, batch_id, crc32c, operations
        FROM (
            SELECT *, sum(octet_length(operations)) OVER (ORDER BY first_op) - octet_length(operations) AS before
            FROM (
                SELECT * FROM {NameOf(partition)}
                WHERE incarnation = $1 AND partition = $2 AND first_op < $4 AND first_op >= coalesce((
                    SELECT max(first_op) FROM {NameOf(partition)} WHERE incarnation = $1 AND partition = $2 AND first_op <= $3), $3)
                ORDER BY first_op LIMIT {PageRecords}
            ) AS page
        ) AS sized
        WHERE before < {PageBytes} ORDER BY first_op
        """;

    private readonly string _batch = $"""
        SELECT first_op + count - 1 FROM {NameOf(partition)}
        WHERE incarnation = $1 AND partition = $2 AND batch_id = $4 AND first_op + count > $3 AND first_op >= coalesce((
            SELECT max(first_op) FROM {NameOf(partition)} WHERE incarnation = $1 AND partition = $2 AND first_op <= $3), $3)
        LIMIT 1
        """;

    private readonly string _names = $"""
        SELECT batch_id, first_op + count - 1 FROM {NameOf(partition)}
        WHERE incarnation = $1 AND partition = $2 AND first_op + count > $3 AND first_op >= coalesce((
            SELECT max(first_op) FROM {NameOf(partition)} WHERE incarnation = $1 AND partition = $2 AND first_op <= $3), $3)
        ORDER BY first_op LIMIT {PageNames}
        """;

    public static string NameOf(PartitionKey partition) => $"granary.log_{partition.Incarnation:N}";

    public string Name { get; } = NameOf(partition);

    public PartitionKey Partition => partition;

    public (NpgsqlDbType Type, object Value)[] Key { get; } =
        [(NpgsqlDbType.Uuid, partition.Incarnation), (NpgsqlDbType.Integer, partition.Number)];

    /// <summary>The head row and the oldest operation; null when the log was never opened for writing, or was dropped.</summary>
    public ValueTask<(long Next, long Epoch, long First)?> HeadAsync(CancellationToken cancellation) => database.RunAsync(
        async Task<(long, long, long)?> (connection, cancel) =>
        {
            try
            {
                var rows = await PostgresDatabase.ListAsync(
                    connection, _head, r => (r.GetInt64(0), r.GetInt64(1), r.GetInt64(2)), cancel, Key).ConfigureAwait(false);
                return rows.Count == 0 ? null : rows[0];
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UndefinedTable)
            {
                return null;
            }
        },
        cancellation);

    /// <summary>
    /// The records that hold operations from one on and begin before another, page by page: no snapshot is held between pages, since
    /// records never change and go only from the front.
    /// </summary>
    public async IAsyncEnumerable<LogRecord> ReadAsync(
        long from, long next, [EnumeratorCancellation] CancellationToken cancellation)
    {
        while (from < next)
        {
            var page = await PageAsync(from, next, cancellation).ConfigureAwait(false);
            if (page.Count == 0 || page[0].FirstOperation > from)
            {
                var first = page.Count > 0
                    ? page[0].FirstOperation : (await HeadAsync(cancellation).ConfigureAwait(false) ?? throw Gone()).First;
                throw new LogTruncatedException(from, first);
            }

            var expected = page[0].FirstOperation;
            foreach (var record in page)
            {
                cancellation.ThrowIfCancellationRequested();
                if (record.FirstOperation != expected)
                    throw Corrupted(expected, $"the record after it begins with operation {record.FirstOperation}");
                expected = record.LastOperation + 1;
                yield return record;
            }

            if (expected <= from)
                throw Corrupted(page[0].FirstOperation, $"it ends before operation {from}, and nothing follows");
            from = expected;
        }
    }

    /// <summary>
    /// The last operation of the record with a batch id among those that hold operations from one on; null: there is none. The rows are
    /// found by their operations' index and their bytes not read.
    /// </summary>
    public async ValueTask<long?> FindBatchAsync(Guid batch, long from, CancellationToken cancellation)
    {
        var found = await ListAsync(
            _batch, row => row.GetInt64(0), cancellation, (NpgsqlDbType.Bigint, from), (NpgsqlDbType.Uuid, batch)).ConfigureAwait(false);
        return found.Count == 0 ? null : found[0];
    }

    /// <summary>
    /// The batch id and the last operation of every record that holds operations from one on, in order. The rows' bytes are not read.
    /// </summary>
    public async IAsyncEnumerable<(Guid Batch, long Last)> BatchesAsync(
        long from, [EnumeratorCancellation] CancellationToken cancellation)
    {
        for (var full = true; full;)
        {
            var page = await ListAsync(
                _names, row => (Batch: row.GetGuid(0), Last: row.GetInt64(1)), cancellation, (NpgsqlDbType.Bigint, from))
                .ConfigureAwait(false);
            foreach (var name in page)
                yield return name;
            full = page.Count == PageNames;
            if (full)
                from = page[^1].Last + 1;
        }
    }

    public GranaryException Gone() => GranaryException.NotFound($"The log of {partition} is gone: its collection was dropped.");

    private ValueTask<List<LogRecord>> PageAsync(long from, long next, CancellationToken cancellation) =>
        ListAsync(_page, Record, cancellation, (NpgsqlDbType.Bigint, from), (NpgsqlDbType.Bigint, next));

    /// <summary>Runs a query of this partition's records and makes something of every row.</summary>
    private async ValueTask<List<T>> ListAsync<T>(
        string sql, Func<NpgsqlDataReader, T> read, CancellationToken cancellation, params (NpgsqlDbType Type, object Value)[] parameters)
    {
        try
        {
            return await database.ListAsync(sql, read, cancellation, [.. Key, .. parameters]).ConfigureAwait(false);
        }
        catch (GranaryException e) when (e.InnerException is PostgresException { SqlState: PostgresErrorCodes.UndefinedTable })
        {
            throw Gone();
        }
    }

    private LogRecord Record(NpgsqlDataReader row)
    {
        var record = new LogRecord(row.GetInt64(0), row.GetInt32(1), row.GetGuid(2), row.GetFieldValue<byte[]>(4));
        return Crc32C.Compute(record.Operations.Span) == (uint)row.GetInt64(3)
            ? record : throw Corrupted(record.FirstOperation, "the checksum does not match");
    }

    private GranaryException Corrupted(long operation, string what) =>
        PostgresErrors.Corrupted(database.Name, $"table {Name}, partition {partition.Number}, first_op {operation}", what);
}
