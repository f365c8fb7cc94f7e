using Granary.Index;
using Granary.Index.Payload;

namespace Granary.Collections.Searching;

/// <summary>Makes what a caller sees out of a stored point; copies what may not outlive the reader.</summary>
internal static class PointSelector
{
    public static PointRecord Select(PointData point, PointSelection selection) => new(point.Id, point.Operation)
    {
        Payload = selection.Payload.Enabled ? PayloadOf(point, selection) : default(ReadOnlyMemory<byte>?),
        Vectors = selection.Vectors.All || selection.Vectors.Names is { Count: > 0 } ? point.Vectors : null,
    };

    private static ReadOnlyMemory<byte> PayloadOf(PointData point, PointSelection selection)
    {
        if (point.Payload.IsEmpty)
            return "{}"u8.ToArray();
        return selection.Include.Count == 0 && selection.Exclude.Count == 0
            ? point.Payload.ToArray()
            : PayloadEdit.Project(point.Payload.Span, selection.Include, selection.Exclude);
    }
}
