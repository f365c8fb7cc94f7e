using System.Text;
using Granary.Index;
using Granary.Index.Operations;

namespace Granary.Collections.Catalog;

/// <summary>The operations that make one schema of another. Payload indexes come and go by operations of their own.</summary>
internal static class SchemaChange
{
    /// <summary>The operations, one after another, and how many.</summary>
    public static (ReadOnlyMemory<byte> Operations, int Count) Between(IndexSchema before, IndexSchema after)
    {
        var writer = new OperationWriter();
        if (!SameFields(before, after))
            Add(writer, OperationKind.ChangeSchema, w => w.Payload(SchemaJson.Write(after)));
        foreach (var index in before.PayloadIndexes.Where(i => after.FindPayloadIndex(i.Path) is null))
            AddDrop(writer, index.Path);
        foreach (var index in after.PayloadIndexes)
        {
            var old = before.FindPayloadIndex(index.Path);
            if (old is null || !SchemaJson.Write(old).AsSpan().SequenceEqual(SchemaJson.Write(index)))
                AddCreate(writer, index);
        }

        var count = writer.Count;
        return (writer.Detach(), count);
    }

    /// <summary>Whether both have the same vectors and text fields, payload indexes aside.</summary>
    public static bool SameFields(IndexSchema a, IndexSchema b) => Same(Fields(a), Fields(b));

    /// <summary>The operation that creates an index.</summary>
    public static ReadOnlyMemory<byte> Create(PayloadIndexSchema index)
    {
        var writer = new OperationWriter();
        AddCreate(writer, index);
        return writer.Detach();
    }

    /// <summary>The operation that drops an index.</summary>
    public static ReadOnlyMemory<byte> Drop(string path)
    {
        var writer = new OperationWriter();
        AddDrop(writer, path);
        return writer.Detach();
    }

    private static void AddCreate(OperationWriter writer, PayloadIndexSchema index) =>
        Add(writer, OperationKind.CreatePayloadIndex, w => w.Payload(SchemaJson.Write(index)));

    private static void AddDrop(OperationWriter writer, string path) =>
        Add(writer, OperationKind.DropPayloadIndex, w => w.Key(Encoding.UTF8.GetBytes(path)));

    private static void Add(OperationWriter writer, OperationKind kind, Action<OperationWriter> parts)
    {
        writer.Begin(kind, default);
        parts(writer);
        writer.End();
    }

    private static bool Same(IndexSchema a, IndexSchema b) => SchemaJson.Write(a).AsSpan().SequenceEqual(SchemaJson.Write(b));

    private static IndexSchema Fields(IndexSchema schema) => new()
    {
        Dense = [.. schema.Dense.OrderBy(d => d.Name, StringComparer.Ordinal)],
        Sparse = [.. schema.Sparse.OrderBy(s => s.Name, StringComparer.Ordinal)],
        Text = [.. schema.Text.OrderBy(t => t.Name, StringComparer.Ordinal)],
    };
}
