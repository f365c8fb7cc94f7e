using Granary.Collections.Catalog;

namespace Granary.Collections;

/// <summary>What a process does that shares its catalog with others.</summary>
public sealed partial class Database
{
    /// <summary>Every collection's document as the catalog was last read.</summary>
    public IReadOnlyList<(string Name, CollectionDocument Document)> Documents => _catalog.Documents;

    /// <summary>What the catalog holds of a collection, as it was last read; null: there is none.</summary>
    public CollectionDocument? DocumentOf(string name) => _catalog.Find(name);

    /// <summary>Looks at the catalog: opens what others created, closes what they dropped, uses the settings they changed.</summary>
    /// <returns>Whether others changed anything.</returns>
    public async ValueTask<bool> RefreshAsync(CancellationToken cancellation)
    {
        await _changing.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            var changed = await _catalog.LoadAsync(cancellation).ConfigureAwait(false);
            foreach (var (name, collection) in _collections)
            {
                if (_catalog.Find(name)?.Incarnation == collection.Incarnation)
                    continue;
                changed = true;
                _collections.TryRemove(name, out _);
                await collection.DisposeAsync().ConfigureAwait(false);
            }

            foreach (var (name, document) in _catalog.Documents)
            {
                if (_collections.TryGetValue(name, out var collection))
                {
                    await collection.FollowAsync(document.Config, cancellation).ConfigureAwait(false);
                    continue;
                }

                changed = true;
                _collections[name] = await OpenOrExplainAsync(name, document, cancellation).ConfigureAwait(false);
            }

            return changed;
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>
    /// Brings partitions in line with the catalog where a crash came between. In a cluster one process at a time does so, the one that
    /// makes changes. False: not all partitions could be reached.
    /// </summary>
    public async ValueTask<bool> ReconcileAsync(CancellationToken cancellation)
    {
        var all = true;
        foreach (var collection in _collections.Values)
            all &= await collection.ReconcileAsync().WaitAsync(cancellation).ConfigureAwait(false);
        return all;
    }

    /// <summary>Brings one collection's partitions in line with the catalog; false: not all could be reached.</summary>
    public async ValueTask<bool> ReconcileAsync(string name, CancellationToken cancellation) =>
        Find(name) is not { } collection || await collection.ReconcileAsync().WaitAsync(cancellation).ConfigureAwait(false);

    /// <summary>
    /// Measures collections and records in the catalog whose size class is another now. In a cluster one process at a time does so: silos
    /// that each went by their own measurements would place replicas differently.
    /// </summary>
    /// <returns>The names of those whose class changed.</returns>
    public async ValueTask<IReadOnlyList<string>> MeasureAsync(CancellationToken cancellation)
    {
        var sizes = await _storage.MeasureAsync(cancellation).ConfigureAwait(false);
        await _catalog.LoadAsync(cancellation).ConfigureAwait(false);
        var changed = new List<string>();
        foreach (var (name, incarnation, sizeClass) in SizeClass.Changes(_catalog.Documents, sizes))
        {
            if (await _catalog.ClassifyAsync(name, incarnation, sizeClass, cancellation).ConfigureAwait(false))
                changed.Add(name);
        }

        return changed;
    }

    /// <summary>Whether the catalog, read anew, has an incarnation.</summary>
    public async ValueTask<bool> HasAsync(Guid incarnation, CancellationToken cancellation)
    {
        await _catalog.LoadAsync(cancellation).ConfigureAwait(false);
        return _catalog.Documents.Any(d => d.Document.Incarnation == incarnation);
    }

    /// <summary>The incarnations that the storage has and the catalog does not.</summary>
    public async ValueTask<IReadOnlyList<Guid>> OrphansAsync(CancellationToken cancellation)
    {
        // The storage first: what is created meanwhile is in the catalog by the time that is read.
        var stored = await _storage.ListIncarnationsAsync(cancellation).ConfigureAwait(false);
        await _catalog.LoadAsync(cancellation).ConfigureAwait(false);
        var known = _catalog.Documents.Select(d => d.Document.Incarnation).ToHashSet();
        return [.. stored.Where(i => !known.Contains(i))];
    }

    /// <summary>Drops what storage has of an incarnation, unless the catalog knows it by now; tells whether it did.</summary>
    public async ValueTask<bool> DropOrphanAsync(Guid incarnation, CancellationToken cancellation)
    {
        await _catalog.LoadAsync(cancellation).ConfigureAwait(false);
        if (_catalog.Documents.Any(d => d.Document.Incarnation == incarnation))
            return false;
        await _storage.DropCollectionAsync(incarnation, cancellation).ConfigureAwait(false);
        return true;
    }
}
