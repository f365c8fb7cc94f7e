using System.Runtime.InteropServices;
using System.Text;

namespace Granary.Index.Payload;

/// <summary>How indexes are written: fixed-width values little-endian, slots as differences in 7-bit groups.</summary>
internal static class IndexImage
{
    public sealed class Writer(Stream stream) : BinaryWriter(stream, Encoding.UTF8, leaveOpen: true)
    {
        public void WriteValue<T>(T value) where T : unmanaged => Write(MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)));

        public void WriteSlots(SlotSet slots)
        {
            Write7BitEncodedInt(slots.Count);
            var last = 0;
            foreach (var slot in slots.Slots())
            {
                Write7BitEncodedInt(slot - last);
                last = slot;
            }
        }
    }

    public sealed class Reader(Stream stream) : BinaryReader(stream, Encoding.UTF8, leaveOpen: true)
    {
        public T ReadValue<T>() where T : unmanaged
        {
            T value = default;
            BaseStream.ReadExactly(MemoryMarshal.AsBytes(new Span<T>(ref value)));
            return value;
        }

        public void ReadSlots(SlotSet slots)
        {
            var count = Read7BitEncodedInt();
            var slot = 0;
            for (var i = 0; i < count; i++)
                slots.Add(slot += Read7BitEncodedInt());
        }
    }
}
