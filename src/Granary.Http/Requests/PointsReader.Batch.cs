using Granary.Http.Hosting;
using Granary.Http.Json;
using Granary.Index;
using Granary.Index.Operations;

namespace Granary.Http.Requests;

internal sealed partial class PointsReader
{
    /// <summary>Reads points by columns: <c>{"ids": [...], "vectors": [...] or {name: [...]}, "payloads": [...]}</c>.</summary>
    private void UpsertBatch(ref JsonCursor batch, ReadOnlySpan<byte> condition, OperationFlags mode)
    {
        List<PointId>? ids = null;
        List<int>? payloads = null;
        int? vectors = null;
        var first = true;
        batch.BeginObject("struct Batch");
        while (batch.NextProperty(ref first, out var name))
        {
            if (name.SequenceEqual("ids"u8))
                ids = ReadIds(ref batch);
            else if (name.SequenceEqual("vectors"u8))
                vectors = Once(vectors, ref batch, "vectors");
            else if (name.SequenceEqual("payloads"u8))
                payloads = batch.TryNull() ? null : Positions(ref batch);
            else
                batch.Skip();
        }

        if (ids is null)
            throw batch.Fail("missing field `ids`");
        var columns = vectors is { } at ? ReadColumns(new JsonCursor(batch.Text, at), ids.Count)
            : throw batch.Fail("missing field `vectors`");
        if (payloads is not null && payloads.Count != ids.Count)
            throw ApiException.Invalid("batch", $"number of ids and payloads must be equal ({ids.Count} != {payloads.Count})");
        CheckBatchSize(OperationKind.Upsert, ids.Count);

        for (var i = 0; i < ids.Count; i++)
        {
            operations.Begin(OperationKind.Upsert, ids[i], mode);
            if (!condition.IsEmpty)
                operations.Filter(condition);
            if (payloads is not null)
            {
                var cursor = new JsonCursor(batch.Text, payloads[i]);
                cursor.ReadPayload(out var payload);
                if (!payload.IsEmpty)
                    operations.Payload(payload);
            }

            foreach (var (name, positions) in columns)
            {
                var cursor = new JsonCursor(batch.Text, positions[i]);
                if (cursor.Peek() is not ((byte)'[' or (byte)'{'))
                    throw cursor.WrongType("a vector");
                WriteVector(ref cursor, name, i);
            }

            operations.End();
        }
    }

    private static List<(byte[] Name, List<int> Positions)> ReadColumns(JsonCursor vectors, int count)
    {
        var columns = new List<(byte[] Name, List<int> Positions)>();
        if (vectors.Peek() == '[')
        {
            columns.Add(([], Positions(ref vectors)));
        }
        else
        {
            var first = true;
            vectors.BeginObject("data did not match any variant of untagged enum BatchVectorStruct");
            while (vectors.NextProperty(ref first, out var name))
            {
                var bytes = name.ToArray();
                if (columns.Any(c => c.Name.AsSpan().SequenceEqual(bytes)))
                    throw vectors.Fail($"duplicate field `{System.Text.Encoding.UTF8.GetString(bytes)}`");
                columns.Add((bytes, Positions(ref vectors)));
            }
        }

        foreach (var (_, positions) in columns)
        {
            if (positions.Count != count)
                throw ApiException.Invalid("batch", $"number of ids and vectors must be equal ({count} != {positions.Count})");
        }

        return columns;
    }

    private static List<PointId> ReadIds(ref JsonCursor cursor)
    {
        var ids = new List<PointId>();
        var first = true;
        cursor.BeginArray("a sequence of point ids");
        while (cursor.NextItem(ref first))
            ids.Add(cursor.ReadId());
        return ids;
    }

    /// <summary>Where each item of an array stands.</summary>
    private static List<int> Positions(ref JsonCursor cursor)
    {
        var positions = new List<int>();
        var first = true;
        cursor.BeginArray("a sequence");
        while (cursor.NextItem(ref first))
        {
            cursor.Peek();
            positions.Add(cursor.Position);
            cursor.SkipLoosely();
        }

        return positions;
    }
}
