namespace Granary.Benchmarks;

/// <summary>A set of vectors with queries and their exact nearest neighbours.</summary>
internal sealed class VectorData(string folder)
{
    public VectorSet Base { get; } = VectorFiles.ReadVectors(folder, "base");

    public VectorSet Queries { get; } = VectorFiles.ReadVectors(folder, "query");

    public int[][] Truth { get; } = VectorFiles.ReadNeighbours(Path.Combine(folder, "groundtruth.ivecs"));
}
