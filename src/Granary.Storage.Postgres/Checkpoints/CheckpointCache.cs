using System.Globalization;
using Granary.Collections.Ports;
using Granary.Index;

namespace Granary.Storage.Postgres.Checkpoints;

/// <summary>
/// A folder where checkpoints are written before they go into the database, and where they are mapped from. Processes may share it: a
/// checkpoint has a folder of its own, named by a token that is never used twice, and gets its name when it is whole. What is in it is
/// compared with the checksums in the database before it is used, and may be deleted at any time.
/// </summary>
internal sealed class CheckpointCache(string root)
{
    private const string Unfinished = ".part";

    /// <summary>Unfinished folders older than this are of processes that died.</summary>
    private static readonly TimeSpan LeftoverAge = TimeSpan.FromDays(1);

    /// <summary>A folder of this user's own.</summary>
    public static string DefaultFolder => Path.Combine(Path.GetTempPath(), "granary-cache-" + Environment.UserName);

    /// <summary>Where a whole checkpoint stands.</summary>
    public string Folder(PartitionKey partition, Guid token) => Path.Combine(Folder(partition), token.ToString("N"));

    /// <summary>Makes a folder to write one in; nobody else has it.</summary>
    public string Begin(PartitionKey partition, Guid token)
    {
        var folder = Path.Combine(Folder(partition), $"{token:N}-{Guid.NewGuid():N}{Unfinished}");
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(folder);
        else
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return folder;
    }

    /// <summary>Gives a folder its name. Another process, or another thread, may have been faster.</summary>
    public void Finish(string folder, PartitionKey partition, Guid token)
    {
        try
        {
            Directory.Move(folder, Folder(partition, token));
        }
        catch (IOException)
        {
            RemoveFolder(folder);
        }
    }

    /// <summary>Removes one.</summary>
    public void Remove(PartitionKey partition, Guid token) => RemoveFolder(Folder(partition, token));

    /// <summary>Removes a collection's.</summary>
    public void Remove(Guid incarnation) => RemoveFolder(Path.Combine(root, incarnation.ToString("N")));

    /// <summary>Removes those of a partition that are not in the database, and what a process that died left unfinished.</summary>
    public void Tidy(PartitionKey partition, IReadOnlySet<Guid> there)
    {
        if (!Directory.Exists(Folder(partition)))
            return;
        foreach (var folder in Directory.GetDirectories(Folder(partition)))
        {
            var stale = Path.GetFileName(folder).EndsWith(Unfinished, StringComparison.Ordinal)
                ? DateTime.UtcNow - Directory.GetCreationTimeUtc(folder) > LeftoverAge
                : !Guid.TryParseExact(Path.GetFileName(folder), "N", out var token) || !there.Contains(token);
            if (stale)
                RemoveFolder(folder);
        }
    }

    /// <summary>Removes a folder; on a system that keeps open files from being deleted, the next tidying does.</summary>
    public static void RemoveFolder(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }

    /// <summary>What the operating system says of the cache, told with its folder.</summary>
    public GranaryException Error(string what, Exception e) =>
        new(ErrorKind.InsufficientStorage, $"{root}: {what} the cache of checkpoints failed: {e.Message}", e);

    private string Folder(PartitionKey partition) =>
        Path.Combine(root, partition.Incarnation.ToString("N"), partition.Number.ToString(CultureInfo.InvariantCulture));
}
