using Granary.Index.Memory;

namespace Granary.Index.Vectors;

public sealed unsafe partial class MultiField
{
    private const uint Magic = 0x4656_4D47; // "GMVF"
    private const int Version = 1;

    /// <summary>
    /// Writes the field: little-endian magic, version, size, rows, then each row's slot, count and values. Called by the applier.
    /// </summary>
    public void Save(Stream stream) => Save(stream, _rowCount, SlotOf);

    /// <summary>Writes the first rows, each as of the slot it had; the others' matrices are not touched.</summary>
    internal void Save(Stream stream, int rows, Func<int, int> slotOf)
    {
        using var writer = new BinaryWriter(stream, System.Text.Encoding.UTF8, leaveOpen: true);
        writer.Write(Magic);
        writer.Write(Version);
        writer.Write(Schema.Size);
        writer.Write(rows);
        for (var row = 0; row < rows; row++)
        {
            var slot = slotOf(row);
            writer.Write(slot);
            writer.Write(slot < 0 ? 0 : At(row).Rows);
            if (slot >= 0)
                writer.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes(Matrix(row)));
        }
    }

    /// <summary>Reads what <see cref="Save(Stream)"/> wrote.</summary>
    /// <exception cref="GranaryException">The data is damaged, newer, or of another size.</exception>
    public static MultiField Load(Stream stream, DenseVectorSchema schema, EpochClock epochs)
    {
        var field = new MultiField(schema, epochs);
        try
        {
            field.Read(stream);
            return field;
        }
        catch (EndOfStreamException e)
        {
            field.Dispose();
            throw new GranaryException(ErrorKind.Corrupted, $"vectors.{schema.Name}: the data ends too soon", e);
        }
        catch
        {
            field.Dispose();
            throw;
        }
    }

    private void Read(Stream stream)
    {
        using var reader = new BinaryReader(stream, System.Text.Encoding.UTF8, leaveOpen: true);
        FieldFormat.Check(Schema, reader.ReadUInt32(), Magic, reader.ReadInt32(), Version);
        FieldFormat.CheckEqual(Schema, "size", Schema.Size, reader.ReadInt32());
        var rows = reader.ReadInt32();
        var values = Array.Empty<float>();
        for (var row = 0; row < rows; row++)
        {
            var slot = reader.ReadInt32();
            var count = reader.ReadInt32();
            if (count < 0 || (long)count * Schema.Size > Array.MaxLength)
                throw new GranaryException(ErrorKind.Corrupted, $"vectors.{Schema.Name}: row {row} has {count} vectors");
            if (values.Length < count * Schema.Size)
                values = new float[count * Schema.Size];
            if (slot < 0)
            {
                _rows.Ensure(row);
                At(row) = new Entry { Slot = NoSlot };
                _rowCount = row + 1;
                _free.Enqueue((row, 0));
                continue;
            }

            stream.ReadExactly(System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan(0, count * Schema.Size)));
            Restore(row, values.AsSpan(0, count * Schema.Size), slot);
        }
    }

    // The values were normalised when they were first added, and normalising again could change their last bit.
    private void Restore(int row, ReadOnlySpan<float> stored, int slot)
    {
        _rows.Ensure(row);
        ref var entry = ref At(row);
        entry.Values = (float*)System.Runtime.InteropServices.NativeMemory.AlignedAlloc((nuint)stored.Length * sizeof(float), 64);
        stored.CopyTo(new Span<float>(entry.Values, stored.Length));
        entry.Rows = stored.Length / Schema.Size;
        entry.Slot = slot;
        _bytes += stored.Length * sizeof(float);
        _rowCount = row + 1;
        _live++;
    }
}
