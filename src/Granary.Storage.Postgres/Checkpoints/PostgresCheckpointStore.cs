using System.Globalization;
using Granary.Collections.Ports;
using Granary.Index;
using Granary.Storage.Postgres.Connections;
using NpgsqlTypes;

namespace Granary.Storage.Postgres.Checkpoints;

/// <summary>A partition's checkpoints: rows of chunks, published by one update, mapped from copies in a folder.</summary>
internal sealed class PostgresCheckpointStore(PostgresDatabase database, PartitionKey partition, CheckpointCache cache) : ICheckpointStore
{
    private readonly (NpgsqlDbType Type, object Value)[] _key =
        [(NpgsqlDbType.Uuid, partition.Incarnation), (NpgsqlDbType.Integer, partition.Number)];

    public async ValueTask<IReadOnlyList<CheckpointInfo>> ListAsync(CancellationToken cancellation) => await database.ListAsync(
        """
        SELECT operation, id, bytes, created FROM granary.checkpoint
        WHERE incarnation = $1 AND partition = $2 AND published ORDER BY operation DESC, id DESC
        """,
        row => new CheckpointInfo(
            row.GetInt64(0), row.GetInt64(1).ToString(CultureInfo.InvariantCulture), row.GetInt64(2),
            new DateTimeOffset(row.GetDateTime(3))),
        cancellation,
        _key).ConfigureAwait(false);

    public ValueTask<ICheckpointBuilder> BeginAsync(long operation, CancellationToken cancellation)
    {
        database.ThrowIfDisposed();
        cancellation.ThrowIfCancellationRequested();
        return new(new PostgresCheckpointBuilder(database, partition, cache, operation));
    }

    public async ValueTask<ICheckpointHandle> OpenAsync(CheckpointInfo checkpoint, CancellationToken cancellation)
    {
        var id = Id(checkpoint);
        var found = await database.ListAsync(
            "SELECT token FROM granary.checkpoint WHERE incarnation = $1 AND partition = $2 AND published AND id = $3",
            row => row.GetGuid(0), cancellation, [.. _key, (NpgsqlDbType.Bigint, id)]).ConfigureAwait(false);
        if (found.Count == 0)
            throw GranaryException.NotFound($"{database.Name}: partition {partition} has no checkpoint {checkpoint.Id}");
        return await new CheckpointDownload(database, cache, partition, id, found[0]).OpenAsync(cancellation).ConfigureAwait(false);
    }

    public async ValueTask DeleteAsync(CheckpointInfo checkpoint, CancellationToken cancellation)
    {
        var gone = await database.ListAsync(
            "DELETE FROM granary.checkpoint WHERE incarnation = $1 AND partition = $2 AND id = $3 RETURNING token",
            row => row.GetGuid(0), cancellation, [.. _key, (NpgsqlDbType.Bigint, Id(checkpoint))]).ConfigureAwait(false);
        foreach (var token in gone)
            cache.Remove(partition, token);
    }

    public ValueTask DisposeAsync() => default;

    /// <summary>Removes copies of checkpoints that were deleted by others.</summary>
    public async ValueTask TidyCacheAsync(CancellationToken cancellation)
    {
        var there = await database.ListAsync(
            "SELECT token FROM granary.checkpoint WHERE incarnation = $1 AND partition = $2", row => row.GetGuid(0), cancellation, _key)
            .ConfigureAwait(false);
        cache.Tidy(partition, there.ToHashSet());
    }

    private static long Id(CheckpointInfo checkpoint) =>
        long.TryParse(checkpoint.Id, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0;
}
