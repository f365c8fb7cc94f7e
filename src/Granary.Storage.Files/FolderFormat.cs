using System.Globalization;
using System.Text;
using Granary.Index;
using Granary.Storage.Files.Catalog;
using Granary.Storage.Files.Platform;

namespace Granary.Storage.Files;

/// <summary>The top of a data folder: makes an empty one, and checks one that is there (docs/formats.md).</summary>
internal sealed class FolderFormat(IFileSystem files, string folder)
{
    public const int Version = 1;
    public const string FormatFile = "format";
    public const string CatalogFile = "catalog";
    public const string DataFolder = "data";
    private const string Title = "granary-folder ";

    /// <exception cref="GranaryException">The folder is of a newer version, of something else, or damaged.</exception>
    public void Prepare()
    {
        var entries = files.List(folder).Where(e => !e.Name.StartsWith('.') && e.Name != "lost+found").ToDictionary(e => e.Name);
        foreach (var (name, entry) in entries)
        {
            var known = entry.IsFolder
                ? name == DataFolder
                : name is FormatFile or CatalogFile or FolderLock.LockFile or FolderLock.OwnerFile
                    or FormatFile + FileSystemExtensions.NewSuffix or CatalogFile + FileSystemExtensions.NewSuffix;
            if (!known)
                throw FileErrors.Corrupted(
                    Path.Combine(folder, name), 0, "this does not belong to a Granary folder; move it away or choose another folder");
        }

        if (entries.ContainsKey(FormatFile))
            Check(entries);
        else
            Begin(entries);
        files.Delete(Path.Combine(folder, FormatFile + FileSystemExtensions.NewSuffix));
        files.Delete(Path.Combine(folder, CatalogFile + FileSystemExtensions.NewSuffix));
    }

    /// <summary>The format file comes last, so that without it there can be nothing but an empty catalog.</summary>
    private void Begin(Dictionary<string, FolderEntry> entries)
    {
        var (format, catalog, data) = (At(FormatFile), At(CatalogFile), At(DataFolder));
        var used = (entries.ContainsKey(DataFolder) && files.List(data).Count > 0)
            || (entries.ContainsKey(CatalogFile) && CatalogDocument.Parse(catalog, files.ReadAll(catalog)).Count > 0);
        if (used)
            throw FileErrors.Corrupted(format, 0, "the format file is missing");
        files.CreateFolder(data);
        files.Replace(catalog, CatalogDocument.ToBytes([]));
        files.Replace(format, ChecksummedText.Seal(new StringBuilder(Title).Append(Version).Append('\n')));
    }

    private void Check(Dictionary<string, FolderEntry> entries)
    {
        var path = At(FormatFile);
        var line = ChecksummedText.Open(path, files.ReadAll(path))[0];
        if (!line.StartsWith(Title, StringComparison.Ordinal)
            || !int.TryParse(line[Title.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var version))
        {
            throw FileErrors.Corrupted(path, 0, $"`{line}` is no format version");
        }

        if (version > Version)
            throw new GranaryException(ErrorKind.Unavailable,
                $"{path}: the folder has format version {version}, this program reads up to {Version}; use a newer one");
        foreach (var name in (string[])[CatalogFile, DataFolder])
        {
            if (!entries.ContainsKey(name))
                throw FileErrors.Corrupted(At(name), 0, "it is missing");
        }
    }

    private string At(string name) => Path.Combine(folder, name);
}
