using Granary.Index;
using Microsoft.Data.Sqlite;

namespace Granary.Storage.Sqlite;

/// <summary>The tables (docs/formats.md).</summary>
internal static class SqliteSchema
{
    public const int Version = 1;

    /// <summary>"GRAN", in the file's header where `file` and others look for it.</summary>
    private const int ApplicationId = 0x4752414E;

    private const string Tables = """
        CREATE TABLE head (incarnation TEXT NOT NULL, partition INTEGER NOT NULL, next_op INTEGER NOT NULL, epoch INTEGER NOT NULL,
            PRIMARY KEY (incarnation, partition)) WITHOUT ROWID;
        CREATE TABLE log (incarnation TEXT NOT NULL, partition INTEGER NOT NULL, first_op INTEGER NOT NULL, count INTEGER NOT NULL,
            batch_id BLOB NOT NULL, crc32c INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (incarnation, partition, first_op));
        CREATE TABLE checkpoint (id INTEGER PRIMARY KEY AUTOINCREMENT, incarnation TEXT NOT NULL, partition INTEGER NOT NULL,
            operation INTEGER NOT NULL, created INTEGER NOT NULL, bytes INTEGER NOT NULL, published INTEGER NOT NULL);
        CREATE INDEX checkpoint_by_partition ON checkpoint (incarnation, partition, operation, id);
        CREATE TABLE section (checkpoint INTEGER NOT NULL REFERENCES checkpoint (id) ON DELETE CASCADE, name TEXT NOT NULL,
            chunk INTEGER NOT NULL, crc32c INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (checkpoint, name, chunk));
        CREATE TABLE catalog (key TEXT PRIMARY KEY, version INTEGER NOT NULL, value BLOB NOT NULL) WITHOUT ROWID;
        """;

    /// <summary>Makes the tables in an empty file, checks the version of another, and removes checkpoints never published.</summary>
    /// <exception cref="GranaryException">The file is of a newer version or of something else.</exception>
    public static void Prepare(SqliteConnection connection, string path)
    {
        var (application, version, tables) = (Number(connection, "PRAGMA application_id"), Number(connection, "PRAGMA user_version"),
            Number(connection, "SELECT count(*) FROM sqlite_master"));
        if (tables == 0 && application == 0)
        {
            SqliteDatabase.Execute(
                connection, $"BEGIN IMMEDIATE; {Tables} PRAGMA application_id={ApplicationId}; PRAGMA user_version={Version}; COMMIT");
            return;
        }

        if (application != ApplicationId)
            throw new GranaryException(
                ErrorKind.Corrupted, $"{path}: damaged at offset 68: this database is not Granary's (application id {application})");
        if (version > Version)
            throw new GranaryException(ErrorKind.Unavailable,
                $"{path}: the database has format version {version}, this program reads up to {Version}; use a newer one");
        SqliteDatabase.Execute(connection, "DELETE FROM checkpoint WHERE published = 0");
    }

    private static long Number(SqliteConnection connection, string sql)
    {
        using var command = SqliteDatabase.Command(connection, sql);
        return (long)command.ExecuteScalar()!;
    }
}
