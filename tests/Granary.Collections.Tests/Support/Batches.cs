using System.Text;
using Granary.Index;
using Granary.Index.Filters;
using Granary.Index.Operations;

namespace Granary.Collections.Tests.Support;

/// <summary>Short ways to write batches.</summary>
internal static class Batches
{
    public static readonly WriteOptions Wait = new() { Wait = true };

    public static readonly WriteOptions NoWait = new();

    public static WriteBatch Upsert(this WriteBatch batch, ulong id, float[]? vector = null, string? payload = null, string name = "")
    {
        batch.Operations.Begin(OperationKind.Upsert, new PointId(id));
        if (payload is not null)
            batch.Operations.Payload(Encoding.UTF8.GetBytes(payload));
        if (vector is not null)
            batch.Operations.Dense(name, vector);
        batch.Operations.End();
        return batch;
    }

    public static WriteBatch Delete(this WriteBatch batch, ulong id)
    {
        batch.Operations.Begin(OperationKind.Delete, new PointId(id));
        batch.Operations.End();
        return batch;
    }

    public static WriteBatch SetPayload(this WriteBatch batch, ulong id, string payload)
    {
        batch.Operations.Begin(OperationKind.SetPayload, new PointId(id));
        batch.Operations.Payload(Encoding.UTF8.GetBytes(payload));
        batch.Operations.End();
        return batch;
    }

    public static WriteBatch ClearPayload(this WriteBatch batch, ulong id)
    {
        batch.Operations.Begin(OperationKind.ClearPayload, new PointId(id));
        batch.Operations.End();
        return batch;
    }

    public static WriteBatch SetWhere(this WriteBatch batch, Filter filter, string payload)
    {
        batch.Operations.Begin(OperationKind.SetPayload, default, OperationFlags.ByFilter);
        batch.Operations.Filter(FilterJson.ToUtf8(filter));
        batch.Operations.Payload(Encoding.UTF8.GetBytes(payload));
        batch.Operations.End();
        return batch;
    }

    public static WriteBatch DeleteWhere(this WriteBatch batch, Filter filter)
    {
        batch.Operations.Begin(OperationKind.Delete, default, OperationFlags.ByFilter);
        batch.Operations.Filter(FilterJson.ToUtf8(filter));
        batch.Operations.End();
        return batch;
    }

    public static Filter Has(string key, long value) => new() { Must = [new MatchAnyCondition(key, [MatchValue.Of(value)])] };

    public static Filter Has(string key, string value) => new() { Must = [new MatchAnyCondition(key, [MatchValue.Of(value)])] };

    public static float[] Vector(Random random, int size = 8)
    {
        var vector = new float[size];
        for (var i = 0; i < size; i++)
            vector[i] = (float)((random.NextDouble() * 2) - 1);
        return vector;
    }
}
