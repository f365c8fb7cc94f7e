using Granary.Collections;
using Granary.Http.Hosting;
using Granary.Http.Json;
using Granary.Http.StrictMode;
using Granary.Index;
using Granary.Index.Operations;

namespace Granary.Http.Requests;

/// <summary>
/// Reads points out of request bodies straight into encoded operations: every vector is parsed once, into the buffer that is
/// logged. A mistake is thrown before anything is accepted.
/// </summary>
internal sealed partial class PointsReader(CollectionConfig config, StrictModeSettings? strict, OperationWriter operations)
{
    private readonly FieldNames _names = new(config);

    /// <summary>Reads <c>{"points": [...]}</c> or <c>{"batch": {...}}</c>.</summary>
    public void Upsert(ref JsonCursor body)
    {
        int? points = null, batch = null;
        var condition = default(ReadOnlySpan<byte>);
        var mode = OperationFlags.None;
        var first = true;
        body.BeginObject("Invalid PointInsertOperations format");
        while (body.NextProperty(ref first, out var name))
        {
            if (name.SequenceEqual("points"u8))
                points = Once(points, ref body, "points");
            else if (name.SequenceEqual("batch"u8))
                batch = Once(batch, ref body, "batch");
            else if (name.SequenceEqual("update_filter"u8))
                condition = ReadCondition(ref body);
            else if (name.SequenceEqual("update_mode"u8))
                mode = ReadMode(ref body);
            else
                body.Skip();
        }

        if (batch is { } batchAt)
        {
            var cursor = new JsonCursor(body.Text, batchAt);
            UpsertBatch(ref cursor, condition, mode);
        }
        else if (points is { } pointsAt)
        {
            var cursor = new JsonCursor(body.Text, pointsAt);
            ReadPoints(ref cursor, OperationKind.Upsert, condition, mode);
        }
        else
        {
            throw ApiException.Format("Invalid PointInsertOperations format");
        }
    }

    /// <summary>Reads <c>{"points": [{"id", "vector"}]}</c>.</summary>
    public void UpdateVectors(ref JsonCursor body)
    {
        int? points = null;
        var condition = default(ReadOnlySpan<byte>);
        var first = true;
        body.BeginObject("struct UpdateVectors");
        while (body.NextProperty(ref first, out var name))
        {
            if (name.SequenceEqual("points"u8))
                points = Once(points, ref body, "points");
            else if (name.SequenceEqual("update_filter"u8))
                condition = ReadCondition(ref body);
            else
                body.Skip();
        }

        var cursor = new JsonCursor(body.Text, points ?? throw ApiException.Format("missing field `points`"));
        if (ReadPoints(ref cursor, OperationKind.UpdateVectors, condition, OperationFlags.None) == 0)
            throw ApiException.Invalid("points", "must specify points to update");
    }

    /// <summary>The position of a value that is read later; naming a field twice is an error.</summary>
    private static int Once(int? before, ref JsonCursor body, string field)
    {
        if (before is not null)
            throw body.Fail($"duplicate field `{field}`");
        body.Peek();
        var at = body.Position;
        body.SkipLoosely();
        return at;
    }

    private static ReadOnlySpan<byte> ReadCondition(scoped ref JsonCursor body)
    {
        if (body.TryNull())
            return default;
        body.Peek();
        var start = body.Position;
        FilterBody.Read(body.ReadElement());
        return body.Text[start..body.Position];
    }

    private static OperationFlags ReadMode(scoped ref JsonCursor body) => body.TryNull() ? OperationFlags.None : body.ReadString() switch
    {
        "upsert" => OperationFlags.None,
        "insert_only" => OperationFlags.InsertOnly,
        "update_only" => OperationFlags.UpdateOnly,
        var other => throw body.Fail($"unknown variant `{other}`, expected one of `upsert`, `insert_only`, `update_only`"),
    };

    private int ReadPoints(ref JsonCursor cursor, OperationKind kind, ReadOnlySpan<byte> condition, OperationFlags mode)
    {
        var first = true;
        var count = 0;
        cursor.BeginArray("a sequence of points");
        while (cursor.NextItem(ref first))
        {
            ReadPoint(ref cursor, kind, condition, mode, count);
            count++;
        }

        CheckBatchSize(kind, count);
        return count;
    }

    private void ReadPoint(ref JsonCursor cursor, OperationKind kind, ReadOnlySpan<byte> condition, OperationFlags mode, int number)
    {
        PointId? id = null;
        int? vector = null;
        var vectorEnd = 0;
        var payload = default(ReadOnlySpan<byte>);
        var hasPayload = false;
        var first = true;
        cursor.BeginObject("struct PointStruct");
        while (cursor.NextProperty(ref first, out var name))
        {
            if (name.SequenceEqual("id"u8))
            {
                if (id is not null)
                    throw cursor.Fail("duplicate field `id`");
                id = cursor.ReadId();
            }
            else if (name.SequenceEqual("vector"u8) || name.SequenceEqual("vectors"u8))
            {
                vector = Once(vector, ref cursor, "vector");
                vectorEnd = cursor.Position;
            }
            else if (name.SequenceEqual("payload"u8) && kind == OperationKind.Upsert)
            {
                if (hasPayload)
                    throw cursor.Fail("duplicate field `payload`");
                hasPayload = true;
                cursor.ReadPayload(out payload);
            }
            else
            {
                cursor.Skip();
            }
        }

        if (id is null)
            throw cursor.Fail("missing field `id`");
        if (vector is null && kind == OperationKind.UpdateVectors)
            throw cursor.Fail("missing field `vector`");
        operations.Begin(kind, id.Value, mode);
        if (!condition.IsEmpty)
            operations.Filter(condition);
        if (!payload.IsEmpty)
            operations.Payload(payload);
        if (vector is { } vectorAt)
        {
            var vectors = new JsonCursor(cursor.Text, vectorAt);
            WriteVectors(ref vectors, number, required: kind == OperationKind.UpdateVectors);
            if (vectors.Position != vectorEnd)
                throw vectors.Fail("expected `,` or `}`");
        }

        operations.End();
    }

    private void CheckBatchSize(OperationKind kind, int count)
    {
        if (strict?.Limit("upsert_max_batchsize") is { } limit && count > limit)
        {
            var name = kind == OperationKind.Upsert ? "upsert limit" : "update limit";
            throw ApiException.StrictMode($"Limit exceeded {count} > {limit} for \"{name}\"",
                $"Reduce the \"{name}\" parameter to or below {limit}.");
        }
    }
}
