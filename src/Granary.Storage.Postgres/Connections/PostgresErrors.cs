using System.Net.Sockets;
using Granary.Index;
using Npgsql;

namespace Granary.Storage.Postgres.Connections;

/// <summary>
/// Turns PostgreSQL's error codes (its manual, appendix A) and lost connections into errors that name the database and the reason.
/// </summary>
internal static class PostgresErrors
{
    /// <summary>Whether it is one that <see cref="From"/> explains.</summary>
    public static bool IsDatabase(Exception e) => e is NpgsqlException or IOException or SocketException or TimeoutException;

    /// <summary>Whether the same may succeed a moment later: the server restarts, or the connection was cut.</summary>
    public static bool IsTransient(Exception e) => e switch
    {
        PostgresException known => known.SqlState is
            PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.CannotConnectNow
            || (known.IsTransient && known.SqlState is not PostgresErrorCodes.DiskFull),
        NpgsqlException or IOException or SocketException or TimeoutException => true,
        _ => false,
    };

    /// <summary>
    /// Whether the server may have gone on after this: no answer came, or one that the session was ended. After any other answer the
    /// transaction is rolled back.
    /// </summary>
    public static bool IsAmbiguous(Exception e) => e is not PostgresException known || known.Severity is "FATAL" or "PANIC";

    /// <summary>The error to tell.</summary>
    public static GranaryException From(string database, Exception e) => e is PostgresException known
        ? new GranaryException(Kind(known), $"{database}: {Reason(known)}: {known.MessageText} (SQLSTATE {known.SqlState})", e)
        : new GranaryException(ErrorKind.Unavailable, $"{database}: PostgreSQL cannot be reached: {Innermost(e).Message}", e);

    /// <summary>The error for rows that are not what was written.</summary>
    public static GranaryException Corrupted(string database, string row, string what) =>
        new(ErrorKind.Corrupted, $"{database}: {row} is damaged: {what}");

    private static ErrorKind Kind(PostgresException e) => e.SqlState switch
    {
        PostgresErrorCodes.DiskFull or PostgresErrorCodes.ReadOnlySqlTransaction => ErrorKind.InsufficientStorage,
        PostgresErrorCodes.DataCorrupted or PostgresErrorCodes.IndexCorrupted => ErrorKind.Corrupted,
        PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedFunction or PostgresErrorCodes.InvalidSchemaName
            or PostgresErrorCodes.InvalidCatalogName or PostgresErrorCodes.InsufficientPrivilege => ErrorKind.Unavailable,
        _ when e.SqlState.StartsWith("28", StringComparison.Ordinal) || IsTransient(e) => ErrorKind.Unavailable,
        _ => ErrorKind.Internal,
    };

    private static string Reason(PostgresException e) => e.SqlState switch
    {
        PostgresErrorCodes.DiskFull => "the disk is full",
        PostgresErrorCodes.ReadOnlySqlTransaction => "the database is read-only",
        PostgresErrorCodes.DataCorrupted or PostgresErrorCodes.IndexCorrupted => "the database is damaged",
        PostgresErrorCodes.TooManyConnections => "it has no connection left for this server",
        PostgresErrorCodes.InvalidCatalogName => "there is no such database",
        PostgresErrorCodes.InsufficientPrivilege => "the role lacks a right (infra/postgres/roles.sql)",
        PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedFunction or PostgresErrorCodes.InvalidSchemaName =>
            "Granary's tables are missing; `granary migrate` (of a cluster: `granary-silo migrate`) makes them",
        _ when e.SqlState.StartsWith("28", StringComparison.Ordinal) => "it does not let this user in",
        _ when IsTransient(e) => "PostgreSQL is not available",
        _ => "PostgreSQL refused",
    };

    private static Exception Innermost(Exception e)
    {
        while (e.InnerException is { } inner)
            e = inner;
        return e;
    }
}
