using Granary.Collections;
using Granary.Collections.Catalog;
using Granary.Grains.Calls;
using Granary.Grains.Interfaces;
using Granary.Index;
using Granary.Index.Filters;

namespace Granary.Grains.Hosting;

/// <summary>
/// A collection as a silo's REST API sees it: reads that need other silos go through the query grain (one that does not has nobody to be
/// sent to), changes of its schema through the catalog grain.
/// </summary>
/// <param name="local">The collection as this silo's engine has it.</param>
/// <param name="engine">The silo's engine.</param>
/// <param name="grains">Makes grain references.</param>
internal sealed class ClusterCollection(ICollection local, SiloEngine engine, IGrainFactory grains) : ICollection
{
    /// <inheritdoc/>
    public string Name => local.Name;

    /// <inheritdoc/>
    public CollectionConfig Config => local.Config;

    /// <inheritdoc/>
    public ValueTask<UpdateResult> WriteAsync(WriteBatch batch, WriteOptions options, CancellationToken cancellation = default) =>
        local.WriteAsync(batch, options, cancellation);

    /// <inheritdoc/>
    public ValueTask RefreshAsync(CancellationToken cancellation = default) => local.RefreshAsync(cancellation);

    /// <inheritdoc/>
    public ValueTask<UpdateResult> CreatePayloadIndexAsync(
        PayloadIndexSchema index, WriteOptions options, CancellationToken cancellation = default) =>
        ChangeAsync(c => c.CreateIndexAsync(Name, new Bytes(CatalogJson.Write(index))), options, cancellation);

    /// <inheritdoc/>
    public ValueTask<UpdateResult> DeletePayloadIndexAsync(
        string path, WriteOptions options, CancellationToken cancellation = default) =>
        ChangeAsync(c => c.DeleteIndexAsync(Name, path), options, cancellation);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<PointRecord>> RetrieveAsync(
        IReadOnlyList<PointId> ids, PayloadSelector payload, VectorSelector vectors, ReadOptions? read = null,
        CancellationToken cancellation = default) =>
        ReadAsync((c, stop) => c.RetrieveAsync(ids, payload, vectors, read, stop), cancellation);

    /// <inheritdoc/>
    public ValueTask<ScrollPage> ScrollAsync(ScrollRequest request, CancellationToken cancellation = default) =>
        ReadAsync((c, stop) => c.ScrollAsync(request, stop), cancellation);

    /// <inheritdoc/>
    public ValueTask<long> CountAsync(
        Filter? filter, bool exact = true, ReadOptions? read = null, CancellationToken cancellation = default) =>
        ReadAsync((c, stop) => c.CountAsync(filter, exact, read, stop), cancellation);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<FacetHit>> FacetAsync(
        string key, Filter? filter, int limit, bool exact, ReadOptions? read = null, CancellationToken cancellation = default) =>
        ReadAsync((c, stop) => c.FacetAsync(key, filter, limit, exact, read, stop), cancellation);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<ScoredPoint>> QueryAsync(QueryRequest request, CancellationToken cancellation = default) =>
        ReadAsync((c, stop) => c.QueryAsync(request, stop), cancellation);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<IReadOnlyList<ScoredPoint>>> QueryBatchAsync(
        IReadOnlyList<QueryRequest> requests, CancellationToken cancellation = default) =>
        ReadAsync((c, stop) => c.QueryBatchAsync(requests, stop), cancellation);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<PointGroup>> QueryGroupsAsync(GroupRequest request, CancellationToken cancellation = default) =>
        ReadAsync((c, stop) => c.QueryGroupsAsync(request, stop), cancellation);

    /// <inheritdoc/>
    public ValueTask<bool> WaitAsync(TimeSpan? limit = null, CancellationToken cancellation = default) =>
        local.WaitAsync(limit, cancellation);

    /// <inheritdoc/>
    public ValueTask RebuildAsync(CancellationToken cancellation = default) => local.RebuildAsync(cancellation);

    /// <inheritdoc/>
    public ValueTask CheckpointAsync(CancellationToken cancellation = default) => local.CheckpointAsync(cancellation);

    /// <inheritdoc/>
    public ValueTask<CollectionInfo> GetInfoAsync(CancellationToken cancellation = default) => local.GetInfoAsync(cancellation);

    private async ValueTask<T> ReadAsync<T>(Func<ICollection, CancellationToken, ValueTask<T>> read, CancellationToken cancellation)
    {
        if (local.IsNear)
            return await read(local, cancellation).ConfigureAwait(false);
        var work = new ReadWork(async (collection, stop) => await read(collection, stop).ConfigureAwait(false), cancellation);
        Reply<ReadAnswer> reply;
        try
        {
            reply = await grains.GetGrain<IQueryGrain>(Name).ReadAsync(work).ConfigureAwait(false);
        }
        catch (Exception e) when (Faults.IsTransport(e))
        {
            // While members come and go the runtime may look for the grain elsewhere. What it would do can be done without it.
            return await read(local, cancellation).ConfigureAwait(false);
        }

        return (T)reply.Unwrap().Of()!;
    }

    /// <summary>The catalog grain makes the change and goes on; what the caller waits for is waited for here.</summary>
    private async ValueTask<UpdateResult> ChangeAsync(
        Func<ICatalogGrain, Task<Reply<LoggedReply>>> change, WriteOptions options, CancellationToken cancellation)
    {
        var logged = await Faults.CallAsync("The catalog", () => change(grains.GetGrain<ICatalogGrain>(0))).ConfigureAwait(false);
        await engine.RefreshAsync(cancellation).ConfigureAwait(false);
        return await engine.AnswerAsync(Name, logged, options, cancellation).ConfigureAwait(false);
    }
}
