using Granary.Index;
using Granary.Index.Filters;
using Granary.Index.Operations;

namespace Granary.Client;

/// <summary>Encodes points as operations, with the checks that the REST API makes while it parses.</summary>
internal static class PointOperations
{
    /// <summary>An upsert for every point.</summary>
    public static void Upsert(OperationWriter operations, IReadOnlyList<Point> points)
    {
        for (var i = 0; i < points.Count; i++)
        {
            var point = points[i];
            CheckId(point.Id, i);
            operations.Begin(OperationKind.Upsert, point.Id);
            if (point.Payload is { } payload)
                operations.Payload(payload.Utf8.Span);
            foreach (var vector in point.Vectors)
                Write(operations, vector, i);
            operations.End();
        }
    }

    /// <summary>A delete for every id.</summary>
    public static void Delete(OperationWriter operations, IReadOnlyList<PointId> ids)
    {
        for (var i = 0; i < ids.Count; i++)
        {
            CheckId(ids[i], i);
            operations.Begin(OperationKind.Delete, ids[i]);
            operations.End();
        }
    }

    /// <summary>One delete of all that matches.</summary>
    public static void Delete(OperationWriter operations, Filter filter)
    {
        operations.Begin(OperationKind.Delete, default, OperationFlags.ByFilter);
        operations.Filter(FilterJson.ToUtf8(filter));
        operations.End();
    }

    private static void CheckId(PointId id, int number)
    {
        if (id.Kind == PointIdKind.None)
            throw GranaryException.BadInput($"points[{number}].id: a number or a UUID is needed");
    }

    private static void Write(OperationWriter operations, NamedVector vector, int number)
    {
        foreach (var value in vector.Values)
        {
            if (!float.IsFinite(value))
                throw GranaryException.BadInput($"points[{number}].vector.{vector.Name}: value {value} is not finite");
        }

        if (vector.Indices is { } indices)
            WriteSparse(operations, vector, [.. indices], number);
        else if (vector.Rows == 1)
            operations.Dense(vector.Name, vector.Values);
        else if (vector.Rows < 1 || vector.Values.Length % vector.Rows != 0)
            throw GranaryException.BadInput(
                $"points[{number}].vector.{vector.Name}: {vector.Values.Length} values do not make {vector.Rows} rows");
        else
            operations.Multi(vector.Name, vector.Rows, vector.Values.Length / vector.Rows, vector.Values);
    }

    private static void WriteSparse(OperationWriter operations, NamedVector vector, uint[] indices, int number)
    {
        if (indices.Length != vector.Values.Length)
            throw GranaryException.BadInput(
                $"points[{number}].vector.{vector.Name}: {indices.Length} indices and {vector.Values.Length} values");
        float[] values = [.. vector.Values];
        Array.Sort(indices, values);
        for (var i = 1; i < indices.Length; i++)
        {
            if (indices[i] == indices[i - 1])
                throw GranaryException.BadInput($"points[{number}].vector.{vector.Name}: index {indices[i]} is given twice");
        }

        operations.Sparse(vector.Name, indices, values);
    }
}
