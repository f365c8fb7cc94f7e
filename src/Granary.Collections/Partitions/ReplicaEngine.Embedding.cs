using Granary.Collections.Embedding;

namespace Granary.Collections.Partitions;

/// <summary>One of a partition's replicas embeds its texts; which one it is may change.</summary>
internal sealed partial class ReplicaEngine
{
    private volatile EmbeddingPipeline? _embedding;
    private Task _ended = Task.CompletedTask;
    private long _embeddingFrom = long.MaxValue;

    /// <summary>Begins or ends embedding, as the replica's number asks. Calls do not overlap.</summary>
    public void FollowRole(CollectionConfig config)
    {
        if (_options.Embedder is not { } embedder || _role.IsFirst == (_embedding is not null))
            return;
        if (!_role.IsFirst)
        {
            _ended = Task.WhenAll(_ended, Interlocked.Exchange(ref _embedding, null)!.DisposeAsync().AsTask());
            return;
        }

        var embedding = new EmbeddingPipeline(config, embedder, Timings.Embed, _options.Time);
        // From here on it is told of every operation that is applied; what was applied before it looks for.
        _embedding = embedding;
        Volatile.Write(ref _embeddingFrom, Indexer.Applied.Value);
        embedding.Start([this]);
    }

    private async Task EndEmbeddingAsync()
    {
        if (Interlocked.Exchange(ref _embedding, null) is { } embedding)
            await embedding.DisposeAsync().ConfigureAwait(false);
        await _ended.ConfigureAwait(false);
    }
}
