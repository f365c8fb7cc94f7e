using Granary.Collections;
using Granary.Collections.Catalog;
using Granary.Grains.Interfaces;
using Granary.Index;

namespace Granary.Grains.Hosting;

/// <summary>
/// The engine as a silo's REST API sees it: reads go through the query grain of this silo, changes of the catalog and of schemas through
/// the
/// catalog grain, writes to the partitions' collection grains.
/// </summary>
/// <param name="engine">The silo's engine.</param>
/// <param name="grains">Makes grain references.</param>
internal sealed class ClusterDatabase(SiloEngine engine, IGrainFactory grains) : IDatabase
{
    private const int UpdateAttempts = 10;

    private ICatalogGrain Catalog => grains.GetGrain<ICatalogGrain>(0);

    /// <inheritdoc/>
    public string StorageKind => engine.StorageKind;

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<string>> ListCollectionsAsync(CancellationToken cancellation = default) =>
        await (await engine.DatabaseAsync(cancellation).ConfigureAwait(false)).ListCollectionsAsync(cancellation).ConfigureAwait(false);

    /// <inheritdoc/>
    public async ValueTask<bool> CollectionExistsAsync(string name, CancellationToken cancellation = default) =>
        await engine.TryCollectionAsync(name, cancellation).ConfigureAwait(false) is not null;

    /// <inheritdoc/>
    public async ValueTask CreateCollectionAsync(string name, CollectionConfig config, CancellationToken cancellation = default)
    {
        await CallAsync(() => Catalog.CreateAsync(name, new Bytes(CatalogJson.Write(config)))).ConfigureAwait(false);
        await engine.RefreshAsync(cancellation).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask UpdateCollectionAsync(
        string name, Func<CollectionConfig, CollectionConfig> change, CancellationToken cancellation = default)
    {
        for (var left = UpdateAttempts; ; left--)
        {
            await engine.RefreshAsync(cancellation).ConfigureAwait(false);
            var collection = await engine.CollectionAsync(name, cancellation).ConfigureAwait(false);
            // What the catalog has, which the grain compares with: this silo may not use it yet.
            var database = await engine.DatabaseAsync(cancellation).ConfigureAwait(false);
            var now = database.DocumentOf(collection.Name)?.Config ?? collection.Config;
            if (await CallAsync(() => Catalog.UpdateAsync(
                collection.Name, new Bytes(CatalogJson.Write(now)), new Bytes(CatalogJson.Write(change(now))))).ConfigureAwait(false)
                is { } logged)
            {
                await engine.RefreshAsync(cancellation).ConfigureAwait(false);
                await engine.AnswerAsync(collection.Name, logged, new WriteOptions { Wait = true }, cancellation).ConfigureAwait(false);
                if (logged.Lasts.Length > 0)
                {
                    // By now the partitions have the fields; when silos looked before, they may not have had them yet.
                    await engine.RefreshAsync(cancellation).ConfigureAwait(false);
                    await engine.TellAsync().ConfigureAwait(false);
                }

                return;
            }

            if (left == 0)
            {
                throw new GranaryException(
                    ErrorKind.Unavailable, $"The settings of collection `{name}` are changed all the time by somebody else; try again");
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask<bool> DeleteCollectionAsync(string name, CancellationToken cancellation = default)
    {
        var deleted = await CallAsync(() => Catalog.DeleteAsync(name)).ConfigureAwait(false);
        await engine.RefreshAsync(cancellation).ConfigureAwait(false);
        return deleted;
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<AliasInfo>> ListAliasesAsync(
        string? collection = null, CancellationToken cancellation = default) =>
        await (await engine.DatabaseAsync(cancellation).ConfigureAwait(false)).ListAliasesAsync(collection, cancellation)
            .ConfigureAwait(false);

    /// <inheritdoc/>
    public async ValueTask UpdateAliasesAsync(IReadOnlyList<AliasAction> actions, CancellationToken cancellation = default)
    {
        await CallAsync(() => Catalog.ChangeAliasesAsync([.. actions.Select(AliasChanges.Write)])).ConfigureAwait(false);
        await engine.RefreshAsync(cancellation).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<ICollection> GetCollectionAsync(string name, CancellationToken cancellation = default) =>
        new ClusterCollection(await engine.CollectionAsync(name, cancellation).ConfigureAwait(false), engine, grains);

    /// <inheritdoc/>
    public async ValueTask<EmbedderInfo> GetEmbedderAsync(string? model = null, CancellationToken cancellation = default) =>
        await (await engine.DatabaseAsync(cancellation).ConfigureAwait(false)).GetEmbedderAsync(model, cancellation).ConfigureAwait(false);

    private static ValueTask<T> CallAsync<T>(Func<Task<Reply<T>>> call) => Calls.Faults.CallAsync("The catalog", call);
}
