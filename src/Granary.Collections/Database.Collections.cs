using Granary.Collections.Catalog;

namespace Granary.Collections;

public sealed partial class Database
{
    /// <inheritdoc/>
    public async ValueTask CreateCollectionAsync(string name, CollectionConfig config, CancellationToken cancellation = default)
    {
        _catalog.CheckNew(name);
        ConfigRules.Check(config);
        foreach (var rule in config.Embeddings)
            _embedder.Check(rule.Model);
        await _changing.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            _catalog.CheckNew(name);
            var document = new CollectionDocument(
                CollectionDocument.CurrentFormat, Guid.NewGuid(), config, config.Schema, PlacementTable.Even(config.Partitions).Ranges);
            // Storage first: an incarnation that no catalog entry names is dropped at the next opening.
            var collection = await OpenAsync(name, document, cancellation).ConfigureAwait(false);
            try
            {
                await _catalog.CreateAsync(name, document, cancellation).ConfigureAwait(false);
            }
            catch
            {
                await collection.DisposeAsync().ConfigureAwait(false);
                await _storage.DropCollectionAsync(document.Incarnation, CancellationToken.None).ConfigureAwait(false);
                throw;
            }

            _collections[name] = collection;
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <inheritdoc/>
    public async ValueTask UpdateCollectionAsync(
        string name, Func<CollectionConfig, CollectionConfig> change, CancellationToken cancellation = default)
    {
        var collection = Find(name) ?? throw Errors.CollectionNotFound(name);
        await collection.UpdateAsync(change, cancellation).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<bool> DeleteCollectionAsync(string name, CancellationToken cancellation = default)
    {
        await _changing.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            // The catalog first: once it forgot the collection, a crash leaves only an orphan.
            if (await _catalog.DeleteAsync(name, cancellation).ConfigureAwait(false) is not { } document)
                return false;
            if (_collections.TryRemove(name, out var collection))
                await collection.DisposeAsync().ConfigureAwait(false);
            await _storage.DropCollectionAsync(document.Incarnation, CancellationToken.None).ConfigureAwait(false);
            return true;
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<AliasInfo>> ListAliasesAsync(string? collection = null, CancellationToken cancellation = default)
    {
        if (collection is null)
            return ValueTask.FromResult(_catalog.Aliases);
        var name = _catalog.Resolve(collection) ?? throw Errors.CollectionNotFound(collection);
        return ValueTask.FromResult<IReadOnlyList<AliasInfo>>([.. _catalog.Aliases.Where(a => a.Collection == name)]);
    }

    /// <inheritdoc/>
    public ValueTask UpdateAliasesAsync(IReadOnlyList<AliasAction> actions, CancellationToken cancellation = default) =>
        _catalog.UpdateAliasesAsync(actions, cancellation);
}
