using System.Globalization;
using System.Text;
using Granary.Collections.Ports;
using Granary.Storage.Files.Platform;

namespace Granary.Storage.Files.Checkpoints;

/// <summary>Names inside a partition's checkpoint folder, and the list of sections in a checkpoint (docs/formats.md).</summary>
internal static class CheckpointFolder
{
    /// <summary>The file that lists a checkpoint's sections, written last.</summary>
    public const string SectionList = "sections";

    /// <summary>Begins the name of one being written.</summary>
    public const string NewPrefix = "new-";

    /// <summary>Begins the name of one being deleted.</summary>
    public const string OldPrefix = "old-";

    private const string Title = "granary-checkpoint 1";

    public static string Name(long operation, string id) => $"{operation.ToString("D20", CultureInfo.InvariantCulture)}-{id}";

    public static string Id(DateTimeOffset created) => created.UtcTicks.ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>Reads a folder's name; false for anything else.</summary>
    public static bool TryParse(string name, out long operation, out DateTimeOffset created)
    {
        (operation, created) = (0, default);
        if (name.Length != 37 || name[20] != '-'
            || !long.TryParse(name.AsSpan(0, 20), NumberStyles.None, CultureInfo.InvariantCulture, out operation)
            || !long.TryParse(name.AsSpan(21), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var ticks)
            || ticks < 0 || ticks > DateTime.MaxValue.Ticks)
        {
            return false;
        }

        created = new DateTimeOffset(ticks, TimeSpan.Zero);
        return true;
    }

    public static byte[] WriteSections(IEnumerable<KeyValuePair<string, long>> sections)
    {
        var text = new StringBuilder(Title).Append('\n');
        foreach (var (name, length) in sections)
            text.Append(CultureInfo.InvariantCulture, $"{name} {length}\n");
        return ChecksummedText.Seal(text);
    }

    /// <exception cref="Index.GranaryException">The list is missing or damaged.</exception>
    public static Dictionary<string, long> ReadSections(IFileSystem files, string folder)
    {
        var path = Path.Combine(folder, SectionList);
        if (!files.Exists(path))
            throw FileErrors.Corrupted(path, 0, "the list of sections is missing");
        var lines = ChecksummedText.Open(path, files.ReadAll(path));
        if (lines[0] != Title)
            throw FileErrors.Corrupted(path, 0, $"the first line is not `{Title}`");
        return lines.Skip(1).Select(l => l.Split(' ')).ToDictionary(p => p[0], p => long.Parse(p[1], CultureInfo.InvariantCulture));
    }

    /// <summary>Removes what an interrupted write or delete left.</summary>
    public static void RemoveLeftovers(IFileSystem files, string folder)
    {
        foreach (var entry in files.List(folder))
        {
            var path = Path.Combine(folder, entry.Name);
            var leftover = entry.Name.StartsWith(NewPrefix, StringComparison.Ordinal)
                || entry.Name.StartsWith(OldPrefix, StringComparison.Ordinal);
            if (!entry.IsFolder || !(leftover || TryParse(entry.Name, out _, out _)))
                throw FileErrors.Corrupted(path, 0, "this is not a checkpoint");
            if (leftover)
                files.DeleteFolder(path);
        }
    }

    public static CheckpointInfo Info(string name, long bytes)
    {
        _ = TryParse(name, out var operation, out var created);
        return new CheckpointInfo(operation, name[21..], bytes, created);
    }
}
