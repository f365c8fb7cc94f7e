using Granary.Index;

namespace Granary.Collections.Embedding;

/// <summary>A partition whose points' texts are embedded.</summary>
public interface IEmbeddingTarget
{
    /// <summary>The partition's number.</summary>
    int Number { get; }

    /// <summary>The point as it is now, with its payload and these vectors; null when it is gone.</summary>
    PointRecord? Read(PointId id, VectorSelector vectors);

    /// <summary>A page of points that lack a vector and have something at a payload path, by id.</summary>
    IReadOnlyList<PointId> Lacking(string vector, string path, PointId? from, int limit);

    /// <summary>Logs operations of the engine's own and waits until they are applied.</summary>
    ValueTask ApplyAsync(ReadOnlyMemory<byte> operations, int count, CancellationToken cancellation);

    /// <summary>Completes when everything that is logged now is applied.</summary>
    ValueTask CaughtUpAsync(CancellationToken cancellation);
}
