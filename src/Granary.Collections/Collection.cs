using System.Collections.Immutable;
using Granary.Collections.Catalog;
using Granary.Collections.Diagnostics;
using Granary.Collections.Partitions;
using Granary.Collections.Querying;
using Granary.Collections.Writing;
using Granary.Index;
using Granary.Index.Filters;

namespace Granary.Collections;

/// <summary>A collection as the engine answers for it; its partitions are where the host has them.</summary>
internal sealed partial class Collection : IHostedCollection
{
    private readonly CollectionCatalog _catalog;
    private readonly IQueryInputs _inputs;
    private readonly DatabaseOptions _options;
    private readonly PlacementTable _placement;
    private readonly PhaseTimings _timings;
    private readonly SemaphoreSlim _changing = new(1, 1);
    private readonly CancellationTokenSource _stopping = new();
    private readonly IPartitionSet _set;
    private readonly ImmutableArray<IPartition> _partitions;
    private readonly SharedRead? _look;
    private volatile Version _version;
    private Task _reconciling = Task.CompletedTask;
    private int _disposed;

    private Collection(
        string name, CollectionDocument document, CollectionCatalog catalog, IQueryInputs inputs, DatabaseOptions options,
        PhaseTimings timings, IPartitionSet set, bool alone)
    {
        (Name, Incarnation, _catalog, _inputs, _options) = (name, document.Incarnation, catalog, inputs, options);
        (_placement, _timings, _set, _partitions) = (new PlacementTable(document.Placement), timings, set, set.Partitions);
        _version = MakeVersion(document.Config);
        _look = alone ? null : new SharedRead(LookAsync);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <summary>Names the collection's data.</summary>
    public Guid Incarnation { get; }

    /// <inheritdoc/>
    public CollectionConfig Config => _version.Config;

    /// <inheritdoc/>
    public bool IsNear
    {
        get
        {
            foreach (var partition in _partitions)
            {
                if (!partition.Search.IsNear)
                    return false;
            }

            return true;
        }
    }

    /// <param name="name">Its name.</param>
    /// <param name="document">What the catalog has of it.</param>
    /// <param name="host">Where its partitions are.</param>
    /// <param name="catalog">The catalog.</param>
    /// <param name="inputs">What queries take from elsewhere.</param>
    /// <param name="options">Settings of the engine.</param>
    /// <param name="cancellation">Ends it early.</param>
    public static async ValueTask<Collection> OpenAsync(
        string name, CollectionDocument document, IPartitionHost host, CollectionCatalog catalog, IQueryInputs inputs,
        DatabaseOptions options, CancellationToken cancellation)
    {
        var timings = new PhaseTimings();
        var set = await host.OpenAsync(name, document, timings, cancellation).ConfigureAwait(false);
        var collection = new Collection(name, document, catalog, inputs, options, timings, set, host.OwnsStorage);
        if (host.OwnsStorage)
            collection._reconciling = collection.ReconcileAsync();
        return collection;
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
    public ValueTask DrainAsync(CancellationToken cancellation) => _set.DrainAsync(cancellation);

    /// <summary>Closes at once, without draining.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _set.DisposeAsync().ConfigureAwait(false);
        await _reconciling.ConfigureAwait(false);
        _changing.Dispose();
        _stopping.Dispose();
    }

    private Version MakeVersion(CollectionConfig config) => new(
        config, new BatchValidator(config),
        new QueryCoordinator(Name, config.Schema, _placement, [.. _partitions.Select(p => p.Search)], _inputs));

    /// <summary>What goes with one version of the settings.</summary>
    private sealed record Version(CollectionConfig Config, BatchValidator Validator, QueryCoordinator Coordinator);
}
