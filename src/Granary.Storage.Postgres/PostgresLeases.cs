using Granary.Collections.Ports;
using Granary.Storage.Postgres.Connections;
using NpgsqlTypes;

namespace Granary.Storage.Postgres;

/// <summary>
/// Leases as a table, by the database's clock. A renewal is two statements, in this order: the leases are committed first and the logs'
/// heads read after, so that an append which did not see the lease is in the head.
/// </summary>
internal sealed class PostgresLeases(PostgresDatabase database, PostgresDatabase renewals) : ILeaseStore
{
    private const int SweepEvery = 64;
    private int _renewals;

    public async ValueTask<IReadOnlyList<long>> RenewAsync(
        IReadOnlyList<LeaseRequest> requests, TimeSpan duration, CancellationToken cancellation)
    {
        if (requests.Count == 0)
            return [];
        // By connections of their own: a silo whose connections are all busy with appends must not stop serving reads for it.
        var incarnations = requests.Select(r => r.Partition.Incarnation).ToArray();
        var partitions = requests.Select(r => r.Partition.Number).ToArray();
        await renewals.ExecuteAsync(
            """
            INSERT INTO granary.lease AS lease (incarnation, partition, instance, replica, expires)
            SELECT asked.incarnation, asked.partition, asked.instance, asked.replica, clock_timestamp() + $5
            FROM unnest($1, $2, $3, $4) AS asked (incarnation, partition, instance, replica)
            JOIN granary.log_head AS head ON head.incarnation = asked.incarnation AND head.partition = asked.partition
            ON CONFLICT (incarnation, partition, instance) DO UPDATE SET expires = excluded.expires, replica = excluded.replica
            """,
            cancellation,
            (NpgsqlDbType.Array | NpgsqlDbType.Uuid, incarnations),
            (NpgsqlDbType.Array | NpgsqlDbType.Integer, partitions),
            (NpgsqlDbType.Array | NpgsqlDbType.Uuid, requests.Select(r => r.Instance).ToArray()),
            (NpgsqlDbType.Array | NpgsqlDbType.Integer, requests.Select(r => r.Replica).ToArray()),
            (NpgsqlDbType.Interval, duration)).ConfigureAwait(false);
        var heads = await renewals.ListAsync(
            """
            SELECT coalesce(head.next_op, 0) FROM unnest($1, $2) WITH ORDINALITY AS asked (incarnation, partition, place)
            LEFT JOIN granary.log_head AS head ON head.incarnation = asked.incarnation AND head.partition = asked.partition
            ORDER BY asked.place
            """,
            row => row.GetInt64(0), cancellation,
            (NpgsqlDbType.Array | NpgsqlDbType.Uuid, incarnations),
            (NpgsqlDbType.Array | NpgsqlDbType.Integer, partitions)).ConfigureAwait(false);
        if (Interlocked.Increment(ref _renewals) % SweepEvery == 0)
        {
            await database.ExecuteAsync("DELETE FROM granary.lease WHERE expires < clock_timestamp() - interval '1 minute'", cancellation)
                .ConfigureAwait(false);
        }

        return heads;
    }

    public async ValueTask<IReadOnlyList<LeaseHolder>> HoldersAsync(PartitionKey partition, CancellationToken cancellation) =>
        await database.ListAsync(
            """
            SELECT instance, replica, expires - moment.now FROM granary.lease, (SELECT clock_timestamp() AS now) AS moment
            WHERE incarnation = $1 AND partition = $2 AND expires > moment.now
            """,
            row => new LeaseHolder(row.GetGuid(0), row.GetInt32(1), row.GetTimeSpan(2)), cancellation,
            (NpgsqlDbType.Uuid, partition.Incarnation), (NpgsqlDbType.Integer, partition.Number)).ConfigureAwait(false);

    public async ValueTask ReleaseAsync(IReadOnlyList<LeaseRequest> requests, CancellationToken cancellation)
    {
        if (requests.Count == 0)
            return;
        await database.ExecuteAsync(
            """
            DELETE FROM granary.lease USING unnest($1, $2, $3) AS gone (incarnation, partition, instance)
            WHERE lease.incarnation = gone.incarnation AND lease.partition = gone.partition AND lease.instance = gone.instance
            """,
            cancellation,
            (NpgsqlDbType.Array | NpgsqlDbType.Uuid, requests.Select(r => r.Partition.Incarnation).ToArray()),
            (NpgsqlDbType.Array | NpgsqlDbType.Integer, requests.Select(r => r.Partition.Number).ToArray()),
            (NpgsqlDbType.Array | NpgsqlDbType.Uuid, requests.Select(r => r.Instance).ToArray())).ConfigureAwait(false);
    }
}
