using System.Collections.Immutable;
using System.Text;
using Granary.Collections.Ports;
using Granary.Index;

namespace Granary.Collections.Catalog;

/// <summary>
/// Collections and aliases in the catalog, by conditional commits: a change is there whole or not at all, and two changers never
/// overwrite each other.
/// </summary>
/// <param name="store">Where the documents are.</param>
public sealed class CollectionCatalog(ICatalogStore store) : IDisposable
{
    private const string CollectionPrefix = "collection/";
    private const string AliasPrefix = "alias/";
    private ImmutableDictionary<string, (CollectionDocument Document, long Version)> _collections =
        ImmutableDictionary.Create<string, (CollectionDocument, long)>(StringComparer.Ordinal);

    private ImmutableDictionary<string, (AliasDocument Document, long Version)> _aliases =
        ImmutableDictionary.Create<string, (AliasDocument, long)>(StringComparer.Ordinal);

    private readonly SemaphoreSlim _changing = new(1, 1);

    /// <summary>Names of all collections, sorted.</summary>
    public IReadOnlyList<string> Names => [.. _collections.Keys.Order(StringComparer.Ordinal)];

    /// <summary>All aliases, sorted.</summary>
    public IReadOnlyList<AliasInfo> Aliases =>
        [.. _aliases.Select(a => new AliasInfo(a.Key, a.Value.Document.Collection)).OrderBy(a => a.Alias, StringComparer.Ordinal)];

    /// <summary>Every collection's document, by name.</summary>
    public IReadOnlyList<(string Name, CollectionDocument Document)> Documents =>
        [.. _collections.OrderBy(c => c.Key, StringComparer.Ordinal).Select(c => (c.Key, c.Value.Document))];

    /// <summary>
    /// Reads everything as the store has it now; a document whose version is the one known stays the same object. Tells whether anything
    /// was changed by others.
    /// </summary>
    public async ValueTask<bool> LoadAsync(CancellationToken cancellation)
    {
        await _changing.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            var collections = _collections.Clear().ToBuilder();
            foreach (var entry in await store.ListAsync(CollectionPrefix, cancellation).ConfigureAwait(false))
            {
                var name = entry.Key[CollectionPrefix.Length..];
                collections[name] = Read(name, entry);
            }

            var aliases = _aliases.Clear().ToBuilder();
            foreach (var entry in await store.ListAsync(AliasPrefix, cancellation).ConfigureAwait(false))
                aliases[entry.Key[AliasPrefix.Length..]] = (CatalogJson.ReadAlias(entry.Key, entry.Value), entry.Version);
            var same = collections.Count == _collections.Count && aliases.Count == _aliases.Count
                && collections.All(c => _collections.TryGetValue(c.Key, out var k) && ReferenceEquals(k.Document, c.Value.Document))
                && aliases.All(a => _aliases.TryGetValue(a.Key, out var k) && k == a.Value);
            if (!same)
                (_collections, _aliases) = (collections.ToImmutable(), aliases.ToImmutable());
            return !same;
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>Reads one collection's document as the store has it now; null: there is none.</summary>
    public async ValueTask<CollectionDocument?> LoadAsync(string name, CancellationToken cancellation)
    {
        await _changing.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (await store.GetAsync(CollectionPrefix + name, cancellation).ConfigureAwait(false) is not { } entry)
                return null;
            var read = Read(name, entry);
            _collections = _collections.SetItem(name, read);
            return read.Document;
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>A collection's document, or null.</summary>
    public CollectionDocument? Find(string name) => _collections.TryGetValue(name, out var found) ? found.Document : null;

    /// <summary>The collection a name or an alias stands for, or null.</summary>
    public string? Resolve(string name)
    {
        if (_collections.ContainsKey(name))
            return name;
        return _aliases.TryGetValue(name, out var alias) ? alias.Document.Collection : null;
    }

    /// <summary>Throws when a collection of that name cannot be created.</summary>
    /// <exception cref="GranaryException">The name is not allowed or taken.</exception>
    public void CheckNew(string name)
    {
        CollectionName.Validate(name);
        if (_collections.ContainsKey(name))
            throw Errors.CollectionExists(name);
        if (_aliases.ContainsKey(name))
            throw GranaryException.BadInput($"Can't create collection with name {name}. Alias with the same name already exists");
    }

    /// <summary>Records a new collection.</summary>
    public async ValueTask CreateAsync(string name, CollectionDocument document, CancellationToken cancellation)
    {
        await _changing.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            CheckNew(name);
            if (!await store.TryCommitAsync([new CatalogChange(CollectionPrefix + name, 0, CatalogJson.Write(document))], cancellation)
                .ConfigureAwait(false))
                throw Errors.CollectionExists(name);
            _collections = _collections.SetItem(name, (document, 1));
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>Replaces a collection's settings.</summary>
    public async ValueTask<CollectionDocument> UpdateAsync(
        string name, Func<CollectionConfig, CollectionConfig> change, CancellationToken cancellation) =>
        await ReplaceAsync(name, document => document with { Config = change(document.Config) }, cancellation).ConfigureAwait(false)
            ?? throw Errors.CollectionNotFound(name);

    /// <summary>Records a collection's size class; false: there is no such incarnation by now.</summary>
    public async ValueTask<bool> ClassifyAsync(string name, Guid incarnation, int sizeClass, CancellationToken cancellation) =>
        await ReplaceAsync(
            name, document => document.Incarnation == incarnation ? document with { SizeClass = sizeClass } : null, cancellation)
            .ConfigureAwait(false) is not null;

    /// <summary>Forgets a collection and its aliases. Returns what was forgotten, or null.</summary>
    public async ValueTask<CollectionDocument?> DeleteAsync(string name, CancellationToken cancellation)
    {
        await _changing.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (!_collections.TryGetValue(name, out var now))
                return null;
            var aliases = _aliases.Where(a => a.Value.Document.Collection == name).ToList();
            var changes = new List<CatalogChange> { new(CollectionPrefix + name, now.Version, null) };
            changes.AddRange(aliases.Select(a => new CatalogChange(AliasPrefix + a.Key, a.Value.Version, null)));
            if (!await store.TryCommitAsync(changes, cancellation).ConfigureAwait(false))
                throw Stale(name);
            _aliases = _aliases.RemoveRange(aliases.Select(a => a.Key));
            _collections = _collections.Remove(name);
            return now.Document;
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>Changes aliases in the order given, all or none.</summary>
    /// <exception cref="GranaryException">A collection or an alias does not exist, or a name is a collection's.</exception>
    public async ValueTask UpdateAliasesAsync(IReadOnlyList<AliasAction> actions, CancellationToken cancellation)
    {
        await _changing.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            var after = _aliases.ToDictionary(a => a.Key, a => a.Value.Document.Collection, StringComparer.Ordinal);
            foreach (var action in actions)
                Apply(action, after);
            var changes = new List<CatalogChange>();
            foreach (var (alias, now) in _aliases)
            {
                if (!after.TryGetValue(alias, out var collection))
                    changes.Add(new CatalogChange(AliasPrefix + alias, now.Version, null));
                else if (collection != now.Document.Collection)
                    changes.Add(new CatalogChange(AliasPrefix + alias, now.Version, CatalogJson.Write(new AliasDocument(collection))));
            }

            changes.AddRange(after.Where(a => !_aliases.ContainsKey(a.Key))
                .Select(a => new CatalogChange(AliasPrefix + a.Key, 0, CatalogJson.Write(new AliasDocument(a.Value)))));
            if (changes.Count == 0)
                return;
            if (!await store.TryCommitAsync(changes, cancellation).ConfigureAwait(false))
                throw Stale("aliases");
            var published = _aliases.ToBuilder();
            foreach (var change in changes)
            {
                var alias = change.Key[AliasPrefix.Length..];
                if (change.Value is null)
                    published.Remove(alias);
                else
                    published[alias] = (new AliasDocument(after[alias]), change.ExpectedVersion + 1);
            }

            // One assignment: no reader sees half of the change.
            _aliases = published.ToImmutable();
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _changing.Dispose();

    /// <summary>Null: there is no such collection, or it is left as it is.</summary>
    private async ValueTask<CollectionDocument?> ReplaceAsync(
        string name, Func<CollectionDocument, CollectionDocument?> change, CancellationToken cancellation)
    {
        await _changing.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (!_collections.TryGetValue(name, out var now) || change(now.Document) is not { } document)
                return null;
            if (!await store.TryCommitAsync(
                [new CatalogChange(CollectionPrefix + name, now.Version, CatalogJson.Write(document))], cancellation).ConfigureAwait(false))
                throw Stale(name);
            _collections = _collections.SetItem(name, (document, now.Version + 1));
            return document;
        }
        finally
        {
            _changing.Release();
        }
    }

    private (CollectionDocument Document, long Version) Read(string name, CatalogEntry entry)
    {
        if (!_collections.TryGetValue(name, out var known))
            return (CatalogJson.ReadCollection(entry.Key, entry.Value), entry.Version);
        if (known.Version == entry.Version && IsSame(known.Document, entry))
            return known;
        var document = CatalogJson.ReadCollection(entry.Key, entry.Value);
        // Settings that were not changed stay the same object: nobody has to follow them.
        if (document.Incarnation == known.Document.Incarnation
            && CatalogJson.Write(document.Config).AsSpan().SequenceEqual(CatalogJson.Write(known.Document.Config)))
            document = document with { Config = known.Document.Config };
        return (document, entry.Version);
    }

    private void Apply(AliasAction action, Dictionary<string, string> aliases)
    {
        switch (action)
        {
            case CreateAlias create:
                CollectionName.Validate(create.Alias, "alias name");
                if (!_collections.ContainsKey(create.Collection))
                    throw Errors.CollectionNotFound(create.Collection);
                if (_collections.ContainsKey(create.Alias))
                    throw Errors.CollectionExists(create.Alias);
                aliases[create.Alias] = create.Collection;
                break;
            case DeleteAlias delete:
                aliases.Remove(delete.Alias);
                break;
            case RenameAlias rename:
                CollectionName.Validate(rename.NewAlias, "alias name");
                if (!aliases.Remove(rename.OldAlias, out var collection))
                    throw GranaryException.NotFound($"Alias {rename.OldAlias} does not exists!");
                if (_collections.ContainsKey(rename.NewAlias))
                    throw Errors.CollectionExists(rename.NewAlias);
                aliases[rename.NewAlias] = collection;
                break;
            default:
                throw GranaryException.BadInput($"Unknown alias action {action.GetType().Name}");
        }
    }

    /// <summary>A collection dropped and created again begins at version 1 again: its incarnation tells.</summary>
    private static bool IsSame(CollectionDocument known, CatalogEntry entry) =>
        entry.Value.Span.IndexOf(Encoding.UTF8.GetBytes(known.Incarnation.ToString("D"))) >= 0;

    private static GranaryException Stale(string what) =>
        new(ErrorKind.Unavailable, $"The catalog was changed by another process while {what} was being changed; try again");
}
