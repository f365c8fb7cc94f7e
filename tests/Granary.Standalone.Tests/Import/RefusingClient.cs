using Granary.Client;
using Granary.Collections;
using Granary.Index;
using Granary.Index.Filters;

namespace Granary.Standalone.Tests.Import;

/// <summary>Refuses every batch that holds a point whose text is "poison", and fails to wait where that is asked for.</summary>
internal sealed class RefusingClient(IGranaryClient inner) : IGranaryClient
{
    public int Batches { get; private set; }

    public GranaryException? WaitFails { get; init; }

    public Task<UpdateResult> UpsertAsync(
        string collection, IReadOnlyList<Point> points, bool wait = false, CancellationToken cancellation = default)
    {
        Batches += points.Count > 1 ? 1 : 0;
        return points.Any(static p => p.Payload?.Text("text") == "poison")
            ? throw GranaryException.BadInput("poison refused")
            : inner.UpsertAsync(collection, points, wait, cancellation);
    }

    public Task CreateCollectionAsync(string collection, CollectionConfig config, CancellationToken cancellation = default) =>
        inner.CreateCollectionAsync(collection, config, cancellation);

    public Task<CollectionConfig> GetCollectionAsync(string collection, CancellationToken cancellation = default) =>
        inner.GetCollectionAsync(collection, cancellation);

    public Task<bool> CollectionExistsAsync(string collection, CancellationToken cancellation = default) =>
        inner.CollectionExistsAsync(collection, cancellation);

    public Task<IReadOnlyList<string>> ListCollectionsAsync(CancellationToken cancellation = default) =>
        inner.ListCollectionsAsync(cancellation);

    public Task<bool> DeleteCollectionAsync(string collection, CancellationToken cancellation = default) =>
        inner.DeleteCollectionAsync(collection, cancellation);

    public Task<UpdateResult> DeleteAsync(
        string collection, IReadOnlyList<PointId> ids, bool wait = false, CancellationToken cancellation = default) =>
        inner.DeleteAsync(collection, ids, wait, cancellation);

    public Task<UpdateResult> DeleteAsync(
        string collection, Filter filter, bool wait = false, CancellationToken cancellation = default) =>
        inner.DeleteAsync(collection, filter, wait, cancellation);

    public Task<IReadOnlyList<Hit>> QueryAsync(string collection, QueryRequest query, CancellationToken cancellation = default) =>
        inner.QueryAsync(collection, query, cancellation);

    public Task<IReadOnlyList<Hit>> HybridAsync(string collection, HybridQuery query, CancellationToken cancellation = default) =>
        inner.HybridAsync(collection, query, cancellation);

    public Task<IReadOnlyList<Point>> RetrieveAsync(
        string collection, IReadOnlyList<PointId> ids, bool withVectors = false, CancellationToken cancellation = default) =>
        inner.RetrieveAsync(collection, ids, withVectors, cancellation);

    public Task<PointPage> ScrollAsync(string collection, ScrollRequest request, CancellationToken cancellation = default) =>
        inner.ScrollAsync(collection, request, cancellation);

    public Task<long> CountAsync(string collection, Filter? filter = null, CancellationToken cancellation = default) =>
        inner.CountAsync(collection, filter, cancellation);

    public Task<CollectionStats> StatsAsync(string collection, CancellationToken cancellation = default) =>
        inner.StatsAsync(collection, cancellation);

    public Task<EmbedderInfo> GetEmbedderAsync(string? model = null, CancellationToken cancellation = default) =>
        inner.GetEmbedderAsync(model, cancellation);

    public Task<bool> WaitAsync(string collection, TimeSpan? limit = null, CancellationToken cancellation = default) =>
        WaitFails is null ? inner.WaitAsync(collection, limit, cancellation) : throw WaitFails;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
