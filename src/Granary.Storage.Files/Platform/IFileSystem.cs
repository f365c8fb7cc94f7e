using Granary.Index.Checkpoints;

namespace Granary.Storage.Files.Platform;

/// <summary>
/// The few things the storage asks of a file system, so that its tests can run on one that forgets what was not synced. A file's
/// content is durable after <see cref="IFile.Sync"/>, its name only after <see cref="SyncFolder"/> of the folder it is in.
/// </summary>
internal interface IFileSystem
{
    /// <summary>Makes a file, or empties the one there.</summary>
    IFile Create(string path);

    /// <summary>Opens an existing file for reading and, if asked, writing.</summary>
    IFile Open(string path, bool write);

    /// <summary>Whether a file or folder is there.</summary>
    bool Exists(string path);

    /// <summary>What a folder holds, in no order.</summary>
    IReadOnlyList<FolderEntry> List(string folder);

    /// <summary>Makes a folder whose parent exists; none is made where one is.</summary>
    void CreateFolder(string path);

    /// <summary>Renames a file or folder in one atomic step; a file in the way is replaced.</summary>
    void Rename(string from, string to);

    /// <summary>Deletes a file; handles and mappings of it stay valid where the system allows it. A missing one is no error.</summary>
    void Delete(string path);

    /// <summary>Deletes a folder and everything in it. A missing one is no error.</summary>
    void DeleteFolder(string path);

    /// <summary>Makes the names in a folder durable.</summary>
    void SyncFolder(string path);

    /// <summary>
    /// Locks a file (made if missing) against every other opener until disposed or the process ends; null when it is locked.
    /// </summary>
    IDisposable? TryLock(string path);
}

/// <summary>An open file; positioned access, safe for many threads.</summary>
internal interface IFile : IDisposable
{
    /// <summary>Its length now.</summary>
    long Length { get; }

    /// <summary>Reads up to the span's length; fewer bytes only at the end of the file.</summary>
    int Read(Span<byte> bytes, long offset);

    /// <summary>Writes buffers one after another, in one system call where there is one.</summary>
    void Write(IReadOnlyList<ReadOnlyMemory<byte>> buffers, long offset);

    /// <summary>Cuts or extends the file.</summary>
    void SetLength(long length);

    /// <summary>Returns once everything written is on disk.</summary>
    void Sync();

    /// <summary>Maps the whole file copy-on-write, valid beyond the file's disposal and deletion; null where it cannot be mapped.</summary>
    MappedSection? TryMap();
}

/// <summary>A name in a folder.</summary>
internal readonly record struct FolderEntry(string Name, bool IsFolder, long Length);
