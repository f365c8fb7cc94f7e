using Granary.Collections.Ports;
using Granary.Storage.Files.Platform;

namespace Granary.Storage.Files.Catalog;

/// <summary>The catalog: held in memory, and its file replaced whole by atomic rename with every commit.</summary>
internal sealed class FileCatalog : ICatalogStore
{
    private readonly Lock _committing = new();
    private readonly IFileSystem _files;
    private readonly string _path;

    /// <summary>Never changed in place.</summary>
    private volatile SortedDictionary<string, CatalogEntry> _entries;
    private volatile bool _closed;

    public FileCatalog(IFileSystem files, string path)
    {
        (_files, _path) = (files, path);
        _entries = new(StringComparer.Ordinal);
        foreach (var entry in CatalogDocument.Parse(path, files.ReadAll(path)))
            _entries.Add(entry.Key, entry);
    }

    public ValueTask<IReadOnlyList<CatalogEntry>> ListAsync(string prefix, CancellationToken cancellation)
    {
        Check(cancellation);
        return new([.. _entries.Values.Where(e => e.Key.StartsWith(prefix, StringComparison.Ordinal))]);
    }

    public ValueTask<CatalogEntry?> GetAsync(string key, CancellationToken cancellation)
    {
        Check(cancellation);
        return new(_entries.GetValueOrDefault(key));
    }

    public ValueTask<bool> TryCommitAsync(IReadOnlyList<CatalogChange> changes, CancellationToken cancellation)
    {
        Check(cancellation);
        StorageRules.CheckChanges(changes);
        lock (_committing)
        {
            Check(cancellation);
            if (changes.Any(c => (_entries.GetValueOrDefault(c.Key)?.Version ?? 0) != c.ExpectedVersion))
                return new(false);
            var entries = new SortedDictionary<string, CatalogEntry>(_entries, StringComparer.Ordinal);
            foreach (var change in changes)
            {
                if (change.Value is { } value)
                    entries[change.Key] = new CatalogEntry(change.Key, change.ExpectedVersion + 1, value.ToArray());
                else
                    entries.Remove(change.Key);
            }

            try
            {
                _files.Replace(_path, CatalogDocument.ToBytes(entries.Values));
                _entries = entries;
            }
            catch (Exception e) when (FileErrors.IsIo(e))
            {
                throw FileErrors.From("committing to the catalog", _path, e);
            }
        }

        return new(true);
    }

    /// <summary>Waits for a commit under way and allows no more.</summary>
    public void Close()
    {
        lock (_committing)
            _closed = true;
    }

    private void Check(CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        ObjectDisposedException.ThrowIf(_closed, typeof(FileStorage));
    }
}
