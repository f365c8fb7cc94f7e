using System.Buffers.Binary;
using System.Numerics;

namespace Granary.Index.Filters;

/// <summary>
/// SipHash-2-4 (Aumasson and Bernstein, 2012) with a zero key over a point id: 8 little-endian bytes of a number, 16 network-order bytes of
/// a UUID. Qdrant publishes it as the contract of its <c>slice</c> condition.
/// </summary>
internal static class SliceHash
{
    public static bool Contains(SliceCondition slice, PointId id) => Of(id) % (ulong)slice.Total == (ulong)slice.Index;

    public static ulong Of(PointId id)
    {
        Span<byte> bytes = stackalloc byte[16];
        if (id.Kind == PointIdKind.Number)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, id.Number);
            bytes = bytes[..8];
        }
        else
        {
            id.Uuid.TryWriteBytes(bytes, bigEndian: true, out _);
        }

        var state = new State(0x736f6d6570736575, 0x646f72616e646f6d, 0x6c7967656e657261, 0x7465646279746573);
        for (var i = 0; i < bytes.Length; i += 8)
            state.Take(BinaryPrimitives.ReadUInt64LittleEndian(bytes[i..]));
        state.Take((ulong)bytes.Length << 56);
        return state.Finish();
    }

    private struct State(ulong v0, ulong v1, ulong v2, ulong v3)
    {
        public void Take(ulong word)
        {
            v3 ^= word;
            Rounds(2);
            v0 ^= word;
        }

        public ulong Finish()
        {
            v2 ^= 0xff;
            Rounds(4);
            return v0 ^ v1 ^ v2 ^ v3;
        }

        private void Rounds(int count)
        {
            for (; count > 0; count--)
            {
                v0 += v1;
                v1 = BitOperations.RotateLeft(v1, 13) ^ v0;
                v0 = BitOperations.RotateLeft(v0, 32);
                v2 += v3;
                v3 = BitOperations.RotateLeft(v3, 16) ^ v2;
                v0 += v3;
                v3 = BitOperations.RotateLeft(v3, 21) ^ v0;
                v2 += v1;
                v1 = BitOperations.RotateLeft(v1, 17) ^ v2;
                v2 = BitOperations.RotateLeft(v2, 32);
            }
        }
    }
}
