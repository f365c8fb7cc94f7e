using Orleans.Concurrency;

namespace Granary.Grains.Interfaces;

/// <summary>
/// Changes the catalog, one change at a time over the whole cluster, and tells every silo. Key 0. Documents are the catalog's JSON.
/// </summary>
[Alias("granary.ICatalogGrain")]
public interface ICatalogGrain : IGrainWithIntegerKey
{
    /// <summary>Creates a collection.</summary>
    [ResponseTimeout("01:00:00"), Alias("Create")]
    Task<Reply<bool>> CreateAsync(string name, Bytes config);

    /// <summary>Replaces settings; false, and nothing changes, when they are not <paramref name="expected"/> any more.</summary>
    [ResponseTimeout("01:00:00"), Alias("Update")]
    Task<Reply<bool>> UpdateAsync(string name, Bytes expected, Bytes config);

    /// <summary>Deletes a collection; answers whether there was one.</summary>
    [ResponseTimeout("01:00:00"), Alias("Delete")]
    Task<Reply<bool>> DeleteAsync(string name);

    /// <summary>Changes aliases, all or none.</summary>
    [Alias("Aliases")]
    Task<Reply<bool>> ChangeAliasesAsync(IReadOnlyList<AliasChange> changes);

    /// <summary>Adds or replaces a payload index.</summary>
    [ResponseTimeout("01:00:00"), Alias("CreateIndex")]
    Task<Reply<UpdateReply>> CreateIndexAsync(string name, Bytes index, bool wait, TimeSpan? limit);

    /// <summary>Removes a payload index.</summary>
    [ResponseTimeout("01:00:00"), Alias("DeleteIndex")]
    Task<Reply<UpdateReply>> DeleteIndexAsync(string name, string path, bool wait, TimeSpan? limit);

    /// <summary>Activates the grain; completes once it has brought partitions in line with the catalog, after a crash in between.</summary>
    [AlwaysInterleave, Alias("Wake")]
    Task WakeAsync();

    /// <summary>Drops what no collection owns and none owned a minute ago; answers with what was dropped.</summary>
    [AlwaysInterleave, Alias("Sweep")]
    Task<IReadOnlyList<Guid>> SweepAsync();
}

/// <summary>What the catalog grain remembers between its lives.</summary>
[GenerateSerializer, Alias("granary.catalog-state")]
public sealed class CatalogState
{
    /// <summary>Incarnations that storage has and the catalog does not, and since when that was seen.</summary>
    [Id(0)]
    public Dictionary<Guid, DateTimeOffset> Orphans { get; set; } = [];
}

/// <summary>A change of aliases on the wire.</summary>
/// <param name="Kind">create, delete or rename.</param>
/// <param name="Alias">The alias (for a renaming the old one).</param>
/// <param name="Target">The collection, or the new alias.</param>
[GenerateSerializer, Immutable, Alias("granary.alias-change")]
public sealed record AliasChange([property: Id(0)] string Kind, [property: Id(1)] string Alias, [property: Id(2)] string? Target);

/// <summary>The answer of a change that was logged.</summary>
/// <param name="Operation">The last operation, or null.</param>
/// <param name="Status">Acknowledged, completed or timed out.</param>
[GenerateSerializer, Immutable, Alias("granary.update-reply")]
public sealed record UpdateReply([property: Id(0)] long? Operation, [property: Id(1)] byte Status);
