using System.Runtime.InteropServices;

namespace Granary.Storage.Files.Platform;

/// <summary>fsync on a folder; .NET opens no handle on one.</summary>
internal static partial class UnixFolder
{
    private const int ReadOnly = 0;

    public static void Sync(string path)
    {
        var folder = Open(path, ReadOnly);
        if (folder < 0)
            throw Error(path);
        try
        {
            if (FSync(folder) < 0)
                throw Error(path);
        }
        finally
        {
            _ = Close(folder);
        }
    }

    private static IOException Error(string path)
    {
        var error = Marshal.GetLastPInvokeError();
        return new IOException($"{Marshal.GetPInvokeErrorMessage(error)} : '{path}'", error);
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FSync(int file);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int file);
}
