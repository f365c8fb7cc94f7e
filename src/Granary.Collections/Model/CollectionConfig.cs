using System.Collections.Immutable;
using Granary.Index;

namespace Granary.Collections;

/// <summary>How operations reach the graph.</summary>
public enum IndexingMode : byte
{
    /// <summary>The acknowledgement waits for the log only; linking follows in the background.</summary>
    Asynchronous,

    /// <summary>The acknowledgement waits for the graph.</summary>
    Synchronous,
}

/// <summary>How a collection ingests.</summary>
public sealed record IngestionSettings
{
    /// <summary>Whether acknowledgements wait for the graph.</summary>
    public IndexingMode Mode { get; init; } = IndexingMode.Asynchronous;

    /// <summary>How many operations of a partition may be logged and not yet linked; past it writers wait.</summary>
    public int QueueCapacity { get; init; } = 10_000;

    /// <summary>Operations linked together.</summary>
    public int BatchSize { get; init; } = 100;

    /// <summary>How long an operation waits for its batch to fill.</summary>
    public TimeSpan BatchDelay { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>How long a writer waits for room in the queue before it is refused with 429.</summary>
    public TimeSpan AdmissionTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Threads that link; 0 for one per core.</summary>
    public int LinkParallelism { get; init; }

    /// <summary>A checkpoint is taken after so many operations since the last ...</summary>
    public long CheckpointOperations { get; init; } = 200_000;

    /// <summary>... or so many bytes of log, whichever comes first.</summary>
    public long CheckpointLogBytes { get; init; } = 256L << 20;
}

/// <summary>A dense vector that is computed from a text field where a point brings none.</summary>
/// <param name="Vector">The dense vector to fill.</param>
/// <param name="Path">The payload path of the text.</param>
/// <param name="Model">The generator's name; null for the server's default.</param>
public sealed record EmbeddingRule(string Vector, string Path, string? Model = null);

/// <summary>All that is fixed or settable about a collection.</summary>
public sealed record CollectionConfig
{
    /// <summary>Vectors, text fields and payload indexes.</summary>
    public IndexSchema Schema { get; init; } = new();

    /// <summary>Partitions, 1 to 1,024; fixed at creation.</summary>
    public int Partitions { get; init; } = 1;

    /// <summary>Replicas of each partition (clusters).</summary>
    public int Replicas { get; init; } = 1;

    /// <summary>How the collection ingests.</summary>
    public IngestionSettings Ingestion { get; init; } = new();

    /// <summary>Vectors computed from text.</summary>
    public ImmutableArray<EmbeddingRule> Embeddings { get; init; } = [];

    /// <summary>
    /// The caller's own configuration objects, kept to be shown again as they were given: the keys are the top-level keys of
    /// Qdrant's create-collection body (<c>vectors</c>, <c>hnsw_config</c>, <c>optimizers_config</c>, <c>quantization_config</c>,
    /// <c>strict_mode_config</c>, <c>metadata</c>, ...), the values UTF-8 JSON text.
    /// </summary>
    public ImmutableDictionary<string, string> Declared { get; init; } = ImmutableDictionary<string, string>.Empty;
}

/// <summary>An alias and what it stands for.</summary>
public sealed record AliasInfo(string Alias, string Collection);

/// <summary>A change of aliases; a list of them is applied whole or not at all.</summary>
public abstract record AliasAction;

/// <summary>Creates an alias, or points an existing one elsewhere.</summary>
public sealed record CreateAlias(string Collection, string Alias) : AliasAction;

/// <summary>Deletes an alias.</summary>
public sealed record DeleteAlias(string Alias) : AliasAction;

/// <summary>Renames an alias.</summary>
public sealed record RenameAlias(string OldAlias, string NewAlias) : AliasAction;
