using Granary.Index;
using Granary.Index.Payload;

namespace Granary.Collections.Searching;

/// <summary>Makes what a caller sees out of a stored point, whose bytes are a copy already.</summary>
internal static class PointSelector
{
    public static PointRecord Select(PointData point, PointSelection selection) => new(point.Id, point.Operation)
    {
        Payload = selection.Payload.Enabled ? PayloadOf(point, selection) : default(ReadOnlyMemory<byte>?),
        Vectors = selection.Vectors.All || selection.Vectors.Names is { Count: > 0 } ? point.Vectors : null,
    };

    /// <summary>The same of a hit.</summary>
    public static ScoredPoint Scored(PointData point, PointSelection selection, float score) => new(point.Id, score, point.Operation)
    {
        Payload = selection.Payload.Enabled ? PayloadOf(point, selection) : default(ReadOnlyMemory<byte>?),
        Vectors = selection.Vectors.All || selection.Vectors.Names is { Count: > 0 } ? point.Vectors : null,
    };

    private static ReadOnlyMemory<byte> PayloadOf(PointData point, PointSelection selection)
    {
        if (point.Payload.IsEmpty)
            return "{}"u8.ToArray();
        return selection.Include.Count == 0 && selection.Exclude.Count == 0
            ? point.Payload
            : PayloadEdit.Project(point.Payload.Span, selection.Include, selection.Exclude);
    }
}
