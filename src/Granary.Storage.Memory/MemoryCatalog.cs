using Granary.Collections.Ports;

namespace Granary.Storage.Memory;

/// <summary>The catalog in memory.</summary>
internal sealed class MemoryCatalog(MemoryContents contents, Func<bool> disposed) : ICatalogStore
{
    public ValueTask<IReadOnlyList<CatalogEntry>> ListAsync(string prefix, CancellationToken cancellation)
    {
        Check(cancellation);
        lock (contents.Documents)
            return new([.. contents.Documents.Values.Where(e => e.Key.StartsWith(prefix, StringComparison.Ordinal))]);
    }

    public ValueTask<CatalogEntry?> GetAsync(string key, CancellationToken cancellation)
    {
        Check(cancellation);
        lock (contents.Documents)
            return new(contents.Documents.GetValueOrDefault(key));
    }

    public ValueTask<bool> TryCommitAsync(IReadOnlyList<CatalogChange> changes, CancellationToken cancellation)
    {
        Check(cancellation);
        StorageRules.CheckChanges(changes);
        lock (contents.Documents)
        {
            if (changes.Any(c => (contents.Documents.GetValueOrDefault(c.Key)?.Version ?? 0) != c.ExpectedVersion))
                return new(false);
            foreach (var change in changes)
            {
                if (change.Value is { } value)
                    contents.Documents[change.Key] = new CatalogEntry(change.Key, change.ExpectedVersion + 1, value.ToArray());
                else
                    contents.Documents.Remove(change.Key);
            }
        }

        return new(true);
    }

    private void Check(CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        ObjectDisposedException.ThrowIf(disposed(), typeof(MemoryStorage));
    }
}
