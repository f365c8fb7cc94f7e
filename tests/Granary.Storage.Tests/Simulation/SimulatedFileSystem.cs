using Granary.Index.Checkpoints;
using Granary.Storage.Files.Platform;

namespace Granary.Storage.Tests.Simulation;

/// <summary>The power is gone.</summary>
internal sealed class PowerCutException() : IOException("the power was cut");

/// <summary>
/// A disk in memory that forgets at a power cut what was not synced: contents of files and names in folders alike. The cut comes
/// with a step of the caller's choosing, or steps fail for lack of room.
/// </summary>
internal sealed class SimulatedFileSystem : IFileSystem
{
    private const int NoSpace = 28;
    private readonly Lock _lock = new();
    private readonly HashSet<string> _locked = new(StringComparer.Ordinal);
    private SimulatedFolder _root = new();
    private bool _cut;

    /// <summary>Changing steps until the power is cut; negative for never.</summary>
    public int StepsToCut { get; set; } = -1;

    /// <summary>Changing steps made.</summary>
    public int Steps { get; private set; }

    /// <summary>Asked before every changing step, given its kind and path; true fails it as a full disk does.</summary>
    public Func<string, string, bool>? Full { get; set; }

    /// <summary>Asked before every changing step, given its kind and path; true fails it as a broken disk does.</summary>
    public Func<string, string, bool>? Broken { get; set; }

    /// <summary>Called after every sync of a file, with its path.</summary>
    public Action<string>? Synced { get; set; }

    /// <summary>What the next start finds.</summary>
    public SimulatedFileSystem AfterCut(Random? chance)
    {
        lock (_lock)
        {
            _cut = true;
            return new SimulatedFileSystem { _root = (SimulatedFolder)_root.AfterCut(chance) };
        }
    }

    public IFile Create(string path)
    {
        lock (_lock)
        {
            Step("create", path);
            var (folder, name) = Parent(path);
            var file = new SimulatedFile();
            folder.Change(entries => entries[name] = file);
            return new Handle(this, file, path);
        }
    }

    public IFile Open(string path, bool write)
    {
        lock (_lock)
            return new Handle(this, Find(path) as SimulatedFile ?? throw new FileNotFoundException($"'{path}' is not there", path), path);
    }

    public bool Exists(string path)
    {
        lock (_lock)
            return Find(path) is not null;
    }

    public IReadOnlyList<FolderEntry> List(string folder)
    {
        lock (_lock)
        {
            return [.. Folder(folder).Entries.Select(
                e => new FolderEntry(e.Key, e.Value is SimulatedFolder, (e.Value as SimulatedFile)?.Content.Length ?? 0))];
        }
    }

    public void CreateFolder(string path)
    {
        lock (_lock)
        {
            if (Find(path) is SimulatedFolder)
                return;
            Step("create", path);
            var (folder, name) = Parent(path);
            var made = new SimulatedFolder();
            folder.Change(entries => entries[name] = made);
        }
    }

    public void Rename(string from, string to)
    {
        lock (_lock)
        {
            Step("rename", from);
            var (folder, name) = Parent(from);
            var (target, newName) = Parent(to);
            if (folder != target)
                throw new InvalidOperationException("names move within one folder only: no system makes more atomic");
            var node = folder.Entries[name];
            folder.Change(entries =>
            {
                entries.Remove(name);
                entries[newName] = node;
            });
        }
    }

    public void Delete(string path)
    {
        lock (_lock)
        {
            if (Find(path) is null)
                return;
            Step("delete", path);
            var (folder, name) = Parent(path);
            folder.Change(entries => entries.Remove(name));
        }
    }

    public void DeleteFolder(string path)
    {
        lock (_lock)
        {
            if (Find(path) is not SimulatedFolder folder)
                return;
            foreach (var (name, node) in folder.Entries.ToArray())
            {
                if (node is SimulatedFolder)
                    DeleteFolder(Path.Combine(path, name));
                else
                    Delete(Path.Combine(path, name));
            }

            Delete(path);
        }
    }

    public void SyncFolder(string path)
    {
        lock (_lock)
        {
            Step("sync", path);
            Folder(path).Sync();
        }
    }

    public IDisposable? TryLock(string path)
    {
        lock (_lock)
        {
            if (!_locked.Add(path))
                return null;
            if (Find(path) is null)
                Create(path).Dispose();
            return new Unlocking(() => _locked.Remove(path));
        }
    }

    private void Step(string kind, string path)
    {
        Steps++;
        if (StepsToCut >= 0 && StepsToCut-- == 0)
            _cut = true;
        if (_cut)
            throw new PowerCutException();
        if (Full?.Invoke(kind, path) == true)
            throw new IOException($"No space left on device : '{path}'", NoSpace);
        if (Broken?.Invoke(kind, path) == true)
            throw new IOException($"Input/output error : '{path}'", 5);
    }

    private SimulatedNode? Find(string path)
    {
        SimulatedNode? node = _root;
        foreach (var name in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
            node = (node as SimulatedFolder)?.Entries.GetValueOrDefault(name);
        return node;
    }

    private SimulatedFolder Folder(string path) =>
        Find(path) as SimulatedFolder ?? throw new DirectoryNotFoundException($"'{path}' is not there");

    private (SimulatedFolder Folder, string Name) Parent(string path) => (Folder(Path.GetDirectoryName(path)!), Path.GetFileName(path));

    private sealed class Unlocking(Action action) : IDisposable
    {
        public void Dispose() => action();
    }

    private sealed class Handle(SimulatedFileSystem files, SimulatedFile file, string path) : IFile
    {
        public long Length
        {
            get
            {
                lock (files._lock)
                    return file.Content.Length;
            }
        }

        public int Read(Span<byte> bytes, long offset)
        {
            lock (files._lock)
            {
                var part = (int)Math.Clamp(file.Content.Length - offset, 0, bytes.Length);
                file.Content.AsSpan((int)Math.Min(offset, file.Content.Length), part).CopyTo(bytes);
                return part;
            }
        }

        public void Write(IReadOnlyList<ReadOnlyMemory<byte>> buffers, long offset)
        {
            lock (files._lock)
            {
                var bytes = buffers.SelectMany(b => b.ToArray()).ToArray();
                try
                {
                    files.Step("write", path);
                }
                catch (IOException)
                {
                    // What fails may have begun.
                    file.Write(bytes[..(bytes.Length / 2)], offset);
                    throw;
                }

                file.Write(bytes, offset);
            }
        }

        public void SetLength(long length)
        {
            lock (files._lock)
            {
                files.Step("resize", path);
                file.SetLength(length);
            }
        }

        public void Sync()
        {
            lock (files._lock)
            {
                files.Step("sync", path);
                file.Sync();
            }

            files.Synced?.Invoke(path);
        }

        public MappedSection? TryMap() => null;

        public void Dispose()
        {
        }
    }
}
