using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Granary.Index;
using Granary.Storage.Postgres.Connections;
using Npgsql;
using NpgsqlTypes;

namespace Granary.Storage.Postgres;

/// <summary>
/// Brings a database to the tables that this version needs: infra/postgres/NNNN_name.sql in order, each once and in a transaction of its
/// own, its checksum remembered in <c>granary.migration</c>. An advisory lock lets one process at a time do it.
/// </summary>
public static class PostgresMigrations
{
    private const long LockKey = 0x4752414E_41525931;
    private const string Prefix = "migrations/";

    /// <summary>The migrations of this version, in order.</summary>
    public static IReadOnlyList<PostgresMigration> All { get; } = Load();

    /// <summary>Applies what the database lacks; answers with what was applied.</summary>
    /// <param name="connection">An open connection of a role that may make schemas, or owns this one.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="GranaryException">A migration that was applied has changed since.</exception>
    public static async Task<IReadOnlyList<PostgresMigration>> ApplyAsync(
        NpgsqlConnection connection, CancellationToken cancellation = default)
    {
        await ExecuteAsync(connection, "SELECT pg_advisory_lock($1)", cancellation, (NpgsqlDbType.Bigint, LockKey)).ConfigureAwait(false);
        try
        {
            await ExecuteAsync(
                connection,
                """
                DO $$
                BEGIN
                    IF to_regclass('granary.migration') IS NULL THEN
                        CREATE SCHEMA IF NOT EXISTS granary;
                        CREATE TABLE granary.migration (version integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL,
                            applied timestamptz NOT NULL DEFAULT now());
                    END IF;
                END
                $$
                """,
                cancellation).ConfigureAwait(false);
            var lacking = await LackingAsync(connection, cancellation).ConfigureAwait(false);
            foreach (var migration in lacking)
                await ApplyAsync(connection, migration, cancellation).ConfigureAwait(false);
            return lacking;
        }
        finally
        {
            // A connection that broke has let go of its locks.
            if (connection.State == System.Data.ConnectionState.Open)
            {
                await ExecuteAsync(
                    connection, "SELECT pg_advisory_unlock($1)", CancellationToken.None, (NpgsqlDbType.Bigint, LockKey))
                    .ConfigureAwait(false);
            }
        }
    }

    /// <summary>The migrations that a database lacks, in order.</summary>
    /// <exception cref="GranaryException">A migration that was applied has changed since.</exception>
    public static async Task<IReadOnlyList<PostgresMigration>> LackingAsync(
        NpgsqlConnection connection, CancellationToken cancellation = default)
    {
        var there = await PostgresDatabase.ListAsync(
            connection, "SELECT to_regclass('granary.migration') IS NOT NULL", r => r.GetBoolean(0), cancellation).ConfigureAwait(false);
        if (!there[0])
            return All;
        var applied = (await PostgresDatabase.ListAsync(
            connection, "SELECT version, checksum FROM granary.migration", r => (r.GetInt32(0), r.GetString(1)), cancellation)
            .ConfigureAwait(false)).ToDictionary();
        foreach (var migration in All)
        {
            if (applied.TryGetValue(migration.Version, out var checksum) && checksum != migration.Checksum)
                throw new GranaryException(ErrorKind.Unavailable,
                    $"{migration.Name} was applied to this database with checksum {checksum}, this program's has {migration.Checksum}");
        }

        return [.. All.Where(m => !applied.ContainsKey(m.Version))];
    }

    private static async Task ApplyAsync(NpgsqlConnection connection, PostgresMigration migration, CancellationToken cancellation)
    {
        var transaction = await connection.BeginTransactionAsync(cancellation).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            await ExecuteAsync(connection, migration.Sql, cancellation).ConfigureAwait(false);
            await ExecuteAsync(
                connection, "INSERT INTO granary.migration (version, name, checksum) VALUES ($1, $2, $3)", cancellation,
                (NpgsqlDbType.Integer, migration.Version), (NpgsqlDbType.Text, migration.Name), (NpgsqlDbType.Text, migration.Checksum))
                .ConfigureAwait(false);
            await transaction.CommitAsync(cancellation).ConfigureAwait(false);
        }
    }

    private static async Task ExecuteAsync(
        NpgsqlConnection connection, string sql, CancellationToken cancellation, params (NpgsqlDbType Type, object Value)[] parameters)
    {
        var command = PostgresDatabase.Command(connection, sql, parameters);
        await using (command.ConfigureAwait(false))
            await command.ExecuteNonQueryAsync(cancellation).ConfigureAwait(false);
    }

    private static IReadOnlyList<PostgresMigration> Load()
    {
        var assembly = typeof(PostgresMigrations).Assembly;
        var list = new List<PostgresMigration>();
        foreach (var resource in assembly.GetManifestResourceNames().Where(n => n.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
            // The same on every machine, however a checkout ends its lines.
            var sql = reader.ReadToEnd().ReplaceLineEndings("\n");
            var name = resource[Prefix.Length..];
            list.Add(new PostgresMigration(
                int.Parse(name.AsSpan(0, 4), NumberStyles.None, CultureInfo.InvariantCulture), name, sql,
                Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(sql)))));
        }

        list.Sort((a, b) => a.Version.CompareTo(b.Version));
        return list;
    }
}

/// <summary>One step of the schema.</summary>
/// <param name="Version">Its number, from 1.</param>
/// <param name="Name">Its file's name.</param>
/// <param name="Sql">Its statements.</param>
/// <param name="Checksum">SHA-256 of them, in hexadecimal.</param>
public sealed record PostgresMigration(int Version, string Name, string Sql, string Checksum);
