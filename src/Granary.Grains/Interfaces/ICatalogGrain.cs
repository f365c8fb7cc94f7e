namespace Granary.Grains.Interfaces;

/// <summary>
/// Changes the catalog, one change at a time over the whole cluster, and tells every silo. Key 0. Documents are the catalog's JSON.
/// </summary>
[Alias("granary.ICatalogGrain")]
public interface ICatalogGrain : IGrainWithIntegerKey
{
    /// <summary>Creates a collection.</summary>
    [Alias("Create")]
    Task<Reply<bool>> CreateAsync(string name, Bytes config);

    /// <summary>Replaces a collection's settings; refused when they are not <paramref name="expected"/> any more.</summary>
    [Alias("Update")]
    Task<Reply<bool>> UpdateAsync(string name, Bytes expected, Bytes config);

    /// <summary>Deletes a collection; answers whether there was one.</summary>
    [Alias("Delete")]
    Task<Reply<bool>> DeleteAsync(string name);

    /// <summary>Changes aliases, all or none.</summary>
    [Alias("Aliases")]
    Task<Reply<bool>> ChangeAliasesAsync(IReadOnlyList<AliasChange> changes);

    /// <summary>Adds or replaces a payload index.</summary>
    [Alias("CreateIndex")]
    Task<Reply<UpdateReply>> CreateIndexAsync(string name, Bytes index, bool wait, TimeSpan? limit);

    /// <summary>Removes a payload index.</summary>
    [Alias("DeleteIndex")]
    Task<Reply<UpdateReply>> DeleteIndexAsync(string name, string path, bool wait, TimeSpan? limit);

    /// <summary>Brings partitions in line with the catalog, and drops what no collection owns, after a crash in between.</summary>
    [Alias("Reconcile")]
    Task ReconcileAsync();
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
