using Granary.Index;

namespace Granary.Storage.Files.Platform;

/// <summary>Steps made of several calls, in the order that survives a cut after any of them.</summary>
internal static class FileSystemExtensions
{
    /// <summary>What a file being written is called until it is renamed into place.</summary>
    public const string NewSuffix = ".new";

    /// <summary>Replaces a file by one atomic rename; afterwards content and name are durable.</summary>
    public static void Replace(this IFileSystem files, string path, ReadOnlyMemory<byte> content)
    {
        var fresh = path + NewSuffix;
        using (var file = files.Create(fresh))
        {
            file.Write([content], 0);
            file.Sync();
        }

        files.Rename(fresh, path);
        files.SyncFolder(Path.GetDirectoryName(path)!);
    }

    /// <summary>Makes a folder and those above it, names durable.</summary>
    public static void CreateFolders(this IFileSystem files, string path)
    {
        if (files.Exists(path))
            return;
        var parent = Path.GetDirectoryName(path) ?? throw new IOException($"'{path}' has no folder above it that exists");
        files.CreateFolders(parent);
        files.CreateFolder(path);
        files.SyncFolder(parent);
    }

    /// <summary>Reads a small file whole.</summary>
    public static byte[] ReadAll(this IFileSystem files, string path)
    {
        using var file = files.Open(path, write: false);
        if (file.Length > Array.MaxLength)
            throw new GranaryException(ErrorKind.Corrupted, $"{path}: {file.Length} bytes, too long for what it should be");
        var bytes = new byte[file.Length];
        return bytes[..file.Read(bytes, 0)];
    }
}
