using System.Runtime.InteropServices;
using Granary.Index.Memory;
using Granary.Index.Postings;

namespace Granary.Index.Sparse;

/// <content>The image: magic, version, rows (slot, forgotten, dimensions as differences, weights). Posting lists are made again from
/// them.</content>
public sealed partial class SparseField
{
    private const uint Magic = 0x50535247;
    private const uint FormatVersion = 1;

    /// <summary>Writes the index. Called by the writing thread; searches go on.</summary>
    public void Save(Stream stream) => Save(stream, _rows.Count, SlotOf, (row, _) => _rows.ValueOf(row).Forgotten);

    /// <summary>Writes the first rows, each as of the slot it had.</summary>
    internal void Save(Stream stream, int rows, Func<int, int> slotOf, Func<int, int, bool> isForgotten)
    {
        var writer = new FrameWriter(stream);
        writer.WriteNumber(Magic);
        writer.WriteNumber(FormatVersion);
        writer.WriteNumber((uint)rows);
        for (var row = 0; row < rows; row++)
        {
            var slot = slotOf(row);
            writer.WriteSigned(slot);
            if (slot < 0)
                continue;
            var vector = _rows.ValueOf(row);
            writer.WriteNumber(isForgotten(row, slot) ? 1u : 0);
            writer.WriteNumber((uint)vector.Indices.Length);
            uint before = 0;
            foreach (var dimension in vector.Indices)
            {
                writer.WriteNumber(dimension - before);
                before = dimension;
            }

            writer.WriteBytes(MemoryMarshal.AsBytes<float>(vector.Values));
        }

        writer.End();
    }

    /// <summary>Reads an index written by <see cref="Save(Stream)"/>. Rows are numbered anew, without those that were removed.</summary>
    /// <exception cref="GranaryException">The stream is damaged or of a newer format.</exception>
    public static SparseField Load(Stream stream, SparseVectorSchema schema, EpochClock epochs)
    {
        var field = new SparseField(schema, epochs);
        var reader = new FrameReader(stream, schema.Name);
        if (reader.ReadNumber() != Magic)
            throw reader.Corrupted("it is not a sparse index");
        if (reader.ReadNumber() is var version && version != FormatVersion)
            throw reader.Corrupted($"format {version} is not known; this build knows {FormatVersion}");
        var rows = reader.ReadNumber();
        for (var row = 0u; row < rows; row++)
        {
            var slot = reader.ReadSigned();
            if (slot < 0)
                continue;
            var forgotten = reader.ReadNumber() != 0;
            var count = reader.ReadNumber();
            var dimensions = new List<uint>();
            uint before = 0;
            for (var i = 0u; i < count; i++)
            {
                var step = reader.ReadNumber();
                if ((step == 0 && i > 0) || step > uint.MaxValue - before)
                    throw reader.Corrupted($"the dimensions of row {row} do not ascend");
                before += step;
                dimensions.Add(before);
            }

            var bytes = reader.ReadBytes("a row's weights");
            if (bytes.Length != 4L * count)
                throw reader.Corrupted($"row {row} has {count} dimensions and {bytes.Length} bytes of weights");
            var added = field.Add(CollectionsMarshal.AsSpan(dimensions), MemoryMarshal.Cast<byte, float>(bytes), slot);
            if (forgotten)
                field.Forget(added);
        }

        reader.End();
        return field;
    }
}
