namespace Granary.Index.Postings;

/// <summary>Unsigned LEB128.</summary>
internal static class Varint
{
    public static int Size(uint value) => value < 1u << 7 ? 1 : value < 1u << 14 ? 2 : value < 1u << 21 ? 3 : value < 1u << 28 ? 4 : 5;

    /// <summary>Writes a value and returns how many bytes it took.</summary>
    public static int Write(uint value, Span<byte> target)
    {
        var at = 0;
        while (value >= 0x80)
        {
            target[at++] = (byte)(value | 0x80);
            value >>= 7;
        }

        target[at++] = (byte)value;
        return at;
    }

    public static uint Read(ReadOnlySpan<byte> source, ref int at)
    {
        uint value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var part = source[at++];
            value |= (uint)(part & 0x7F) << shift;
            if (part < 0x80)
                return value;
        }
    }
}
