using Granary.Collections;
using Granary.Http.Hosting;
using Granary.Http.Json;
using Granary.Index;

namespace Granary.Http.Requests;

internal sealed partial class PointsReader
{
    private readonly List<float> _values = [];
    private readonly List<uint> _indices = [];
    private readonly List<object> _written = [];

    /// <summary>Writes one vector, or several by name.</summary>
    private void WriteVectors(ref JsonCursor cursor, int number, bool required)
    {
        switch (cursor.Peek())
        {
            case (byte)'[':
                WriteVector(ref cursor, ""u8, number);
                return;
            case (byte)'{':
                break;
            default:
                throw cursor.WrongType("data did not match any variant of untagged enum VectorStruct");
        }

        var start = cursor.Position;
        _written.Clear();
        var first = true;
        cursor.BeginObject("a map");
        while (cursor.NextProperty(ref first, out var name))
        {
            if (cursor.Peek() is not ((byte)'[' or (byte)'{'))
            {
                // Not vectors by name: a document for the default vector.
                cursor = new JsonCursor(cursor.Text, start);
                WriteObject(ref cursor, ""u8, number);
                return;
            }

            if (_names.Dense(name) is null && _names.Sparse(name) is null)
                throw UnknownVector(ref cursor, name, number);
            if (!IsNew(name))
                throw cursor.Fail($"duplicate field `{System.Text.Encoding.UTF8.GetString(name)}`");
            WriteVector(ref cursor, name, number);
        }

        if (_written.Count == 0 && required)
            throw ApiException.Invalid($"points[{number}].vector", "must specify vectors to update for point");
    }

    private bool IsNew(scoped ReadOnlySpan<byte> name)
    {
        var field = (object?)_names.Dense(name) ?? _names.Sparse(name)!;
        if (_written.Contains(field))
            return false;
        _written.Add(field);
        return true;
    }

    private void WriteVector(ref JsonCursor cursor, scoped ReadOnlySpan<byte> name, int number)
    {
        var dense = _names.Dense(name);
        var array = cursor.Peek() == '[';
        if (dense is null)
        {
            if (_names.Sparse(name) is null)
                throw UnknownVector(ref cursor, name, number);
            if (array)
                throw ApiException.WrongInput("Conversion between sparse and regular vectors failed");
            WriteObject(ref cursor, name, number);
        }
        else if (!array)
        {
            WriteObject(ref cursor, name, number);
        }
        else if (dense.MultiVector)
        {
            WriteMatrix(ref cursor, dense, number);
        }
        else
        {
            var values = operations.Dense(dense.Name, dense.Size);
            var count = cursor.ReadFloats(values);
            if (_names.IsBytes(dense))
                FieldNames.Truncate(System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(values));
            if (count == 0)
                throw ApiException.Invalid($"points[{number}].vector", "dense vector must not be empty");
            if (count != dense.Size)
                throw Errors.WrongSize(dense.Size, count);
        }
    }

    /// <summary>What is wrong with a vector itself is said before that nobody knows its name.</summary>
    private static Exception UnknownVector(ref JsonCursor cursor, scoped ReadOnlySpan<byte> name, int number)
    {
        if (cursor.ReadElement() is { ValueKind: System.Text.Json.JsonValueKind.Object } value
            && value.TryGetProperty("indices", out var indices) && indices.ValueKind == System.Text.Json.JsonValueKind.Array
            && value.TryGetProperty("values", out var values) && values.ValueKind == System.Text.Json.JsonValueKind.Array
            && indices.GetArrayLength() != values.GetArrayLength())
            return ApiException.Invalid($"points[{number}].vector.?.values", "Validation error: must be the same length as indices [{}]");
        return FieldNames.Unknown(name);
    }

    private void WriteMatrix(ref JsonCursor cursor, DenseVectorSchema field, int number)
    {
        var start = cursor.Position;
        _values.Clear();
        var rows = 0;
        var first = true;
        cursor.BeginArray("a sequence");
        while (cursor.NextItem(ref first))
        {
            if (rows == 0 && cursor.Peek() != '[')
            {
                // A plain vector is a matrix of one row.
                cursor = new JsonCursor(cursor.Text, start);
                AddRow(ref cursor, field, number);
                rows = 1;
                break;
            }

            AddRow(ref cursor, field, number);
            rows++;
        }

        if (rows == 0)
            throw ApiException.Invalid($"points[{number}].vector", "dense vector must not be empty");
        if (strict?.VectorLimit("multivector_config", field.Name, "max_vectors") is { } limit && rows > limit)
            throw ApiException.StrictMode(
                $"Multivector '{field.Name}' has a limit of {limit} vectors, but {rows} were provided!",
                    "Reduce the number of vectors in the multivector");
        if (_names.IsBytes(field))
            FieldNames.Truncate(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_values));
        operations.Multi(field.Name, rows, field.Size, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_values));
    }

    private void AddRow(ref JsonCursor cursor, DenseVectorSchema field, int number)
    {
        var count = cursor.ReadFloats(_values);
        if (count == 0)
            throw ApiException.Invalid($"points[{number}].vector.?.data", "all vectors must be non-empty");
        if (count != field.Size)
            throw Errors.WrongSize(field.Size, count);
    }

    /// <summary>Writes a sparse vector, or what a document becomes.</summary>
    private void WriteObject(ref JsonCursor cursor, scoped ReadOnlySpan<byte> name, int number)
    {
        if (_names.Sparse(name) is not { } field)
        {
            if (_names.Dense(name) is null)
                throw FieldNames.Unknown(name);
            var value = new JsonFields(cursor.ReadElement(), "vector");
            if (value["indices"] is not null)
                throw ApiException.WrongInput("Conversion between sparse and regular vectors failed");
            throw Documents.NoModelForPoints(value);
        }

        var start = cursor.Position;
        bool hasIndices = false, hasValues = false;
        _indices.Clear();
        _values.Clear();
        var first = true;
        cursor.BeginObject("struct SparseVector");
        while (cursor.NextProperty(ref first, out var part))
        {
            if (part.SequenceEqual("indices"u8) && !hasIndices)
            {
                cursor.ReadIndices(_indices);
                hasIndices = true;
            }
            else if (part.SequenceEqual("values"u8) && !hasValues)
            {
                cursor.ReadFloats(_values);
                hasValues = true;
            }
            else
            {
                cursor = new JsonCursor(cursor.Text, start);
                Documents.WriteSparse(operations, field.Name, new JsonFields(cursor.ReadElement(), "vector"), _indices, _values);
                return;
            }
        }

        if (!hasIndices || !hasValues)
            throw cursor.Fail($"missing field `{(hasIndices ? "values" : "indices")}`");
        if (strict?.VectorLimit("sparse_config", field.Name, "max_length") is { } limit && _indices.Count > limit)
            throw ApiException.StrictMode(
                $"Sparse vector '{field.Name}' has a limit of {limit} indices, but {_indices.Count} were provided!",
                    "Reduce the number of indices in the sparse vector");
        SparseVectors.Write(operations, field.Name, _indices, _values, $"points[{number}].vector.?");
    }
}
