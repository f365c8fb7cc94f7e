using Granary.Collections.Catalog;
using Granary.Index;

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
        string name, Func<CollectionConfig, CollectionConfig> change, CancellationToken cancellation = default) =>
        await Known(name).UpdateAsync(change, cancellation).ConfigureAwait(false);

    /// <summary>As updating does, but what the partitions must do for it is logged only, and not waited for.</summary>
    public ValueTask<LoggedChange> LogUpdateAsync(
        string name, Func<CollectionConfig, CollectionConfig> change, CancellationToken cancellation = default) =>
        Known(name).LogUpdateAsync(change, cancellation);

    /// <summary>Adds or replaces a payload index of a collection; it is logged and not waited for.</summary>
    public ValueTask<LoggedChange> LogPayloadIndexAsync(
        string name, PayloadIndexSchema index, CancellationToken cancellation = default) => Known(name).LogIndexAsync(index, cancellation);

    /// <summary>Removes a payload index of a collection; it is logged and not waited for.</summary>
    public ValueTask<LoggedChange> LogPayloadIndexRemovalAsync(string name, string path, CancellationToken cancellation = default) =>
        Known(name).LogIndexRemovalAsync(path, cancellation);

    /// <summary>Waits for a change of a collection that was logged, perhaps by another process, and answers.</summary>
    public ValueTask<UpdateResult> AnswerAsync(
        string name, LoggedChange change, WriteOptions options, CancellationToken cancellation = default) =>
        Known(name).AnswerAsync(change, options, cancellation);

    private IHostedCollection Known(string name) => Find(name) ?? throw Errors.CollectionNotFound(name);

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
