using Granary.Collections;
using Granary.Index;
using Granary.Index.Filters;

namespace Granary.Client;

/// <summary>
/// A Granary database, in this process (<see cref="EmbeddedGranaryClient"/>) or behind HTTP (<see cref="GranaryHttpClient"/>): both behave
/// alike. Thread-safe. Every member throws <see cref="GranaryException"/> for what the caller did wrong and for a server that cannot
/// answer.
/// </summary>
public interface IGranaryClient : IAsyncDisposable
{
    /// <summary>Creates a collection, with its text fields, embedding rules and payload indexes.</summary>
    /// <exception cref="GranaryException">It exists already (<see cref="ErrorKind.Conflict"/>), or the settings contradict
    /// themselves.</exception>
    Task CreateCollectionAsync(string collection, CollectionConfig config, CancellationToken cancellation = default);

    /// <summary>A collection's settings: its schema, partitions, embedding rules and ingestion.</summary>
    /// <exception cref="GranaryException">There is none (<see cref="ErrorKind.NotFound"/>).</exception>
    Task<CollectionConfig> GetCollectionAsync(string collection, CancellationToken cancellation = default);

    /// <summary>Whether there is a collection (or alias) of that name.</summary>
    Task<bool> CollectionExistsAsync(string collection, CancellationToken cancellation = default);

    /// <summary>Names of all collections, sorted.</summary>
    Task<IReadOnlyList<string>> ListCollectionsAsync(CancellationToken cancellation = default);

    /// <summary>Deletes a collection. Returns whether there was one.</summary>
    Task<bool> DeleteCollectionAsync(string collection, CancellationToken cancellation = default);

    /// <summary>Inserts points, or replaces those whose id is there already; all of them or, when one is bad, none.</summary>
    /// <param name="collection">The collection.</param>
    /// <param name="points">The points.</param>
    /// <param name="wait">Whether to wait until every search sees them, embedding included; otherwise the answer comes once they are
    /// durable.</param>
    /// <param name="cancellation">Stops waiting for the answer; what was accepted stays.</param>
    Task<UpdateResult> UpsertAsync(
        string collection, IReadOnlyList<Point> points, bool wait = false, CancellationToken cancellation = default);

    /// <summary>Deletes points by id; unknown ids are no error.</summary>
    Task<UpdateResult> DeleteAsync(
        string collection, IReadOnlyList<PointId> ids, bool wait = false, CancellationToken cancellation = default);

    /// <summary>Deletes the points that match.</summary>
    Task<UpdateResult> DeleteAsync(string collection, Filter filter, bool wait = false, CancellationToken cancellation = default);

    /// <summary>Answers a query of any kind, best hit first.</summary>
    Task<IReadOnlyList<Hit>> QueryAsync(string collection, QueryRequest query, CancellationToken cancellation = default);

    /// <summary>Answers a hybrid query: dense and BM25, fused.</summary>
    Task<IReadOnlyList<Hit>> HybridAsync(string collection, HybridQuery query, CancellationToken cancellation = default);

    /// <summary>Points by id, in the order asked, unknown ones left out.</summary>
    Task<IReadOnlyList<Point>> RetrieveAsync(
        string collection, IReadOnlyList<PointId> ids, bool withVectors = false, CancellationToken cancellation = default);

    /// <summary>A page of points in the order of their ids.</summary>
    Task<PointPage> ScrollAsync(string collection, ScrollRequest request, CancellationToken cancellation = default);

    /// <summary>How many points match; all when <paramref name="filter"/> is null.</summary>
    Task<long> CountAsync(string collection, Filter? filter = null, CancellationToken cancellation = default);

    /// <summary>A collection's state.</summary>
    Task<CollectionStats> StatsAsync(string collection, CancellationToken cancellation = default);

    /// <summary>The model that computes vectors from texts: the one named, or the default one.</summary>
    /// <exception cref="GranaryException">There is none, or it does not answer.</exception>
    Task<EmbedderInfo> GetEmbedderAsync(string? model = null, CancellationToken cancellation = default);

    /// <summary>
    /// Waits until everything accepted before now is linked, however long that takes where no limit is given. False: the time limit passed.
    /// </summary>
    Task<bool> WaitAsync(string collection, TimeSpan? limit = null, CancellationToken cancellation = default);
}
