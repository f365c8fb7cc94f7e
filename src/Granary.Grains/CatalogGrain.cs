using Granary.Collections;
using Granary.Collections.Catalog;
using Granary.Grains.Hosting;
using Granary.Grains.Interfaces;
using Granary.Index;
using Microsoft.Extensions.Logging;

namespace Granary.Grains;

/// <summary>
/// Makes every change of the catalog and of schemas, one after the other: its turn is what orders them. Should there be two activations,
/// the catalog's conditional writes keep them apart.
/// </summary>
[CollectionAgeLimit(AlwaysActive = true)]
internal sealed partial class CatalogGrain(
    SiloEngine engine, [PersistentState("catalog")] IPersistentState<CatalogState> state,
    ILogger<CatalogGrain> logger) : Grain, ICatalogGrain, IRemindable
{
    /// <summary>Collections of which a change of this grain's may not have reached all partitions.</summary>
    private readonly HashSet<string> _unfinished = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public Task<Reply<bool>> CreateAsync(string name, Bytes config) => ChangeAsync(async database =>
    {
        await database.CreateCollectionAsync(name, CatalogJson.ReadConfig(config.Memory));
        return true;
    });

    /// <inheritdoc/>
    public Task<Reply<LoggedReply?>> UpdateAsync(string name, Bytes expected, Bytes config) => ChangeSchemaAsync(name, async database =>
    {
        if (database.DocumentOf(name) is { } known && !IsExpected(known.Config))
            return null;

        // What a change before it has left undone would look done to this one, which compares with the catalog.
        if ((_unfinished.Contains(name) || !_reconciled.Task.IsCompleted) && !await database.ReconcileAsync(name, default))
        {
            throw new GranaryException(
                ErrorKind.Unavailable, $"An earlier change of collection `{name}` has not reached all of its partitions yet; try again");
        }

        _unfinished.Remove(name);
        var same = false;
        var logged = await database.LogUpdateAsync(name, now =>
        {
            same = IsExpected(now);
            return same ? CatalogJson.ReadConfig(config.Memory) : now;
        });
        return same ? ReplyOf(logged) : null;

        // The same settings may be written otherwise by another process, in which members have another order.
        bool IsExpected(CollectionConfig now) => Written(CatalogJson.Write(now)).AsSpan().SequenceEqual(Written(expected.Memory));

        static byte[] Written(ReadOnlyMemory<byte> settings) => CatalogJson.Write(CatalogJson.ReadConfig(settings));
    });

    /// <inheritdoc/>
    public Task<Reply<bool>> DeleteAsync(string name) => ChangeAsync(database => database.DeleteCollectionAsync(name));

    /// <inheritdoc/>
    public Task<Reply<bool>> ChangeAliasesAsync(IReadOnlyList<AliasChange> changes) => ChangeAsync(async database =>
    {
        await database.UpdateAliasesAsync([.. changes.Select(AliasChanges.Read)]);
        return true;
    });

    /// <inheritdoc/>
    public Task<Reply<LoggedReply>> CreateIndexAsync(string name, Bytes index) => ChangeSchemaAsync(
        name, async database => ReplyOf(await database.LogPayloadIndexAsync(name, CatalogJson.ReadPayloadIndex(index.Memory))));

    /// <inheritdoc/>
    public Task<Reply<LoggedReply>> DeleteIndexAsync(string name, string path) => ChangeSchemaAsync(
        name, async database => ReplyOf(await database.LogPayloadIndexRemovalAsync(name, path)));

    private static LoggedReply ReplyOf(LoggedChange change) => new(change.Incarnation, [.. change.Lasts], change.Count);

    /// <summary>Makes a change and tells of it; null: there was none.</summary>
    private Task<Reply<T>> ChangeAsync<T>(Func<Database, ValueTask<T>> change) => Reply.OfAsync(async () =>
    {
        var database = await engine.DatabaseAsync(default);
        // What another activation of this grain, or an earlier life of it, changed.
        await engine.RefreshAsync(default);
        var changed = await change(database);
        if (changed is null)
            return changed;
        await engine.RefreshAsync(default);
        await engine.TellAsync();
        return changed;
    });

    /// <summary>A change of a collection's schema, which may fail when it is in the catalog and in some partitions only.</summary>
    private Task<Reply<T>> ChangeSchemaAsync<T>(string name, Func<Database, ValueTask<T>> change) => ChangeAsync(async database =>
    {
        try
        {
            return await change(database);
        }
        catch (Exception e) when (e is not GranaryException { Kind: < ErrorKind.Timeout })
        {
            _unfinished.Add(name);
            throw;
        }
    });
}
