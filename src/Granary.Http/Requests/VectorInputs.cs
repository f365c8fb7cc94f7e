using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text.Json;
using Granary.Collections;
using Granary.Http.Hosting;
using Granary.Http.Json;

namespace Granary.Http.Requests;

/// <summary>Reads vectors of queries: dense, a matrix, sparse, a point's id, or text.</summary>
internal static class VectorInputs
{
    /// <summary>Reads the value at the cursor.</summary>
    public static VectorInput Read(ref JsonCursor cursor)
    {
        switch (cursor.Peek())
        {
            case (byte)'[':
                return ReadDense(ref cursor);
            case (byte)'{':
                return ReadObject(new JsonFields(cursor.ReadElement(), "query"));
            default:
                return new PointInput(cursor.ReadId());
        }
    }

    /// <summary>Reads a value of a document.</summary>
    public static VectorInput Read(JsonElement element)
    {
        var cursor = new JsonCursor(JsonMarshal.GetRawUtf8Value(element));
        return Read(ref cursor);
    }

    /// <summary>Reads a list of them.</summary>
    public static ImmutableArray<VectorInput> ReadList(JsonFields fields, string name) => [.. fields.Items(name).Select(Read)];

    private static VectorInput ReadDense(ref JsonCursor cursor)
    {
        var start = cursor.Position;
        if (cursor.TryReadFloats() is { } dense)
            return new DenseInput(dense);
        var values = new List<float>();
        var first = true;
        cursor.BeginArray("a sequence");
        var rows = 0;
        var size = 0;
        while (cursor.NextItem(ref first))
        {
            if (cursor.Peek() != '[')
            {
                cursor = new JsonCursor(cursor.Text, start);
                cursor.ReadFloats(values);
                return new DenseInput(values.ToArray());
            }

            var count = cursor.ReadFloats(values);
            if (count == 0 || (rows > 0 && count != size))
                throw ApiException.WrongInput(count == 0 ? "all vectors must be non-empty"
                    : $"all vectors must have the same dimension, found vector with dimension {count}");
            size = count;
            rows++;
        }

        return rows > 0 ? new MultiInput(values.ToArray(), rows)
            : throw ApiException.WrongInput("Vector dimension error: a vector must not be empty");
    }

    private static VectorInput ReadObject(JsonFields fields)
    {
        if (fields["indices"] is null && fields["values"] is null)
            return Documents.ReadQuery(fields);
        var indices = new List<uint>();
        var values = new List<float>();
        var cursor = new JsonCursor(JsonMarshal.GetRawUtf8Value(fields.Required("indices")));
        cursor.ReadIndices(indices);
        cursor = new JsonCursor(JsonMarshal.GetRawUtf8Value(fields.Required("values")));
        cursor.ReadFloats(values);
        SparseVectors.Sort(indices, values, "query.?");
        return new SparseInput([.. indices], [.. values]);
    }
}
