using Granary.Collections.Ports;
using Granary.Index.Checkpoints;
using Microsoft.Win32.SafeHandles;

namespace Granary.Storage.Files.Platform;

/// <summary>The file system of the machine.</summary>
internal sealed class DiskFileSystem : IFileSystem
{
    private const FileShare Shared = FileShare.ReadWrite | FileShare.Delete;

    public IFile Create(string path) => new DiskFile(File.OpenHandle(path, FileMode.Create, FileAccess.ReadWrite, Shared));

    public IFile Open(string path, bool write) =>
        new DiskFile(File.OpenHandle(path, FileMode.Open, write ? FileAccess.ReadWrite : FileAccess.Read, Shared));

    public bool Exists(string path) => Path.Exists(path);

    public IReadOnlyList<FolderEntry> List(string folder) =>
        [.. new DirectoryInfo(folder).EnumerateFileSystemInfos()
            .Select(e => new FolderEntry(e.Name, e is DirectoryInfo, e is FileInfo f ? f.Length : 0))];

    public void CreateFolder(string path) => Directory.CreateDirectory(path);

    public void Rename(string from, string to)
    {
        if (Directory.Exists(from))
            Directory.Move(from, to);
        else
            File.Move(from, to, overwrite: true);
    }

    public void Delete(string path) => File.Delete(path);

    public void DeleteFolder(string path)
    {
        if (Directory.Exists(path))
            Directory.Delete(path, recursive: true);
    }

    public void SyncFolder(string path)
    {
        // NTFS journals names itself and has no call for it.
        if (!OperatingSystem.IsWindows())
            UnixFolder.Sync(path);
    }

    public IDisposable? TryLock(string path)
    {
        try
        {
            // On Unix FileShare.None takes flock(LOCK_EX), which ends with the process, however it ends.
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
        }
        catch (IOException e) when (IsLocked(e))
        {
            return null;
        }
    }

    /// <summary>EWOULDBLOCK (11 on Linux, 35 on macOS) or a sharing violation of Windows.</summary>
    private static bool IsLocked(IOException e) => e.HResult is 11 or 35 or unchecked((int)0x80070020) or unchecked((int)0x80070021);

    private sealed class DiskFile(SafeFileHandle handle) : IFile
    {
        public long Length => RandomAccess.GetLength(handle);

        public int Read(Span<byte> bytes, long offset)
        {
            var total = 0;
            while (total < bytes.Length)
            {
                var read = RandomAccess.Read(handle, bytes[total..], offset + total);
                if (read == 0)
                    break;
                total += read;
            }

            return total;
        }

        public void Write(IReadOnlyList<ReadOnlyMemory<byte>> buffers, long offset) => RandomAccess.Write(handle, buffers, offset);

        public void SetLength(long length) => RandomAccess.SetLength(handle, length);

        public void Sync() => RandomAccess.FlushToDisk(handle);

        public MappedSection? TryMap() => MappedFile.TryMap(handle);

        public void Dispose() => handle.Dispose();
    }
}
