using System.Buffers.Binary;
using System.Runtime.InteropServices;
using ArmCrc32 = System.Runtime.Intrinsics.Arm.Crc32;
using Sse42 = System.Runtime.Intrinsics.X86.Sse42;

namespace Granary.Index.Checkpoints;

/// <summary>
/// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78, as in RFC 3720), by the processor's instruction where it has one.
/// </summary>
public static class Crc32C
{
    private const uint Polynomial = 0x82F63B78;
    private static readonly uint[] Table = MakeTable();

    /// <summary>The checksum of some bytes.</summary>
    public static uint Compute(ReadOnlySpan<byte> data) => Append(0, data);

    /// <summary>The checksum of bytes whose checksum is <paramref name="crc"/> followed by <paramref name="data"/>; 0 starts.</summary>
    public static uint Append(uint crc, ReadOnlySpan<byte> data)
    {
        if (Sse42.X64.IsSupported)
            return ~AppendSse(~crc, data);
        return ArmCrc32.Arm64.IsSupported ? ~AppendArm(~crc, data) : ~AppendTable(~crc, data);
    }

    /// <summary>The definition the other paths must equal; without the inversions.</summary>
    internal static uint AppendTable(uint state, ReadOnlySpan<byte> data)
    {
        foreach (var value in data)
            state = Table[(byte)(state ^ value)] ^ (state >> 8);
        return state;
    }

    private static uint AppendSse(uint state, ReadOnlySpan<byte> data)
    {
        ulong wide = state;
        var words = MemoryMarshal.Cast<byte, ulong>(data);
        foreach (var word in words)
            wide = Sse42.X64.Crc32(wide, word);
        state = (uint)wide;
        foreach (var value in data[(words.Length * sizeof(ulong))..])
            state = Sse42.Crc32(state, value);
        return state;
    }

    private static uint AppendArm(uint state, ReadOnlySpan<byte> data)
    {
        while (data.Length >= sizeof(ulong))
        {
            state = ArmCrc32.Arm64.ComputeCrc32C(state, BinaryPrimitives.ReadUInt64LittleEndian(data));
            data = data[sizeof(ulong)..];
        }

        foreach (var value in data)
            state = ArmCrc32.ComputeCrc32C(state, value);
        return state;
    }

    private static uint[] MakeTable()
    {
        var table = new uint[256];
        for (var i = 0u; i < table.Length; i++)
        {
            var value = i;
            for (var bit = 0; bit < 8; bit++)
                value = (value & 1) == 0 ? value >> 1 : (value >> 1) ^ Polynomial;
            table[i] = value;
        }

        return table;
    }
}
