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

    /// <summary>Replaces settings; null, and nothing changes, when they are not <paramref name="expected"/> any more.</summary>
    [ResponseTimeout("01:00:00"), Alias("LogUpdate")]
    Task<Reply<LoggedReply?>> UpdateAsync(string name, Bytes expected, Bytes config);

    /// <summary>Deletes a collection; answers whether there was one.</summary>
    [ResponseTimeout("01:00:00"), Alias("Delete")]
    Task<Reply<bool>> DeleteAsync(string name);

    /// <summary>Changes aliases, all or none.</summary>
    [Alias("Aliases")]
    Task<Reply<bool>> ChangeAliasesAsync(IReadOnlyList<AliasChange> changes);

    /// <summary>Adds or replaces a payload index. Whoever wants to waits for it to be built; the grain goes on.</summary>
    [ResponseTimeout("01:00:00"), Alias("LogIndex")]
    Task<Reply<LoggedReply>> CreateIndexAsync(string name, Bytes index);

    /// <summary>Removes a payload index.</summary>
    [ResponseTimeout("01:00:00"), Alias("LogIndexRemoval")]
    Task<Reply<LoggedReply>> DeleteIndexAsync(string name, string path);

    /// <summary>Activates the grain; completes once it has brought partitions in line with the catalog, after a crash in between.</summary>
    [AlwaysInterleave, Alias("Wake")]
    Task WakeAsync();

    /// <summary>Drops what no collection owns and none owned a minute ago; answers with what was dropped.</summary>
    [AlwaysInterleave, Alias("Sweep")]
    Task<IReadOnlyList<Guid>> SweepAsync();

    /// <summary>
    /// Measures collections, which happens from time to time without being asked for, too; answers with the names of those whose size class
    /// changed.
    /// </summary>
    [AlwaysInterleave, Alias("Measure")]
    Task<IReadOnlyList<string>> MeasureAsync();
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

/// <summary>A change that is in the catalog and in the partitions' logs.</summary>
/// <param name="Incarnation">Names the collection's data.</param>
/// <param name="Lasts">For each partition the last operation of the change; empty where partitions need not do anything.</param>
/// <param name="Count">How many operations it has in each partition.</param>
[GenerateSerializer, Immutable, Alias("granary.logged-reply")]
public sealed record LoggedReply([property: Id(0)] Guid Incarnation, [property: Id(1)] long[] Lasts, [property: Id(2)] int Count);
