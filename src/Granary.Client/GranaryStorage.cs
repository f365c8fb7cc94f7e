using Granary.Collections.Ports;
using Granary.Index;
using Granary.Storage.Files;
using Granary.Storage.Memory;
using Granary.Storage.Postgres;
using Granary.Storage.Sqlite;

namespace Granary.Client;

/// <summary>Opens storage by connection string.</summary>
public static class GranaryStorage
{
    /// <summary>The schemes known, for messages and help.</summary>
    public const string Schemes = "mem:, file:PATH, sqlite:PATH, postgres://USER:PASSWORD@HOST:PORT/DATABASE";

    /// <summary>
    /// Opens <c>mem:</c> (as long as the process), <c>file:PATH</c> (one folder), <c>sqlite:PATH</c> (one database file) or
    /// <c>postgres://USER:PASSWORD@HOST:PORT/DATABASE</c> (<see cref="PostgresStorage"/> tells its options).
    /// </summary>
    /// <exception cref="GranaryException">The scheme is unknown, the path is missing, or the storage is in use, damaged, newer than this
    /// version or cannot be reached.</exception>
    public static async ValueTask<IStorage> OpenAsync(
        string connectionString, Durability durability = Durability.Process, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(connectionString);
        var (scheme, path) = Split(connectionString);
        return scheme switch
        {
            "mem" => new MemoryStorage(),
            "file" => await FileStorage.OpenAsync(path, new FileStorageOptions
            {
                Durability = durability,
            }, cancellation).ConfigureAwait(false),
            "postgres" => await PostgresStorage.OpenAsync(path, new PostgresStorageOptions
            {
                Durability = durability,
            }, cancellation).ConfigureAwait(false),
            _ => await SqliteStorage.OpenAsync(path, new SqliteStorageOptions
            {
                Durability = durability,
            }, cancellation).ConfigureAwait(false),
        };
    }

    /// <summary>Applies the migrations that a PostgreSQL database lacks; answers with their names.</summary>
    /// <exception cref="GranaryException">It is another kind of storage, the database cannot be reached, or it refused.</exception>
    public static async ValueTask<IReadOnlyList<string>> MigrateAsync(string connectionString, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(connectionString);
        var (scheme, address) = Split(connectionString);
        if (scheme != "postgres")
            throw GranaryException.BadInput($"storage {scheme}: needs no migrations, only postgres:// does");
        return [.. (await PostgresStorage.MigrateAsync(address, cancellation).ConfigureAwait(false)).Select(m => m.Name)];
    }

    /// <summary>
    /// Checks a connection string without opening anything; returns its scheme and path. That of a PostgreSQL database, which may hold a
    /// password, is returned whole.
    /// </summary>
    /// <exception cref="GranaryException">The scheme is unknown, the path is missing, or an option is not known.</exception>
    public static (string Scheme, string Path) Split(string connectionString)
    {
        var colon = connectionString.IndexOf(':');
        var scheme = colon < 0 ? "" : connectionString[..colon].ToLowerInvariant();
        if (scheme is "postgres" or "postgresql")
        {
            PostgresStorage.Describe(connectionString);
            return ("postgres", connectionString);
        }

        if (scheme is not ("mem" or "file" or "sqlite"))
        {
            throw GranaryException.BadInput(colon < 0
                ? $"storage `{connectionString}` names no scheme; known are {Schemes}"
                : $"storage scheme `{scheme}:` is unknown; known are {Schemes}");
        }

        var path = connectionString[(colon + 1)..].Trim();
        if (path.StartsWith("///", StringComparison.Ordinal))
            path = path[2..];
        if (scheme != "mem" && path.Length == 0)
            throw GranaryException.BadInput($"storage `{connectionString}` names no path, as in {scheme}:./granary-data");
        return (scheme, path);
    }
}
