using System.Buffers.Binary;
using System.Numerics;

namespace Granary.Index.Sparse;

/// <summary>MurmurHash3 x86 32-bit (Austin Appleby, public domain).</summary>
internal static class Murmur3
{
    public static uint Hash(ReadOnlySpan<byte> data, uint seed = 0)
    {
        var hash = seed;
        var rest = data;
        while (rest.Length >= 4)
        {
            hash ^= Scramble(BinaryPrimitives.ReadUInt32LittleEndian(rest));
            hash = (BitOperations.RotateLeft(hash, 13) * 5) + 0xE6546B64;
            rest = rest[4..];
        }

        if (!rest.IsEmpty)
        {
            uint tail = 0;
            for (var i = rest.Length - 1; i >= 0; i--)
                tail = (tail << 8) | rest[i];
            hash ^= Scramble(tail);
        }

        hash ^= (uint)data.Length;
        hash = (hash ^ (hash >> 16)) * 0x85EBCA6B;
        hash = (hash ^ (hash >> 13)) * 0xC2B2AE35;
        return hash ^ (hash >> 16);
    }

    private static uint Scramble(uint block) => BitOperations.RotateLeft(block * 0xCC9E2D51, 15) * 0x1B873593;
}
