using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Granary.Index.Memory;

/// <summary>
/// Asks for memory that is read soon, so that reads which do not wait for each other wait at the same time. An address only: nothing is
/// read by it, and one that the collector has moved meanwhile does no harm.
/// </summary>
internal static unsafe class Prefetching
{
    /// <summary>The line that a place lies in.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Of<T>(ref T place)
    {
        if (Sse.IsSupported)
            Sse.Prefetch0(Unsafe.AsPointer(ref place));
    }

    /// <summary>The first elements of an array, and its length.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Of<T>(T[] array) => Of(ref MemoryMarshal.GetArrayDataReference(array));
}
