using System.Collections.Immutable;

namespace Granary.Index;

/// <summary>A vector of any kind, as stored.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Values">Dense values (row after row) or sparse values.</param>
/// <param name="Rows">Rows of a multi-vector; 1 for a dense vector; 0 for a sparse one.</param>
/// <param name="Indices">A sparse vector's dimensions.</param>
public sealed record NamedVector(string Name, float[] Values, int Rows = 1, uint[]? Indices = null)
{
    /// <summary>The payload path of the text that the vector was computed from; null for a vector given by a client.</summary>
    public string? ComputedFrom { get; init; }
}

/// <summary>A point as stored: id, the operation that made this version, payload and the vectors asked for.</summary>
/// <param name="Id">The id.</param>
/// <param name="Operation">The newest operation of the point.</param>
/// <param name="Payload">The payload object as UTF-8 JSON; empty when the point has none.</param>
/// <param name="Vectors">The vectors asked for that the point has.</param>
public sealed record PointData(PointId Id, long Operation, ReadOnlyMemory<byte> Payload, ImmutableArray<NamedVector> Vectors);
