using Granary.Collections.Ports;
using Granary.Storage.Files.Platform;

namespace Granary.Storage.Files.Checkpoints;

/// <summary>Writes a checkpoint into a folder of its own and publishes it by renaming the folder.</summary>
internal sealed class FileCheckpointBuilder : ICheckpointBuilder
{
    private readonly IFileSystem _files;
    private readonly string _parent;
    private readonly string _folder;
    private readonly string _name;
    private readonly Action _syncLog;
    private readonly Dictionary<string, long> _sections = new(StringComparer.Ordinal);
    private readonly List<(string Path, IFile File)> _written = [];
    private SectionWriteStream? _open;
    private bool _done;

    public FileCheckpointBuilder(IFileSystem files, string parent, long operation, DateTimeOffset created, Action syncLog)
    {
        (_files, _parent, _syncLog) = (files, parent, syncLog);
        _name = CheckpointFolder.Name(operation, CheckpointFolder.Id(created));
        _folder = Path.Combine(parent, CheckpointFolder.NewPrefix + _name);
        files.CreateFolder(_folder);
    }

    public Stream Create(string section)
    {
        ObjectDisposedException.ThrowIf(_done, this);
        StorageRules.CheckSection(section);
        if (section == CheckpointFolder.SectionList)
            throw new ArgumentException($"section `{section}`: the name is taken by the list of sections", nameof(section));
        if (_open is not null || _sections.ContainsKey(section))
            throw new InvalidOperationException($"section `{section}` exists, or the one before is still open");
        var path = Path.Combine(_folder, section);
        try
        {
            var file = _files.Create(path);
            _written.Add((path, file));
            return _open = new SectionWriteStream(path, file, length => (_sections[section], _open) = (length, null));
        }
        catch (Exception e) when (FileErrors.IsIo(e))
        {
            throw FileErrors.From("writing a checkpoint", path, e);
        }
    }

    public ValueTask<CheckpointInfo> PublishAsync(CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_done, this);
        cancellation.ThrowIfCancellationRequested();
        if (_open is not null)
            throw new InvalidOperationException("a section is still open");
        var syncing = _folder;
        try
        {
            foreach (var (path, file) in _written)
            {
                syncing = path;
                file.Sync();
            }

            Close();
            syncing = _folder;
            // A checkpoint must never hold an operation that a power cut can take out of the log, its number then going to another.
            _syncLog();
            _files.Replace(Path.Combine(_folder, CheckpointFolder.SectionList), CheckpointFolder.WriteSections(_sections));
            _files.Rename(_folder, Path.Combine(_parent, _name));
            _done = true;
            _files.SyncFolder(_parent);
        }
        catch (Exception e) when (FileErrors.IsIo(e))
        {
            throw FileErrors.From("publishing a checkpoint", syncing, e);
        }

        var bytes = _files.List(Path.Combine(_parent, _name)).Sum(f => f.Length);
        return new(CheckpointFolder.Info(_name, bytes));
    }

    public ValueTask DisposeAsync()
    {
        if (_done)
            return default;
        _done = true;
        try
        {
            _open?.Abandon();
            Close();
            _files.DeleteFolder(_folder);
        }
        catch (Exception e) when (FileErrors.IsIo(e))
        {
            // What is left is removed when the storage is opened next.
        }

        return default;
    }

    private void Close()
    {
        foreach (var (_, file) in _written)
            file.Dispose();
        _written.Clear();
    }
}
