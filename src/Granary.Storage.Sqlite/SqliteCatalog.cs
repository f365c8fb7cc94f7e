using System.Text;
using Granary.Collections.Ports;
using Microsoft.Data.Sqlite;

namespace Granary.Storage.Sqlite;

/// <summary>The catalog as a table.</summary>
internal sealed class SqliteCatalog(SqliteDatabase database) : ICatalogStore
{
    public ValueTask<IReadOnlyList<CatalogEntry>> ListAsync(string prefix, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        return new(database.Read(connection =>
        {
            using var command = SqliteDatabase.Command(
                connection,
                "SELECT key, version, value FROM catalog WHERE substr(cast(key AS BLOB), 1, @length) = @prefix ORDER BY key",
                ("@prefix", Encoding.UTF8.GetBytes(prefix)),
                ("@length", Encoding.UTF8.GetByteCount(prefix)));
            using var rows = command.ExecuteReader();
            var entries = new List<CatalogEntry>();
            while (rows.Read())
                entries.Add(Entry(rows));
            return entries;
        }));
    }

    public ValueTask<CatalogEntry?> GetAsync(string key, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        return new(database.Read(connection =>
        {
            using var command = SqliteDatabase.Command(
                connection, "SELECT key, version, value FROM catalog WHERE key = @key", ("@key", key));
            using var rows = command.ExecuteReader();
            return rows.Read() ? Entry(rows) : null;
        }));
    }

    public async ValueTask<bool> TryCommitAsync(IReadOnlyList<CatalogChange> changes, CancellationToken cancellation)
    {
        StorageRules.CheckChanges(changes);
        var done = await database.WriteAsync(
            connection =>
            {
                foreach (var change in changes)
                {
                    using var version = SqliteDatabase.Command(
                        connection, "SELECT version FROM catalog WHERE key = @key", ("@key", change.Key));
                    if (((long?)version.ExecuteScalar() ?? 0) != change.ExpectedVersion)
                        return false;
                }

                foreach (var change in changes)
                {
                    if (change.Value is { } value)
                    {
                        SqliteDatabase.Execute(
                            connection,
                            "INSERT OR REPLACE INTO catalog VALUES (@key, @version, @value)",
                            ("@key", change.Key),
                            ("@version", change.ExpectedVersion + 1),
                            ("@value", value.ToArray()));
                    }
                    else
                    {
                        SqliteDatabase.Execute(connection, "DELETE FROM catalog WHERE key = @key", ("@key", change.Key));
                    }
                }

                return true;
            },
            cancellation).ConfigureAwait(false);
        database.SyncLog();
        return done;
    }

    private static CatalogEntry Entry(SqliteDataReader row) => new(row.GetString(0), row.GetInt64(1), (byte[])row[2]);
}
