using System.Runtime.InteropServices;

namespace Granary.Index.Memory;

/// <summary>Tells the operating system (Linux) what becomes of pages. Elsewhere, and where it does not listen, nothing happens.</summary>
internal static unsafe partial class PageAdvice
{
    // MADV_WILLNEED and MADV_DONTNEED.
    private const int Needed = 3;
    private const int NotNeeded = 4;
    private static bool _unknown;

    /// <summary>Asks for mapped pages to be read ahead, without waiting for them.</summary>
    public static void WillNeed(byte* start, long bytes)
    {
        var from = start - ((nint)start & (Environment.SystemPageSize - 1));
        TryGive(from, start + bytes - from, Needed);
    }

    /// <summary>
    /// Gives the memory of the whole pages in a range of anonymous memory back; the addresses stay, and hold zeros when they are read next.
    /// </summary>
    public static void Discard(byte* start, long bytes)
    {
        var page = (nint)Environment.SystemPageSize;
        var from = (byte*)(((nint)start + page - 1) & -page);
        var to = (byte*)((nint)(start + bytes) & -page);
        if (to > from)
            TryGive(from, to - from, NotNeeded);
    }

    /// <summary>Gives an advice of Linux' about whole pages; false where the system does not take it.</summary>
    public static bool TryGive(byte* start, long bytes, int advice)
    {
        if (_unknown || !OperatingSystem.IsLinux())
            return false;
        try
        {
            return Advise(start, (nuint)bytes, advice) == 0;
        }
        catch (Exception e) when (e is EntryPointNotFoundException or DllNotFoundException)
        {
            _unknown = true;
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* start, nuint bytes, int advice);
}
