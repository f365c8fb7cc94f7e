using Granary.Collections.Ports;
using Granary.Index;
using Granary.Index.Checkpoints;
using Granary.Storage.Files.Platform;

namespace Granary.Storage.Files.Checkpoints;

/// <summary>An open checkpoint: holds every section open, so that deleting it meanwhile takes nothing away.</summary>
internal sealed class FileCheckpointHandle : ICheckpointHandle
{
    private readonly string _folder;
    private readonly Dictionary<string, (IFile File, long Length)> _sections = new(StringComparer.Ordinal);

    /// <exception cref="GranaryException">A section is missing, of another length, or not of this checkpoint.</exception>
    public FileCheckpointHandle(IFileSystem files, string folder)
    {
        _folder = folder;
        try
        {
            var listed = CheckpointFolder.ReadSections(files, folder);
            var present = files.List(folder).ToDictionary(e => e.Name);
            foreach (var (name, length) in listed)
            {
                var path = Path.Combine(folder, name);
                if (!present.Remove(name, out var entry))
                    throw FileErrors.Corrupted(path, 0, "the section is missing");
                if (entry.Length != length)
                    throw FileErrors.Corrupted(path, Math.Min(length, entry.Length), $"the section has {entry.Length} of {length} bytes");
                _sections.Add(name, (files.Open(path, write: false), length));
            }

            present.Remove(CheckpointFolder.SectionList);
            if (present.Count > 0)
                throw FileErrors.Corrupted(Path.Combine(folder, present.Keys.First()), 0, "this file does not belong to the checkpoint");
        }
        catch
        {
            Close();
            throw;
        }
    }

    public Stream Open(string section)
    {
        var (file, length) = Find(section);
        return new SectionReadStream(file, length);
    }

    public MappedSection? TryMap(string section) => Find(section).File.TryMap();

    public ValueTask DisposeAsync()
    {
        Close();
        return default;
    }

    private (IFile File, long Length) Find(string section) => _sections.TryGetValue(section, out var found)
        ? found
        : throw GranaryException.NotFound($"{_folder}: the checkpoint has no section `{section}`");

    private void Close()
    {
        foreach (var (file, _) in _sections.Values)
            file.Dispose();
    }
}
