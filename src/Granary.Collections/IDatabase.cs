using Granary.Index;
using Granary.Index.Filters;

namespace Granary.Collections;

/// <summary>
/// The whole engine as hosts, the REST API and the SDK see it. The standalone host's is <c>Database</c>; the cluster has its own.
/// Every member throws <see cref="GranaryException"/> for what the caller did wrong.
/// </summary>
public interface IDatabase
{
    /// <summary>What stores it: <c>file</c>, <c>sqlite</c>, <c>mem</c>, <c>postgres</c>.</summary>
    string StorageKind { get; }

    /// <summary>Names of all collections, sorted.</summary>
    ValueTask<IReadOnlyList<string>> ListCollectionsAsync(CancellationToken cancellation = default);

    /// <summary>Whether there is a collection (or alias) of that name.</summary>
    ValueTask<bool> CollectionExistsAsync(string name, CancellationToken cancellation = default);

    /// <summary>Creates a collection.</summary>
    ValueTask CreateCollectionAsync(string name, CollectionConfig config, CancellationToken cancellation = default);

    /// <summary>
    /// Replaces a collection's settings with what <paramref name="change"/> makes of them (vectors may be added and dropped).
    /// </summary>
    ValueTask UpdateCollectionAsync(string name, Func<CollectionConfig, CollectionConfig> change, CancellationToken cancellation = default);

    /// <summary>Deletes a collection, with its aliases. Returns whether there was one.</summary>
    ValueTask<bool> DeleteCollectionAsync(string name, CancellationToken cancellation = default);

    /// <summary>All aliases, or those of one collection.</summary>
    ValueTask<IReadOnlyList<AliasInfo>> ListAliasesAsync(string? collection = null, CancellationToken cancellation = default);

    /// <summary>Changes aliases, all or none.</summary>
    ValueTask UpdateAliasesAsync(IReadOnlyList<AliasAction> actions, CancellationToken cancellation = default);

    /// <summary>A collection by name or alias.</summary>
    /// <exception cref="GranaryException">There is none (<see cref="ErrorKind.NotFound"/>).</exception>
    ValueTask<ICollection> GetCollectionAsync(string name, CancellationToken cancellation = default);

    /// <summary>The model that computes vectors from texts: the one named, or the default one.</summary>
    /// <exception cref="GranaryException">There is none, or it does not answer.</exception>
    ValueTask<EmbedderInfo> GetEmbedderAsync(string? model = null, CancellationToken cancellation = default);
}

/// <summary>A collection.</summary>
public interface ICollection
{
    /// <summary>Its name (never an alias).</summary>
    string Name { get; }

    /// <summary>Its settings now.</summary>
    CollectionConfig Config { get; }

    /// <summary>Whether every partition can be read in this process now, without asking another.</summary>
    bool IsNear => true;

    /// <summary>
    /// Looks whether another process has changed the settings, of which the news may have been lost, and uses them: <see cref="Config"/> is
    /// another object then. Looks for a short while only, and what cannot be read is left as it is. Whoever is about to refuse what the
    /// settings do not allow does this first.
    /// </summary>
    ValueTask RefreshAsync(CancellationToken cancellation = default) => ValueTask.CompletedTask;

    /// <summary>Accepts a batch whole or refuses it whole.</summary>
    ValueTask<UpdateResult> WriteAsync(WriteBatch batch, WriteOptions options, CancellationToken cancellation = default);

    /// <summary>Adds or replaces a payload index on every partition.</summary>
    ValueTask<UpdateResult> CreatePayloadIndexAsync(
        PayloadIndexSchema index, WriteOptions options, CancellationToken cancellation = default);

    /// <summary>Removes a payload index.</summary>
    ValueTask<UpdateResult> DeletePayloadIndexAsync(string path, WriteOptions options, CancellationToken cancellation = default);

    /// <summary>Points by id, in the order asked, unknown ones left out.</summary>
    ValueTask<IReadOnlyList<PointRecord>> RetrieveAsync(
        IReadOnlyList<PointId> ids, PayloadSelector payload, VectorSelector vectors, ReadOptions? read = null,
        CancellationToken cancellation = default);

    /// <summary>A page of points.</summary>
    ValueTask<ScrollPage> ScrollAsync(ScrollRequest request, CancellationToken cancellation = default);

    /// <summary>How many points match.</summary>
    ValueTask<long> CountAsync(Filter? filter, bool exact = true, ReadOptions? read = null, CancellationToken cancellation = default);

    /// <summary>The most frequent values of an indexed field.</summary>
    ValueTask<IReadOnlyList<FacetHit>> FacetAsync(
        string key, Filter? filter, int limit, bool exact, ReadOptions? read = null, CancellationToken cancellation = default);

    /// <summary>Answers a query.</summary>
    ValueTask<IReadOnlyList<ScoredPoint>> QueryAsync(QueryRequest request, CancellationToken cancellation = default);

    /// <summary>Answers several queries.</summary>
    ValueTask<IReadOnlyList<IReadOnlyList<ScoredPoint>>> QueryBatchAsync(
        IReadOnlyList<QueryRequest> requests, CancellationToken cancellation = default);

    /// <summary>Answers a query by groups.</summary>
    ValueTask<IReadOnlyList<PointGroup>> QueryGroupsAsync(GroupRequest request, CancellationToken cancellation = default);

    /// <summary>Waits until everything accepted before now is linked. False: the time limit passed.</summary>
    ValueTask<bool> WaitAsync(TimeSpan? limit = null, CancellationToken cancellation = default);

    /// <summary>Builds every partition's index anew from checkpoint and log, or from the old index, which serves meanwhile.</summary>
    ValueTask RebuildAsync(CancellationToken cancellation = default);

    /// <summary>Takes a checkpoint of every partition now.</summary>
    ValueTask CheckpointAsync(CancellationToken cancellation = default);

    /// <summary>Its state.</summary>
    ValueTask<CollectionInfo> GetInfoAsync(CancellationToken cancellation = default);
}
