using System.Collections.Concurrent;
using System.Globalization;
using Granary.Collections.Ports;
using Granary.Index;
using Granary.Storage.Files.Catalog;
using Granary.Storage.Files.Checkpoints;
using Granary.Storage.Files.Log;
using Granary.Storage.Files.Platform;

namespace Granary.Storage.Files;

/// <summary>
/// Storage in one folder, used by one process at a time; docs/formats.md describes every byte. Writes are made on the caller's
/// thread: an append with <see cref="Durability.Disk"/> holds it for one sync of the disk.
/// </summary>
public sealed class FileStorage : IStorage
{
    private const string DroppedPrefix = "dropped-";
    private readonly IFileSystem _files;
    private readonly string _folder;
    private readonly FileStorageOptions _options;
    private readonly FolderLock _lock;
    private readonly FileCatalog _catalog;
    private readonly SyncWorker _worker;
    private readonly ConcurrentDictionary<PartitionKey, PartitionSlot> _slots = new();
    private volatile bool _disposed;

    private FileStorage(IFileSystem files, string folder, FileStorageOptions options, FolderLock held, FileCatalog catalog, string? note)
    {
        (_files, _folder, _options, _lock, _catalog, RecoveryNote) = (files, folder, options, held, catalog, note);
        _worker = new SyncWorker(options.Time, options.SyncDelay);
    }

    /// <inheritdoc/>
    public string Kind => "file";

    /// <inheritdoc/>
    public ICatalogStore Catalog => _catalog;

    /// <summary>What opening had to mend, for the server's log; null when nothing.</summary>
    public string? RecoveryNote { get; }

    private string Data => Path.Combine(_folder, FolderFormat.DataFolder);

    /// <summary>Opens a folder, or makes it.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="options">How to write; the defaults if null.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="GranaryException">The folder is in use, read-only, of a newer version, not Granary's, or damaged.</exception>
    public static ValueTask<FileStorage> OpenAsync(
        string path, FileStorageOptions? options = null, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        return new(Open(new DiskFileSystem(), Path.GetFullPath(path), options ?? new FileStorageOptions()));
    }

    /// <inheritdoc/>
    public ValueTask<IPartitionLog> OpenLogAsync(PartitionKey partition, CancellationToken cancellation)
    {
        Check(cancellation);
        var slot = _slots.GetOrAdd(partition, _ => new PartitionSlot());
        lock (slot)
        {
            Check(cancellation);
            slot.Log?.Fence();
            try
            {
                slot.Log = new FileLog(_files, Path.Combine(Folder(partition), "log"), partition, _options, _worker);
                return new(slot.Log);
            }
            catch (Exception e) when (FileErrors.IsIo(e))
            {
                throw FileErrors.From("opening a log", Folder(partition), e);
            }
        }
    }

    /// <inheritdoc/>
    public ValueTask<ILogReader> OpenLogReaderAsync(PartitionKey partition, CancellationToken cancellation)
    {
        Check(cancellation);
        return new(new FileLogReader(partition, () => LogToRead(partition)));
    }

    /// <inheritdoc/>
    public ValueTask<ICheckpointStore> OpenCheckpointsAsync(PartitionKey partition, CancellationToken cancellation)
    {
        Check(cancellation);
        var folder = Path.Combine(Folder(partition), "checkpoints");
        try
        {
            _files.CreateFolders(folder);
        }
        catch (Exception e) when (FileErrors.IsIo(e))
        {
            throw FileErrors.From("opening checkpoints", folder, e);
        }

        return new(new FileCheckpointStore(_files, folder, _options.Time, () => _slots.GetValueOrDefault(partition)?.Log?.Sync()));
    }

    /// <inheritdoc/>
    public ValueTask DropCollectionAsync(Guid incarnation, CancellationToken cancellation)
    {
        Check(cancellation);
        foreach (var (key, slot) in _slots)
        {
            if (key.Incarnation != incarnation)
                continue;
            lock (slot)
                slot.Log?.Fence();
        }

        var folder = Path.Combine(Data, incarnation.ToString("N"));
        if (!_files.Exists(folder))
            return default;
        try
        {
            // First the name, durably: a collection is there or not, never in part.
            var dropped = Path.Combine(Data, DroppedPrefix + incarnation.ToString("N"));
            _files.DeleteFolder(dropped);
            _files.Rename(folder, dropped);
            _files.SyncFolder(Data);
            _files.DeleteFolder(dropped);
        }
        catch (Exception e) when (FileErrors.IsIo(e))
        {
            throw FileErrors.From("dropping a collection", folder, e);
        }

        return default;
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<Guid>> ListIncarnationsAsync(CancellationToken cancellation)
    {
        Check(cancellation);
        return new([.. _files.List(Data).Where(e => !e.Name.StartsWith(DroppedPrefix, StringComparison.Ordinal))
            .Select(e => Guid.Parse(e.Name))]);
    }

    /// <summary>Syncs and closes every log, and gives the folder up.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
            return;
        _disposed = true;
        try
        {
            foreach (var slot in _slots.Values)
            {
                if (slot.Log is { } log)
                    await log.DisposeAsync().ConfigureAwait(false);
            }

            _catalog.Close();
        }
        finally
        {
            await _worker.DisposeAsync().ConfigureAwait(false);
            _lock.Leave(_files, _folder);
        }
    }

    internal static FileStorage Open(IFileSystem files, string folder, FileStorageOptions options)
    {
        options.Check();
        try
        {
            files.CreateFolders(folder);
            var held = FolderLock.Take(files, folder, out var note);
            try
            {
                new FolderFormat(files, folder).Prepare();
                RemoveLeftovers(files, Path.Combine(folder, FolderFormat.DataFolder));
                return new FileStorage(files, folder, options, held, new FileCatalog(files, Path.Combine(folder, FolderFormat.CatalogFile)),
                    note);
            }
            catch
            {
                held.Dispose();
                throw;
            }
        }
        catch (Exception e) when (FileErrors.IsIo(e))
        {
            throw FileErrors.From("opening the folder", folder, e);
        }
    }

    /// <summary>Ends as a killed process would: nothing is synced, written or tidied up.</summary>
    internal async ValueTask AbandonAsync()
    {
        _disposed = true;
        _catalog.Close();
        foreach (var slot in _slots.Values)
            slot.Log?.Abandon();
        await _worker.DisposeAsync().ConfigureAwait(false);
        _lock.Dispose();
    }

    /// <summary>Removes what a crash left half made or half deleted; refuses what is not Granary's.</summary>
    private static void RemoveLeftovers(IFileSystem files, string data)
    {
        foreach (var collection in files.List(data))
        {
            var path = Path.Combine(data, collection.Name);
            if (collection.IsFolder && collection.Name.StartsWith(DroppedPrefix, StringComparison.Ordinal))
            {
                files.DeleteFolder(path);
                continue;
            }

            if (!collection.IsFolder || !Guid.TryParseExact(collection.Name, "N", out _))
                throw FileErrors.Corrupted(path, 0, "this is not a collection's folder");
            foreach (var partition in files.List(path))
                CheckPartition(files, Path.Combine(path, partition.Name), partition);
        }
    }

    private static void CheckPartition(IFileSystem files, string path, FolderEntry partition)
    {
        if (!partition.IsFolder || !int.TryParse(partition.Name, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            throw FileErrors.Corrupted(path, 0, "this is not a partition's folder");
        foreach (var entry in files.List(path))
        {
            if (!entry.IsFolder || entry.Name is not ("log" or "checkpoints"))
                throw FileErrors.Corrupted(Path.Combine(path, entry.Name), 0, "this does not belong to a partition");
            if (entry.Name == "checkpoints")
                CheckpointFolder.RemoveLeftovers(files, Path.Combine(path, entry.Name));
        }
    }

    /// <summary>The log that the newest writer opened; one opened for reading alone while there is none; null for none at all.</summary>
    private FileLog? LogToRead(PartitionKey partition)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var slot = _slots.GetOrAdd(partition, _ => new PartitionSlot());
        if (slot.Log is { IsDisposed: false, IsFenced: false } open)
            return open;
        lock (slot)
        {
            if (slot.Log is { IsDisposed: false, IsFenced: false } opened)
                return opened;
            var folder = Path.Combine(Folder(partition), "log");
            try
            {
                // The next writer fences it, which a log that is only read does not notice.
                return _files.Exists(folder) ? slot.Log = new FileLog(_files, folder, partition, _options, _worker) : null;
            }
            catch (Exception e) when (FileErrors.IsIo(e))
            {
                throw FileErrors.From("opening a log", folder, e);
            }
        }
    }

    private string Folder(PartitionKey partition) =>
        Path.Combine(Data, partition.Incarnation.ToString("N"), partition.Number.ToString(CultureInfo.InvariantCulture));

    private void Check(CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        ObjectDisposedException.ThrowIf(_disposed, this);
    }

    /// <summary>A partition's newest log; locked while one is opened.</summary>
    private sealed class PartitionSlot
    {
        private volatile FileLog? _log;

        public FileLog? Log
        {
            get => _log;
            set => _log = value;
        }
    }
}
