using System.IO.MemoryMappedFiles;
using Granary.Index.Checkpoints;
using Microsoft.Win32.SafeHandles;

namespace Granary.Collections.Ports;

/// <summary>A file mapped whole, copy-on-write: a section of a checkpoint, wherever a storage keeps it as a file.</summary>
public sealed unsafe class MappedFile : MappedSection
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _pointer;
    private bool _disposed;

    /// <summary>Maps a file that is not empty.</summary>
    public MappedFile(SafeFileHandle handle)
    {
        Length = RandomAccess.GetLength(handle);
        _file = MemoryMappedFile.CreateFromFile(
            handle, null, 0, MemoryMappedFileAccess.CopyOnWrite, HandleInheritability.None, leaveOpen: true);
        try
        {
            _view = _file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.CopyOnWrite);
        }
        catch
        {
            _file.Dispose();
            throw;
        }

        // The view starts at offset 0, so the pointer needs no PointerOffset; Length bytes of it are the file's.
        byte* pointer = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref pointer);
        _pointer = pointer;
    }

    /// <inheritdoc/>
    public override byte* Pointer => _pointer;

    /// <inheritdoc/>
    public override long Length { get; }

    /// <inheritdoc/>
    public override void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }
}
