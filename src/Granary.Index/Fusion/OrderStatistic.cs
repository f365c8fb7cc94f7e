using System.Numerics;
using System.Runtime.Intrinsics;

namespace Granary.Index.Fusion;

/// <summary>
/// The n-th largest of some numbers, found bit by bit: numbers become integers of the same order, and of each bit of the one that is looked
/// for it is counted how many are at least as large with it. Nothing is moved and nothing branches on a number, so that some hundred cost
/// a tenth of what sorting them does.
/// </summary>
internal static class OrderStatistic
{
    private const int Lanes = 8;

    /// <summary>Room that <paramref name="count"/> numbers need.</summary>
    public static int Room(int count) => (count + Lanes - 1) & -Lanes;

    /// <summary>The n-th largest; of zeros either.</summary>
    /// <param name="values">None of them is NaN; at least <paramref name="n"/>.</param>
    /// <param name="n">From 1.</param>
    /// <param name="keys">As large as <see cref="Room"/> says.</param>
    public static float Largest(ReadOnlySpan<float> values, int n, Span<int> keys)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(n);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(n, values.Length);
        int least = int.MaxValue, most = int.MinValue;
        for (var i = 0; i < values.Length; i++)
        {
            var bits = BitConverter.SingleToInt32Bits(values[i]);
            var key = bits ^ ((bits >> 31) & int.MaxValue);
            (least, most) = (Math.Min(least, key), Math.Max(most, key));
            keys[i] = key;
        }

        // The least number there is: whatever is counted is above it.
        keys = keys[..Room(values.Length)];
        keys[values.Length..].Fill(int.MinValue);
        var found = (uint)least ^ 0x8000_0000;
        if (n > 1 && least != most)
        {
            // What all have in common is known. From there on: the largest that n of them reach.
            var open = 32 - BitOperations.LeadingZeroCount((uint)(least ^ most));
            found = (uint)(((ulong)found >> open) << open);
            for (var bit = open - 1; bit >= 0; bit--)
            {
                var with = found | (1u << bit);
                if (CountFrom((int)(with ^ 0x8000_0000), keys) >= n)
                    found = with;
            }
        }
        else if (n == 1)
        {
            found = (uint)most ^ 0x8000_0000;
        }

        var signed = (int)(found ^ 0x8000_0000);
        return BitConverter.Int32BitsToSingle(signed ^ ((signed >> 31) & int.MaxValue));
    }

    private static int CountFrom(int least, ReadOnlySpan<int> keys)
    {
        var counts = Vector256<int>.Zero;
        var bound = Vector256.Create(least);
        for (var i = 0; i < keys.Length; i += Lanes)
            counts -= Vector256.GreaterThanOrEqual(Vector256.Create(keys.Slice(i, Lanes)), bound);
        return Vector256.Sum(counts);
    }
}
