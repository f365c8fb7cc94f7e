using System.Text;
using Granary.Collections.Ports;
using Granary.Storage.Postgres.Connections;
using Npgsql;
using NpgsqlTypes;

namespace Granary.Storage.Postgres;

/// <summary>The catalog as a table; a commit is one call of a function, which compares and writes under the table's lock.</summary>
internal sealed class PostgresCatalog(PostgresDatabase database) : ICatalogStore
{
    public async ValueTask<IReadOnlyList<CatalogEntry>> ListAsync(string prefix, CancellationToken cancellation) =>
        await database.ListAsync(
            "SELECT key, version, value FROM granary.catalog WHERE starts_with(key, $1) ORDER BY key", Entry, cancellation,
            (NpgsqlDbType.Text, prefix)).ConfigureAwait(false);

    public async ValueTask<CatalogEntry?> GetAsync(string key, CancellationToken cancellation)
    {
        var found = await database.ListAsync(
            "SELECT key, version, value FROM granary.catalog WHERE key = $1", Entry, cancellation, (NpgsqlDbType.Text, key))
            .ConfigureAwait(false);
        return found.Count == 0 ? null : found[0];
    }

    public async ValueTask<bool> TryCommitAsync(IReadOnlyList<CatalogChange> changes, CancellationToken cancellation)
    {
        database.ThrowIfDisposed();
        StorageRules.CheckChanges(changes);
        foreach (var change in changes.Where(c => c.Key.Contains('\0') || Encoding.UTF8.GetByteCount(c.Key) > 1000))
            throw new ArgumentException($"key `{change.Key}` is longer than 1000 bytes or holds a zero", nameof(changes));
        var trial = new PostgresDatabase.Trial(database);
        var doubtful = false;
        while (true)
        {
            try
            {
                if (await database.OnceAsync((connection, cancel) => CommitAsync(connection, changes, cancel), cancellation)
                    .ConfigureAwait(false))
                    return true;

                // The commit before, whose answer was lost, may have changed the versions: the lock waited for its end.
                return doubtful && await HoldsAsync(changes, cancellation).ConfigureAwait(false);
            }
            catch (Exception e) when (PostgresErrors.IsDatabase(e))
            {
                doubtful |= PostgresErrors.IsAmbiguous(e);
                if (!PostgresErrors.IsTransient(e) || !await trial.PauseAsync(cancellation).ConfigureAwait(false))
                    throw PostgresErrors.From(database.Name, e);
            }
        }
    }

    private static async Task<bool> CommitAsync(
        NpgsqlConnection connection, IReadOnlyList<CatalogChange> changes, CancellationToken cancellation) =>
        (await PostgresDatabase.ListAsync(
            connection, "SELECT granary.commit_catalog($1, $2, $3)", row => row.GetBoolean(0), cancellation,
            (NpgsqlDbType.Array | NpgsqlDbType.Text, changes.Select(c => c.Key).ToArray()),
            (NpgsqlDbType.Array | NpgsqlDbType.Bigint, changes.Select(c => c.ExpectedVersion).ToArray()),
            (NpgsqlDbType.Array | NpgsqlDbType.Bytea, changes.Select(c => c.Value?.ToArray()).ToArray())).ConfigureAwait(false))[0];

    /// <summary>Whether the documents are what the changes would have made them.</summary>
    private async ValueTask<bool> HoldsAsync(IReadOnlyList<CatalogChange> changes, CancellationToken cancellation)
    {
        foreach (var change in changes)
        {
            var entry = await GetAsync(change.Key, cancellation).ConfigureAwait(false);
            var holds = change.Value is { } value
                ? entry is not null && entry.Version == change.ExpectedVersion + 1 && entry.Value.Span.SequenceEqual(value.Span)
                : entry is null;
            if (!holds)
                return false;
        }

        return true;
    }

    private static CatalogEntry Entry(NpgsqlDataReader row) => new(row.GetString(0), row.GetInt64(1), row.GetFieldValue<byte[]>(2));
}
