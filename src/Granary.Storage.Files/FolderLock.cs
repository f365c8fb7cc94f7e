using System.Globalization;
using System.Text;
using Granary.Index;
using Granary.Storage.Files.Platform;

namespace Granary.Storage.Files;

/// <summary>
/// Makes a process the only user of a folder: an operating system lock on <c>lock</c>, which ends with the process however it
/// ends, and the owner's process id in <c>owner</c>, for people.
/// </summary>
internal sealed class FolderLock(IDisposable held) : IDisposable
{
    public const string LockFile = "lock";
    public const string OwnerFile = "owner";

    /// <param name="files">Where.</param>
    /// <param name="folder">The folder.</param>
    /// <param name="note">Says so when the owner before did not leave in good order.</param>
    /// <exception cref="GranaryException">Another process, or this one, has the folder open.</exception>
    public static FolderLock Take(IFileSystem files, string folder, out string? note)
    {
        var owner = Path.Combine(folder, OwnerFile);
        var held = files.TryLock(Path.Combine(folder, LockFile))
            ?? throw new GranaryException(
                ErrorKind.Unavailable, $"{folder}: this folder is in use by process {ReadOwner(files, owner) ?? "(unknown)"}; stop it or "
                    + "choose another folder");
        try
        {
            var before = ReadOwner(files, owner);
            note = before is null ? null : $"{folder}: process {before} did not close this folder; taken over";
            using var file = files.Create(owner);
            file.Write([Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n")], 0);
        }
        catch
        {
            held.Dispose();
            throw;
        }

        return new FolderLock(held);
    }

    /// <summary>Leaves the folder in good order.</summary>
    public void Leave(IFileSystem files, string folder)
    {
        try
        {
            files.Delete(Path.Combine(folder, OwnerFile));
        }
        finally
        {
            Dispose();
        }
    }

    public void Dispose() => held.Dispose();

    private static string? ReadOwner(IFileSystem files, string path)
    {
        try
        {
            var text = files.Exists(path) ? Encoding.ASCII.GetString(files.ReadAll(path)).Trim() : "";
            return text.Length > 0 ? text : null;
        }
        catch (IOException)
        {
            return null;
        }
    }
}
