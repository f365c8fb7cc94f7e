using System.Buffers;

namespace Granary.Index.Partition;

/// <content>The image: the number of slots, then each slot's birth, death, previous and id, as they stand in memory
/// (little-endian).</content>
internal sealed unsafe partial class SlotTable
{
    /// <summary>
    /// Writes the first <paramref name="count"/> slots as they were after an operation. Later ones may be applied meanwhile, as long as no
    /// slot is released.
    /// </summary>
    public void Save(Stream stream, int count, long operation)
    {
        Span<byte> head = stackalloc byte[sizeof(int)];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32LittleEndian(head, count);
        stream.Write(head);
        var buffer = ArrayPool<byte>.Shared.Rent(1024 * sizeof(Entry));
        for (var slot = 0; slot < count;)
        {
            var filled = 0;
            for (; slot < count && filled < 1024; slot++, filled++)
            {
                Entry entry = default;
                if (WasTaken(slot, operation))
                {
                    entry = At(slot);
                    // It may be being ended this moment; the field is read again, whole.
                    entry.Death = IsVisible(slot, operation) ? Never : Volatile.Read(ref At(slot).Death);
                }

                new ReadOnlySpan<byte>(&entry, sizeof(Entry)).CopyTo(buffer.AsSpan(filled * sizeof(Entry)));
            }

            stream.Write(buffer, 0, filled * sizeof(Entry));
        }

        ArrayPool<byte>.Shared.Return(buffer);
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    public static SlotTable Load(Stream stream, Memory.EpochClock epochs)
    {
        Span<byte> head = stackalloc byte[sizeof(int)];
        stream.ReadExactly(head);
        var count = System.Buffers.Binary.BinaryPrimitives.ReadInt32LittleEndian(head);
        var table = new SlotTable(epochs);
        for (var slot = 0; slot < count; slot++)
        {
            table._entries.Ensure(slot);
            stream.ReadExactly(new Span<byte>(table._entries.Row(slot), sizeof(Entry)));
        }

        table._count = count;
        table.Rebuild(count);
        table._used = 0;
        for (var slot = 0; slot < count; slot++)
        {
            if (!table.IsTaken(slot))
                table._free.Enqueue((slot, 0));
            else if (table.At(slot).Death == Never)
                table.Link(slot);
        }

        return table;
    }
}
