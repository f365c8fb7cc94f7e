using System.Numerics;

namespace Granary.Index.Postings;

/// <summary>Packs 128 unsigned numbers into as few bits each as the largest needs.</summary>
internal static class BlockCodec
{
    public const int Size = 128;

    /// <summary>Words a block of this width takes.</summary>
    public static int Words(int bits) => bits * Size / 32;

    /// <summary>Bits the largest of the values needs.</summary>
    public static int Width(ReadOnlySpan<uint> values)
    {
        uint all = 0;
        foreach (var value in values)
            all |= value;
        return 32 - BitOperations.LeadingZeroCount(all);
    }

    /// <summary>Packs <see cref="Size"/> values; the target must be zero.</summary>
    public static void Pack(ReadOnlySpan<uint> values, int bits, Span<uint> target)
    {
        var position = 0;
        for (var i = 0; i < Size; i++, position += bits)
        {
            var shifted = (ulong)values[i] << (position & 31);
            target[position >> 5] |= (uint)shifted;
            if (shifted >> 32 != 0)
                target[(position >> 5) + 1] |= (uint)(shifted >> 32);
        }
    }

    /// <summary>Unpacks <see cref="Size"/> values; one word beyond the packed ones is read.</summary>
    public static void Unpack(ReadOnlySpan<uint> source, int bits, Span<uint> values)
    {
        values = values[..Size];
        if (bits == 0)
        {
            values.Clear();
            return;
        }

        if (bits == 32)
        {
            source[..Size].CopyTo(values);
            return;
        }

        var mask = (1u << bits) - 1;
        var position = 0;
        for (var i = 0; i < values.Length; i++, position += bits)
        {
            var word = position >> 5;
            values[i] = (uint)((source[word] | ((ulong)source[word + 1] << 32)) >> (position & 31)) & mask;
        }
    }
}
