using System.Collections.Immutable;
using Granary.Collections.Catalog;
using Granary.Collections.Diagnostics;
using Granary.Collections.Embedding;
using Granary.Collections.Ports;
using Granary.Index;

namespace Granary.Collections.Partitions;

/// <summary>A collection's partitions, all of them in this process, with the pipeline that embeds their texts.</summary>
internal sealed class LocalPartitions : IPartitionSet
{
    private readonly ImmutableArray<LocalPartition> _partitions;
    private readonly EmbeddingPipeline _embedding;

    private LocalPartitions(ImmutableArray<LocalPartition> partitions, EmbeddingPipeline embedding)
    {
        (_partitions, _embedding) = (partitions, embedding);
        Partitions = ImmutableArray<IPartition>.CastUp(partitions);
    }

    /// <inheritdoc/>
    public ImmutableArray<IPartition> Partitions { get; }

    /// <summary>Opens them side by side, and starts embedding.</summary>
    public static async ValueTask<IPartitionSet> OpenAsync(
        IStorage storage, TextEmbedder embedder, DatabaseOptions options, CollectionDocument document, PhaseTimings timings,
        CancellationToken cancellation)
    {
        var embedding = new EmbeddingPipeline(document.Config, embedder, timings.Embed, options.Time);
        var partitions = new LocalPartition?[new PlacementTable(document.Placement).Partitions];
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

        var set = new LocalPartitions([.. partitions.Select(p => p!)], embedding);
        embedding.Start(ImmutableArray<IEmbeddingTarget>.CastUp(set._partitions));
        return set;

        async ValueTask OpenPartitionAsync(int number, CancellationToken token)
        {
            try
            {
                partitions[number] = await LocalPartition.OpenAsync(
                    storage, new PartitionKey(document.Incarnation, number), document.InitialSchema, document.Config.Ingestion, timings,
                    embedding, options.Time, token).ConfigureAwait(false);
            }
            catch (GranaryException e)
            {
                throw new GranaryException(e.Kind, $"Partition {number} cannot be opened: {e.Message}", e);
            }
        }
    }

    /// <inheritdoc/>
    public void Use(CollectionConfig config)
    {
        foreach (var partition in _partitions)
        {
            partition.Indexer.Settings = config.Ingestion;
            partition.Gate.Capacity = config.Ingestion.QueueCapacity;
        }

        _embedding.Change(config);
    }

    /// <inheritdoc/>
    public async ValueTask DrainAsync(CancellationToken cancellation)
    {
        foreach (var partition in _partitions)
            await partition.DrainAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>Closes at once, without draining.</summary>
    public async ValueTask DisposeAsync()
    {
        await _embedding.DisposeAsync().ConfigureAwait(false);
        foreach (var partition in _partitions)
            await partition.DisposeAsync().ConfigureAwait(false);
    }
}

/// <summary>The standalone host: every partition in this process, over one storage that is this process' own.</summary>
/// <param name="storage">The storage.</param>
/// <param name="embedder">What embeds texts.</param>
/// <param name="options">The database's settings.</param>
internal sealed class LocalPartitionHost(IStorage storage, TextEmbedder embedder, DatabaseOptions options) : IPartitionHost
{
    /// <inheritdoc/>
    public bool OwnsStorage => true;

    /// <inheritdoc/>
    public ValueTask<IPartitionSet> OpenAsync(
        string name, CollectionDocument document, PhaseTimings timings, CancellationToken cancellation) =>
        LocalPartitions.OpenAsync(storage, embedder, options, document, timings, cancellation);
}
