namespace Granary.Index.Sparse;

/// <summary>A stored sparse vector, dimensions ascending.</summary>
/// <param name="Indices">The dimensions.</param>
/// <param name="Values">Their weights.</param>
/// <param name="Forgotten">Whether it left the statistics.</param>
internal readonly record struct SparseRow(uint[] Indices, float[] Values, bool Forgotten);
