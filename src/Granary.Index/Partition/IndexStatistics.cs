namespace Granary.Index;

/// <summary>Sizes of a partition index.</summary>
/// <param name="Points">Live points.</param>
/// <param name="Vectors">Live vectors over all fields.</param>
/// <param name="IndexedVectors">Of these, how many are linked or need no graph.</param>
/// <param name="DeletedRows">Rows waiting for repair or reuse.</param>
/// <param name="VectorBytes">Unmanaged bytes of vectors, codes and links.</param>
/// <param name="PayloadIndexPoints">How many points each payload index covers.</param>
public sealed record IndexStatistics(
    long Points, long Vectors, long IndexedVectors, long DeletedRows, long VectorBytes,
    IReadOnlyDictionary<string, long> PayloadIndexPoints);
