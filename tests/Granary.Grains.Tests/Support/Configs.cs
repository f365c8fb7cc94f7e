using System.Text;
using Granary.Collections;
using Granary.Index;
using Granary.Index.Operations;

namespace Granary.Grains.Tests.Support;

/// <summary>Collections and batches for tests.</summary>
internal static class Configs
{
    public static readonly CollectionConfig Plain = new()
    {
        Schema = new IndexSchema
        {
            Dense = [new DenseVectorSchema("", 8, Distance.Dot)],
            Text = [new TextFieldSchema("text", "text")],
        },
    };

    public static WriteBatch Upsert(this WriteBatch batch, ulong id, float[]? vector = null, string? payload = null)
    {
        batch.Operations.Begin(OperationKind.Upsert, new PointId(id));
        if (payload is not null)
            batch.Operations.Payload(Encoding.UTF8.GetBytes(payload));
        if (vector is not null)
            batch.Operations.Dense("", vector);
        batch.Operations.End();
        return batch;
    }

    /// <summary>A vector of length 1 that belongs to an id.</summary>
    public static float[] Vector(ulong id)
    {
        var random = new Random((int)id);
        var vector = new float[8];
        var length = 0f;
        for (var i = 0; i < vector.Length; i++)
        {
            vector[i] = (float)((random.NextDouble() * 2) - 1);
            length += vector[i] * vector[i];
        }

        for (var i = 0; i < vector.Length; i++)
            vector[i] /= MathF.Sqrt(length);
        return vector;
    }
}
