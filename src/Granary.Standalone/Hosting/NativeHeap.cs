using System.Runtime.InteropServices;

namespace Granary.Standalone.Hosting;

/// <summary>
/// The C library's heap, out of which vectors, graphs and payloads come: it keeps freed pages below those in use until it is told to give
/// them back.
/// </summary>
internal static partial class NativeHeap
{
    private static bool _unknown;

    /// <summary>Gives free pages back to the operating system, where the C library can (glibc). Takes milliseconds.</summary>
    public static void Trim()
    {
        if (_unknown || !OperatingSystem.IsLinux())
            return;
        try
        {
            MallocTrim(0);
        }
        catch (Exception e) when (e is EntryPointNotFoundException or DllNotFoundException)
        {
            // musl has no such call, or goes by another name, and keeps less. A background service that throws ends the server.
            _unknown = true;
        }
    }

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int MallocTrim(nuint pad);
}
