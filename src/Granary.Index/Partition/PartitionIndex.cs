using Granary.Index.Checkpoints;
using Granary.Index.Operations;

namespace Granary.Index;

/// <summary>What applying an operation did.</summary>
public enum ApplyOutcome : byte
{
    /// <summary>It changed something, or legitimately nothing (a delete of an unknown id, say).</summary>
    Applied,

    /// <summary>Its number is not above <see cref="PartitionIndex.AppliedOperation"/>: it was applied before.</summary>
    AlreadyApplied,

    /// <summary>It can never be applied: it was counted, reported and passed over.</summary>
    Poison,
}

/// <summary>
/// Vectors, text and payload of one partition, searchable while it is written. One thread at a time applies operations;
/// any number link and search.
/// </summary>
public sealed partial class PartitionIndex : IDisposable
{
    /// <summary>Makes an empty index.</summary>
    public PartitionIndex(IndexSchema schema) => throw new NotImplementedException();

    /// <summary>The schema as of <see cref="AppliedOperation"/>.</summary>
    public IndexSchema Schema => throw new NotImplementedException();

    /// <summary>The newest operation that is applied, and so visible to every reader opened from now on.</summary>
    public long AppliedOperation => throw new NotImplementedException();

    /// <summary>Every operation up to this one is linked into the graphs.</summary>
    public long LinkedOperation => throw new NotImplementedException();

    /// <summary>Rows applied and not linked yet, over all dense fields.</summary>
    public int PendingLinks => throw new NotImplementedException();

    /// <summary>Live points.</summary>
    public long PointCount => throw new NotImplementedException();

    /// <summary>Applies one operation. Operations must come in order without gaps; a repeated one changes nothing.</summary>
    /// <param name="operation">Its number.</param>
    /// <param name="view">The operation.</param>
    /// <param name="poison">Why it cannot be applied, when the outcome is <see cref="ApplyOutcome.Poison"/>.</param>
    public ApplyOutcome Apply(long operation, OperationView view, out string? poison) => throw new NotImplementedException();

    /// <summary>Links up to <paramref name="max"/> pending rows, and repairs around deleted ones, on up to <paramref name="parallelism"/> threads. Returns how many rows were linked.</summary>
    public int Link(int max, int parallelism, CancellationToken cancellation) => throw new NotImplementedException();

    /// <summary>Frees what deleted points held and no reader can see any more. Called by the applying thread, between operations.</summary>
    public void Reclaim() => throw new NotImplementedException();

    /// <summary>A consistent view as of <see cref="AppliedOperation"/>. Must be disposed; it holds memory back.</summary>
    public IndexReader OpenReader() => throw new NotImplementedException();

    /// <summary>Writes an image of the index. Called by the applying thread between operations; searches go on.</summary>
    public void WriteCheckpoint(ICheckpointWriter writer, CancellationToken cancellation) => throw new NotImplementedException();

    /// <summary>Opens an image written by <see cref="WriteCheckpoint"/>.</summary>
    /// <exception cref="GranaryException">A block does not have its checksum, or the format is newer than this version's.</exception>
    public static PartitionIndex ReadCheckpoint(ICheckpointReader reader) => throw new NotImplementedException();

    /// <summary>Sizes, for status and metrics.</summary>
    public IndexStatistics Statistics => throw new NotImplementedException();

    /// <inheritdoc/>
    public void Dispose() => throw new NotImplementedException();
}

/// <summary>Sizes of a partition index.</summary>
/// <param name="Points">Live points.</param>
/// <param name="Vectors">Live vectors over all fields.</param>
/// <param name="IndexedVectors">Of these, how many are linked or need no graph.</param>
/// <param name="DeletedRows">Rows waiting for repair or reuse.</param>
/// <param name="VectorBytes">Unmanaged bytes of vectors, codes and links.</param>
/// <param name="PayloadIndexPoints">How many points each payload index covers.</param>
public sealed record IndexStatistics(
    long Points, long Vectors, long IndexedVectors, long DeletedRows, long VectorBytes, IReadOnlyDictionary<string, long> PayloadIndexPoints);
