using System.Runtime.InteropServices;
using System.Text;

namespace Granary.Index.Payload;

/// <summary>How indexes are written: fixed-width values little-endian, slots as differences in 7-bit groups.</summary>
internal static class IndexImage
{
    public sealed class Writer(Stream stream, Func<int, bool> has) : BinaryWriter(stream, Encoding.UTF8, leaveOpen: true)
    {
        private readonly List<int> _slots = [];

        /// <summary>Whether the image holds a slot.</summary>
        public bool Has(int slot) => has(slot);

        public void WriteValue<T>(T value) where T : unmanaged => Write(MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)));

        public void WriteSlots(SlotSet slots)
        {
            // Others may be added meanwhile, so they are counted as they are read.
            _slots.Clear();
            foreach (var slot in slots.Slots())
            {
                if (has(slot))
                    _slots.Add(slot);
            }

            Write7BitEncodedInt(_slots.Count);
            var last = 0;
            foreach (var slot in _slots)
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
