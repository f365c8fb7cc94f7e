using Granary.Index;
using Microsoft.Data.Sqlite;

namespace Granary.Storage.Sqlite;

/// <summary>Turns SQLite's result codes (sqlite.org/rescode.html) into errors that name the file and the reason.</summary>
internal static class SqliteErrors
{
    public static GranaryException From(string path, SqliteException e) => e.SqliteErrorCode switch
    {
        5 or 6 => new(ErrorKind.Unavailable, $"{path}: the database is locked by another process: {e.Message}", e),
        8 => new(ErrorKind.InsufficientStorage, $"{path}: the database is read-only: {e.Message}", e),
        13 => new(ErrorKind.InsufficientStorage, $"{path}: the disk is full: {e.Message}", e),
        11 => new(ErrorKind.Corrupted, $"{path}: the database is damaged: {e.Message}", e),
        26 => new(ErrorKind.Corrupted, $"{path}: damaged at offset 0: this is not an SQLite database: {e.Message}", e),
        14 => new(ErrorKind.InsufficientStorage, $"{path}: the file cannot be opened or made: {e.Message}", e),
        _ => new(ErrorKind.Internal, $"{path}: {e.Message} (SQLite {e.SqliteErrorCode}/{e.SqliteExtendedErrorCode})", e),
    };

    /// <summary>The error for rows that are not what was written.</summary>
    public static GranaryException Corrupted(string path, string row, string what) =>
        new(ErrorKind.Corrupted, $"{path}: {row} is damaged: {what}");
}
