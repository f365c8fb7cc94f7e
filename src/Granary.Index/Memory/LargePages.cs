namespace Granary.Index.Memory;

/// <summary>
/// Asks the operating system for large pages: a walk through a graph reads rows all over memory, and the processor's table of small
/// pages covers a few megabytes only.
/// </summary>
internal static unsafe class LargePages
{
    /// <summary>Bytes of a large page.</summary>
    public const int Size = 2 << 20;

    // MADV_COLLAPSE of Linux 6.1, and MADV_HUGEPAGE, which leaves it to the system when.
    private const int Collapse = 25;
    private const int HugePage = 14;

    /// <summary>The bytes of as many pages as hold so many bytes.</summary>
    public static long RoundUp(long bytes) => (bytes + Size - 1) & -Size;

    /// <summary>
    /// Makes whole pages at <paramref name="start"/> large, where the system can (Linux); what they hold stays. It may do otherwise.
    /// </summary>
    public static void Advise(byte* start, long bytes)
    {
        if (!PageAdvice.TryGive(start, bytes, Collapse))
            PageAdvice.TryGive(start, bytes, HugePage);
    }
}
