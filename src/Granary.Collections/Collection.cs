using System.Collections.Immutable;
using Granary.Collections.Catalog;
using Granary.Collections.Diagnostics;
using Granary.Collections.Embedding;
using Granary.Collections.Ports;
using Granary.Collections.Querying;
using Granary.Collections.Writing;
using Granary.Index;
using Granary.Index.Filters;

namespace Granary.Collections;

/// <summary>A collection of the standalone database: its partitions are all in this process.</summary>
internal sealed partial class Collection : IHostedCollection
{
    private readonly CollectionCatalog _catalog;
    private readonly IQueryInputs _inputs;
    private readonly DatabaseOptions _options;
    private readonly PlacementTable _placement;
    private readonly PhaseTimings _timings;
    private readonly EmbeddingPipeline _embedding;
    private readonly SemaphoreSlim _changing = new(1, 1);
    private readonly CancellationTokenSource _stopping = new();
    private readonly ImmutableArray<LocalPartition> _partitions;
    private volatile Version _version;
    private Task _reconciling = Task.CompletedTask;
    private int _disposed;

    private Collection(
        string name, CollectionDocument document, CollectionCatalog catalog, IQueryInputs inputs, DatabaseOptions options,
        PlacementTable placement,
        PhaseTimings timings, EmbeddingPipeline embedding, ImmutableArray<LocalPartition> partitions)
    {
        (Name, Incarnation, _catalog, _inputs, _options) = (name, document.Incarnation, catalog, inputs, options);
        (_placement, _timings, _embedding, _partitions) = (placement, timings, embedding, partitions);
        _version = MakeVersion(document.Config);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <summary>Names the collection's data.</summary>
    public Guid Incarnation { get; }

    /// <inheritdoc/>
    public CollectionConfig Config => _version.Config;

    public static async ValueTask<Collection> OpenAsync(
        string name, CollectionDocument document, IStorage storage, CollectionCatalog catalog, IQueryInputs inputs, TextEmbedder embedder,
        DatabaseOptions options, CancellationToken cancellation)
    {
        var placement = new PlacementTable(document.Placement);
        var timings = new PhaseTimings();
        var embedding = new EmbeddingPipeline(document.Config, embedder, timings.Embed, options.Time);
        var partitions = new LocalPartition?[placement.Partitions];
        try
        {
            await Parallel.ForAsync(0, partitions.Length, cancellation, OpenPartitionAsync).ConfigureAwait(false);
        }
        catch
        {
            foreach (var partition in partitions.OfType<LocalPartition>())
                await partition.DisposeAsync().ConfigureAwait(false);
            await embedding.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        var collection = new Collection(
            name, document, catalog, inputs, options, placement, timings, embedding, [.. partitions.Select(p => p!)]);
        collection.Start();
        return collection;

        async ValueTask OpenPartitionAsync(int number, CancellationToken token)
        {
            try
            {
                partitions[number] = await LocalPartition.OpenAsync(
                    storage, new PartitionKey(document.Incarnation, number), document.InitialSchema, document.Config.Ingestion, timings,
                    (operation, id) => embedding.Enqueue(number, operation, id), options.Time, token).ConfigureAwait(false);
            }
            catch (GranaryException e)
            {
                throw new GranaryException(e.Kind, $"Partition {number} cannot be opened: {e.Message}", e);
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<PointRecord>> RetrieveAsync(
        IReadOnlyList<PointId> ids, PayloadSelector payload, VectorSelector vectors, ReadOptions? read = null,
        CancellationToken cancellation = default) =>
        await _version.Coordinator.FetchAsync(ids, new(payload, vectors), read ?? new ReadOptions(), cancellation).ConfigureAwait(false);

    /// <inheritdoc/>
    public ValueTask<ScrollPage> ScrollAsync(ScrollRequest request, CancellationToken cancellation = default) =>
        _version.Coordinator.ScrollAsync(request, cancellation);

    /// <inheritdoc/>
    public ValueTask<long> CountAsync(
        Filter? filter, bool exact = true, ReadOptions? read = null, CancellationToken cancellation = default) =>
        _version.Coordinator.CountAsync(filter, exact, read ?? new ReadOptions(), cancellation);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<FacetHit>> FacetAsync(
        string key, Filter? filter, int limit, bool exact, ReadOptions? read = null, CancellationToken cancellation = default) =>
        _version.Coordinator.FacetAsync(key, filter, limit, exact, read ?? new ReadOptions(), cancellation);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<ScoredPoint>> QueryAsync(QueryRequest request, CancellationToken cancellation = default) =>
        _version.Coordinator.QueryAsync(request, cancellation);

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<IReadOnlyList<ScoredPoint>>> QueryBatchAsync(
        IReadOnlyList<QueryRequest> requests, CancellationToken cancellation = default)
    {
        var coordinator = _version.Coordinator;
        var answers = new IReadOnlyList<ScoredPoint>[requests.Count];
        for (var i = 0; i < answers.Length; i++)
            answers[i] = await coordinator.QueryAsync(requests[i], cancellation).ConfigureAwait(false);
        return answers;
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<PointGroup>> QueryGroupsAsync(GroupRequest request, CancellationToken cancellation = default) =>
        _version.Coordinator.GroupAsync(request, cancellation);

    /// <summary>Drains every partition's queue and takes checkpoints.</summary>
    public async ValueTask DrainAsync(CancellationToken cancellation)
    {
        foreach (var partition in _partitions)
            await partition.DrainAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>Closes at once, without draining.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _embedding.DisposeAsync().ConfigureAwait(false);
        foreach (var partition in _partitions)
            await partition.DisposeAsync().ConfigureAwait(false);
        await _reconciling.ConfigureAwait(false);
        _changing.Dispose();
        _stopping.Dispose();
    }

    private void Start()
    {
        _embedding.Start([.. _partitions]);
        _reconciling = ReconcileAsync();
    }

    private Version MakeVersion(CollectionConfig config) => new(
        config, new BatchValidator(config),
        new QueryCoordinator(Name, config.Schema, _placement, [.. _partitions.Select(p => p.Search)], _inputs));

    /// <summary>What goes with one version of the settings.</summary>
    private sealed record Version(CollectionConfig Config, BatchValidator Validator, QueryCoordinator Coordinator);
}
