using Granary.Index;

namespace Granary.Storage.Files;

/// <summary>Turns what the system says into errors that name the file and the reason.</summary>
internal static class FileErrors
{
    /// <summary>Whether an exception comes from the file system.</summary>
    public static bool IsIo(Exception e) => e is IOException or UnauthorizedAccessException;

    /// <summary>The error for a failed step on a file.</summary>
    public static GranaryException From(string step, string path, Exception e) => e switch
    {
        UnauthorizedAccessException => new(ErrorKind.InsufficientStorage,
            $"{path}: {step} was refused, the folder is read-only or belongs to another user: {e.Message}", e),
        IOException when IsFull(e.HResult) =>
            new(ErrorKind.InsufficientStorage, $"{path}: {step} failed, the disk is full: {e.Message}", e),
        IOException when e.HResult is 30 =>
            new(ErrorKind.InsufficientStorage, $"{path}: {step} failed, the file system is read-only: {e.Message}", e),
        _ => new(ErrorKind.Internal, $"{path}: {step} failed: {e.Message}", e),
    };

    /// <summary>The error for damage that must not be mended silently.</summary>
    public static GranaryException Corrupted(string path, long offset, string what) =>
        new(ErrorKind.Corrupted, $"{path}: damaged at offset {offset}: {what}");

    /// <summary>ENOSPC, EDQUOT, EFBIG of Linux; ERROR_DISK_FULL and ERROR_HANDLE_DISK_FULL of Windows.</summary>
    private static bool IsFull(int code) => code is 28 or 122 or 27 or unchecked((int)0x80070070) or unchecked((int)0x80070027);
}
