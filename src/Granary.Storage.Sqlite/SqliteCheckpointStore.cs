using System.Collections.Concurrent;
using System.Globalization;
using Granary.Collections.Ports;
using Granary.Index;
using Microsoft.Data.Sqlite;

namespace Granary.Storage.Sqlite;

/// <summary>A partition's checkpoints: rows of chunks, published by one update.</summary>
/// <param name="database">Where.</param>
/// <param name="partition">Whose.</param>
/// <param name="open">How many readers each checkpoint of the database has; chunks go when the last one leaves.</param>
internal sealed class SqliteCheckpointStore(SqliteDatabase database, PartitionKey partition, OpenCheckpoints open) : ICheckpointStore
{
    private readonly (string Name, object Value)[] _key = SqliteLog.KeyOf(partition);

    public ValueTask<IReadOnlyList<CheckpointInfo>> ListAsync(CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        return new(database.Read(connection =>
        {
            using var command = SqliteDatabase.Command(
                connection,
                """
                SELECT operation, id, bytes, created FROM checkpoint
                WHERE incarnation = @i AND partition = @p AND published = 1 ORDER BY operation DESC, id DESC
                """,
                _key);
            using var rows = command.ExecuteReader();
            var list = new List<CheckpointInfo>();
            while (rows.Read())
            {
                list.Add(new CheckpointInfo(
                    rows.GetInt64(0), rows.GetInt64(1).ToString(CultureInfo.InvariantCulture), rows.GetInt64(2),
                    new DateTimeOffset(rows.GetInt64(3), TimeSpan.Zero)));
            }

            return list;
        }));
    }

    public async ValueTask<ICheckpointBuilder> BeginAsync(long operation, CancellationToken cancellation)
    {
        var created = database.Options.Time.GetUtcNow();
        var id = await database.WriteAsync(
            connection =>
            {
                using var command = SqliteDatabase.Command(
                    connection,
                    "INSERT INTO checkpoint (incarnation, partition, operation, created, bytes, published) VALUES (@i, @p, @op, @created, "
                        + "0, 0) RETURNING id",
                    [.. _key, ("@op", operation), ("@created", created.UtcTicks)]);
                return (long)command.ExecuteScalar()!;
            },
            cancellation).ConfigureAwait(false);
        return new SqliteCheckpointBuilder(database, id, operation, created);
    }

    public ValueTask<ICheckpointHandle> OpenAsync(CheckpointInfo checkpoint, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        _ = long.TryParse(checkpoint.Id, NumberStyles.None, CultureInfo.InvariantCulture, out var id);
        open.Enter(id);
        try
        {
            var sections = database.Read(connection => Sections(connection, id));
            return new(new SqliteCheckpointHandle(database, id, sections, open));
        }
        catch
        {
            open.Leave(id);
            throw;
        }
    }

    public async ValueTask DeleteAsync(CheckpointInfo checkpoint, CancellationToken cancellation)
    {
        _ = long.TryParse(checkpoint.Id, NumberStyles.None, CultureInfo.InvariantCulture, out var id);
        await database.WriteAsync(
            connection =>
            {
                SqliteDatabase.Execute(connection, "UPDATE checkpoint SET published = 0 WHERE id = @id", ("@id", id));
                return true;
            },
            cancellation).ConfigureAwait(false);
        await open.RemoveUnlessOpenAsync(database, id, cancellation).ConfigureAwait(false);
    }

    public ValueTask DisposeAsync() => default;

    private Dictionary<string, long> Sections(SqliteConnection connection, long id)
    {
        using var there = SqliteDatabase.Command(
            connection, "SELECT count(*) FROM checkpoint WHERE id = @id AND incarnation = @i AND partition = @p AND published = 1",
            [.. _key, ("@id", id)]);
        if ((long)there.ExecuteScalar()! == 0)
            throw GranaryException.NotFound($"{database.Path}: partition {partition} has no checkpoint {id}");
        using var command = SqliteDatabase.Command(
            connection, "SELECT name, sum(length(bytes)) FROM section WHERE checkpoint = @id GROUP BY name", ("@id", id));
        using var rows = command.ExecuteReader();
        var sections = new Dictionary<string, long>(StringComparer.Ordinal);
        while (rows.Read())
            sections.Add(rows.GetString(0), rows.GetInt64(1));
        return sections;
    }
}

/// <summary>Counts the readers of checkpoints, so that deleting one never takes it from a reader.</summary>
internal sealed class OpenCheckpoints
{
    private readonly ConcurrentDictionary<long, int> _readers = new();

    public void Enter(long id) => _readers.AddOrUpdate(id, 1, static (_, count) => count + 1);

    /// <summary>True when this was the last reader.</summary>
    public bool Leave(long id) => _readers.AddOrUpdate(id, 0, static (_, count) => count - 1) == 0;

    /// <summary>Removes the chunks of a checkpoint that is no longer published and has no reader.</summary>
    public async ValueTask RemoveUnlessOpenAsync(SqliteDatabase database, long id, CancellationToken cancellation) =>
        await database.WriteAsync(
            connection =>
            {
                if (_readers.GetValueOrDefault(id) == 0)
                    SqliteDatabase.Execute(connection, "DELETE FROM checkpoint WHERE id = @id AND published = 0", ("@id", id));
                return true;
            },
            cancellation).ConfigureAwait(false);

    /// <summary>Whether a checkpoint has a reader.</summary>
    public bool IsOpen(long id) => _readers.GetValueOrDefault(id) > 0;
}
