using System.Runtime.InteropServices;
using Granary.Index.Checkpoints;
using Microsoft.Win32.SafeHandles;

namespace Granary.Collections.Ports;

/// <summary>
/// A file mapped whole, copy-on-write: a section of a checkpoint, wherever a storage keeps it as a file. What is mapped stays readable when
/// the file is deleted, but not when it is cut short: nobody may do that.
/// </summary>
public sealed unsafe partial class MappedFile : MappedSection
{
    // PROT_READ | PROT_WRITE; MAP_PRIVATE | MAP_NORESERVE; MADV_RANDOM; as Linux has them.
    private const int ReadWrite = 3;
    private const int PrivateUnreserved = 0x4002;
    private const int RandomAccessed = 1;
    private nint _pointer;

    private MappedFile(nint pointer, long length) => (_pointer, Length) = (pointer, length);

    /// <summary>
    /// Maps a file; null where it is empty or the system does not map it (only Linux is asked): then it is to be read.
    /// </summary>
    /// <remarks>
    /// Without a reservation, since the system would count every page as one that may be written, and refuse a file larger than memory.
    /// Rows are read here and there, so that a page that is not in memory is read alone.
    /// </remarks>
    public static MappedFile? TryMap(SafeFileHandle handle)
    {
        var length = RandomAccess.GetLength(handle);
        if (length == 0 || !OperatingSystem.IsLinux() || nint.Size < sizeof(long))
            return null;
        var added = false;
        try
        {
            handle.DangerousAddRef(ref added);
            var pointer = Map(0, (nuint)length, ReadWrite, PrivateUnreserved, (int)handle.DangerousGetHandle(), 0);
            if (pointer == -1)
                return null;
            _ = Advise(pointer, (nuint)length, RandomAccessed);
            return new MappedFile(pointer, length);
        }
        finally
        {
            if (added)
                handle.DangerousRelease();
        }
    }

    /// <inheritdoc/>
    public override byte* Pointer => (byte*)_pointer;

    /// <inheritdoc/>
    public override long Length { get; }

    /// <inheritdoc/>
    public override bool IsFile => true;

    /// <inheritdoc/>
    public override void Dispose()
    {
        var pointer = Interlocked.Exchange(ref _pointer, 0);
        if (pointer != 0)
            _ = Unmap(pointer, (nuint)Length);
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int file, long offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint address, nuint length);

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint address, nuint length, int advice);
}
