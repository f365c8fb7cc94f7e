using Granary.Collections;

namespace Granary.Client;

/// <summary>The state of a collection.</summary>
/// <param name="Color">Green: all is linked. Yellow: linking is under way. Grey: it waits. Red: a partition failed.</param>
/// <param name="Points">Live points.</param>
/// <param name="IndexedVectors">Vectors that are linked.</param>
/// <param name="QueueLength">Operations logged and not linked yet.</param>
/// <param name="EmbeddingQueue">Texts waiting for their vector.</param>
/// <param name="EmbeddingFailures">Texts that could not be embedded.</param>
/// <param name="Partitions">Partitions.</param>
public sealed record CollectionStats(
    CollectionColor Color, long Points, long IndexedVectors, long QueueLength, long EmbeddingQueue, long EmbeddingFailures, int Partitions);
