using System.Numerics;

namespace Granary.Http.Json;

internal static partial class FloatParser
{
    private const int SmallestPower = -65;
    private const int LargestPower = 38;

    /// <summary>The upper 128 bits of 5^q, normalised, high half first, for q from -65 to 38.</summary>
    private static readonly ulong[] PowersOfFive = MakePowersOfFive();

    private static ulong[] MakePowersOfFive()
    {
        var table = new ulong[(LargestPower - SmallestPower + 1) * 2];
        var limit = BigInteger.One << 128;
        for (var q = SmallestPower; q <= LargestPower; q++)
        {
            var power = BigInteger.Pow(5, Math.Abs(q));
            BigInteger significand;
            if (q < 0)
            {
                var bits = 0;
                while ((BigInteger.One << bits) < power)
                    bits++;
                // Reciprocals are rounded up, which the proof of the method needs.
                significand = (BigInteger.One << (q >= -27 ? bits + 127 : 2 * bits + 128)) / power + 1;
            }
            else
            {
                significand = power;
                while (significand < limit >> 1)
                    significand <<= 1;
            }

            while (significand >= limit)
                significand >>= 1;
            var at = (q - SmallestPower) * 2;
            table[at] = (ulong)(significand >> 64);
            table[at + 1] = (ulong)(significand & ulong.MaxValue);
        }

        return table;
    }
}
