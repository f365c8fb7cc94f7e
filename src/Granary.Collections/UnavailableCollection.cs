using Granary.Index;
using Granary.Index.Filters;

namespace Granary.Collections;

/// <summary>
/// A collection of which a partition could not be opened. It is red, says why to everybody who asks something of it, and may be dropped;
/// its data stay as they are, for the next start.
/// </summary>
/// <param name="name">The collection's name.</param>
/// <param name="incarnation">Names its data.</param>
/// <param name="config">Its settings.</param>
/// <param name="cause">Why it could not be opened.</param>
internal sealed class UnavailableCollection(string name, Guid incarnation, CollectionConfig config, Exception cause) : IHostedCollection
{
    private readonly string _fault = $"Collection `{name}` is unavailable: {cause.Message}";

    /// <inheritdoc/>
    public string Name => name;

    /// <inheritdoc/>
    public CollectionConfig Config => config;

    /// <inheritdoc/>
    public ValueTask<UpdateResult> WriteAsync(WriteBatch batch, WriteOptions options, CancellationToken cancellation = default) =>
        Refuse<UpdateResult>();

    /// <inheritdoc/>
    public ValueTask<UpdateResult> CreatePayloadIndexAsync(
        PayloadIndexSchema index, WriteOptions options, CancellationToken cancellation = default) =>
        Refuse<UpdateResult>();

    /// <inheritdoc/>
    public ValueTask<UpdateResult> DeletePayloadIndexAsync(string path, WriteOptions options, CancellationToken cancellation = default) =>
        Refuse<UpdateResult>();

    /// <inheritdoc/>
    public ValueTask<LoggedChange> LogUpdateAsync(Func<CollectionConfig, CollectionConfig> change, CancellationToken cancellation) =>
        Refuse<LoggedChange>();

    /// <inheritdoc/>
    public ValueTask<LoggedChange> LogIndexAsync(PayloadIndexSchema index, CancellationToken cancellation) => Refuse<LoggedChange>();

    /// <inheritdoc/>
    public ValueTask<LoggedChange> LogIndexRemovalAsync(string path, CancellationToken cancellation) => Refuse<LoggedChange>();

    /// <inheritdoc/>
    public ValueTask<UpdateResult> AnswerAsync(LoggedChange change, WriteOptions options, CancellationToken cancellation) =>
        Refuse<UpdateResult>();

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<PointRecord>> RetrieveAsync(
        IReadOnlyList<PointId> ids, PayloadSelector payload, VectorSelector vectors, ReadOptions? read = null,
        CancellationToken cancellation = default) =>
        Refuse<IReadOnlyList<PointRecord>>();

    /// <inheritdoc/>
    public ValueTask<ScrollPage> ScrollAsync(ScrollRequest request, CancellationToken cancellation = default) => Refuse<ScrollPage>();

    /// <inheritdoc/>
    public ValueTask<long> CountAsync(
        Filter? filter, bool exact = true, ReadOptions? read = null, CancellationToken cancellation = default) => Refuse<long>();

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<FacetHit>> FacetAsync(
        string key, Filter? filter, int limit, bool exact, ReadOptions? read = null, CancellationToken cancellation = default) =>
        Refuse<IReadOnlyList<FacetHit>>();

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<ScoredPoint>> QueryAsync(QueryRequest request, CancellationToken cancellation = default) =>
        Refuse<IReadOnlyList<ScoredPoint>>();

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<IReadOnlyList<ScoredPoint>>> QueryBatchAsync(
        IReadOnlyList<QueryRequest> requests, CancellationToken cancellation = default) =>
            Refuse<IReadOnlyList<IReadOnlyList<ScoredPoint>>>();

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<PointGroup>> QueryGroupsAsync(GroupRequest request, CancellationToken cancellation = default) =>
        Refuse<IReadOnlyList<PointGroup>>();

    /// <inheritdoc/>
    public ValueTask<bool> WaitAsync(TimeSpan? limit = null, CancellationToken cancellation = default) => Refuse<bool>();

    /// <inheritdoc/>
    public ValueTask RebuildAsync(CancellationToken cancellation = default) => ValueTask.FromException(Fault());

    /// <inheritdoc/>
    public ValueTask CheckpointAsync(CancellationToken cancellation = default) => ValueTask.FromException(Fault());

    /// <inheritdoc/>
    public ValueTask<CollectionInfo> GetInfoAsync(CancellationToken cancellation = default) =>
        ValueTask.FromResult(new CollectionInfo(name, config)
        {
            Color = CollectionColor.Red,
            OptimizerError = _fault,
            Partitions =
        [
            .. Enumerable.Range(0, config.Partitions)
                .Select(i => new PartitionStatus { Number = i, Capacity = config.Ingestion.QueueCapacity, Fault = _fault }),
        ],
        });

    /// <inheritdoc/>
    public ValueTask UpdateAsync(Func<CollectionConfig, CollectionConfig> change, CancellationToken cancellation) =>
        ValueTask.FromException(Fault());

    /// <inheritdoc/>
    public Guid Incarnation => incarnation;

    /// <inheritdoc/>
    public ValueTask FollowAsync(CollectionConfig config, CancellationToken cancellation) => ValueTask.CompletedTask;

    /// <inheritdoc/>
    public Task<bool> ReconcileAsync() => Task.FromResult(true);

    /// <inheritdoc/>
    public ValueTask DrainAsync(CancellationToken cancellation) => ValueTask.CompletedTask;

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private ValueTask<T> Refuse<T>() => ValueTask.FromException<T>(Fault());

    private GranaryException Fault() => new(ErrorKind.Unavailable, _fault, cause);
}
