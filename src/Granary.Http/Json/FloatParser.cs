using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Granary.Http.Json;

/// <summary>
/// Parses JSON numbers into the nearest float32, ties to even: the same bits as <c>float.Parse</c>, without its cost.
/// Up to 19 digits by the method of Eisel and Lemire ("Number Parsing at a Gigabyte per Second", 2021); longer numbers by
/// the same where rounding their tail up or down makes no difference, else by <c>float.Parse</c>.
/// </summary>
internal static partial class FloatParser
{
    private const int MaxDigits = 19;

    private static ReadOnlySpan<double> ExactPowers =>
        [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22];

    private static ReadOnlySpan<ulong> PowersOfTen =>
    [
        1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000, 100_000_000_000,
        1_000_000_000_000, 10_000_000_000_000, 100_000_000_000_000, 1_000_000_000_000_000, 10_000_000_000_000_000,
    ];

    /// <summary>Parses the number at <paramref name="position"/> and moves behind it.</summary>
    /// <returns>False when there is no JSON number there; the position is then where it went wrong.</returns>
    public static bool TryParse(ReadOnlySpan<byte> json, ref int position, out float value)
    {
        var end = Parse(json, position, out value);
        position = end < 0 ? ~end : end;
        return end >= 0;
    }

    /// <summary>Parses the number that starts at <paramref name="start"/>.</summary>
    /// <returns>Where it ends; the complement of where it went wrong when there is no JSON number.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Parse(ReadOnlySpan<byte> json, int start, out float value)
    {
        value = 0;
        if ((uint)start >= (uint)json.Length)
            return ~start;
        // Signs come at random; nothing may branch on them.
        var minus = Convert.ToInt32(json[start] == '-');
        var at = start + minus;

        ulong digits = 0;
        var firstDigit = at;
        uint digit;
        if (at + 1 < json.Length && json[at] == '0' && json[at + 1] == '.')
        {
            // Most numbers of most vectors: below one.
            at++;
        }
        else
        {
            while (at < json.Length && (digit = (uint)json[at] - '0') <= 9)
            {
                digits = digits * 10 + digit;
                at++;
            }
        }

        var count = at - firstDigit;
        if (count == 0 || (count > 1 && json[firstDigit] == '0'))
            return ~(count == 0 ? at : firstDigit + 1);

        var exponent = 0;
        if (at < json.Length && json[at] == '.')
        {
            var firstFraction = ++at;
            digits = Fraction(json, ref at, digits);
            exponent = firstFraction - at;
            count -= exponent;
            if (exponent == 0)
                return ~at;
        }

        if (at < json.Length && (json[at] | 0x20) == 'e' && !TryExponent(json, ref at, ref exponent))
            return ~at;
        if (count <= MaxDigits && digits < 1UL << 53 && exponent is <= 0 and >= -22)
        {
            // Exact operands make the quotient the double nearest to the number (Clinger, 1990); rounding that to a float is
            // rounding the number itself, unless the double stands exactly between two floats.
            var quotient = (long)digits / ExactPowers[-exponent];
            if ((BitConverter.DoubleToUInt64Bits(quotient) & 0x1FFF_FFFF) != 0x1000_0000)
            {
                value = BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits((float)quotient) | (minus << 31));
                return at;
            }
        }

        value = count > MaxDigits && !FitsWithoutLeadingZeros(json[firstDigit..at], count)
            ? ParseLong(json[start..at])
            : FromDecimal(digits, exponent, minus != 0);
        return at;
    }

    /// <summary>
    /// Adds the digits from <paramref name="at"/> on. Many bytes are looked at together and as many taken as are digits, without
    /// a branch on how many: their number changes from one float to the next and would be mispredicted.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Fraction(ReadOnlySpan<byte> json, ref int at, ulong digits)
    {
        while (Sse41.IsSupported && at + 16 <= json.Length)
        {
            var chunk = Vector128.Create(json.Slice(at, 16)) - Vector128.Create((byte)'0');
            var others = Vector128.GreaterThan(chunk, Vector128.Create((byte)9)).ExtractMostSignificantBits();
            var taken = BitOperations.TrailingZeroCount(others | 0x10000);
            digits = digits * PowersOfTen[taken] + SixteenDigits(chunk, taken);
            at += taken;
            if (taken < 16)
                return digits;
        }

        while (at + 8 <= json.Length)
        {
            var chunk = BinaryPrimitives.ReadUInt64LittleEndian(json[at..]) ^ 0x3030303030303030;
            var others = ((chunk + 0x7676767676767676) | chunk) & 0x8080808080808080;
            var taken = BitOperations.TrailingZeroCount(others) >> 3;
            // Shifted so that the last digit taken comes last; zeros come before the first.
            digits = digits * PowersOfTen[taken] + EightDigits(taken == 8 ? chunk : chunk << (63 - (8 * taken)) << 1);
            at += taken;
            if (taken < 8)
                return digits;
        }

        uint digit;
        while (at < json.Length && (digit = (uint)json[at] - '0') <= 9)
        {
            digits = digits * 10 + digit;
            at++;
        }

        return digits;
    }

    private static bool TryExponent(ReadOnlySpan<byte> json, ref int at, ref int exponent)
    {
        at++;
        var minus = at < json.Length && json[at] == '-';
        if (minus || (at < json.Length && json[at] == '+'))
            at++;
        var first = at;
        var explicitExponent = 0;
        while (at < json.Length && (uint)(json[at] - '0') <= 9)
        {
            // Past 100,000 every number is zero or infinite; the digits go on being skipped.
            if (explicitExponent < 100_000)
                explicitExponent = explicitExponent * 10 + (json[at] - '0');
            at++;
        }

        exponent += minus ? -explicitExponent : explicitExponent;
        return at > first;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint EightDigits(ulong chunk)
    {
        chunk = chunk * 10 + (chunk >> 8);
        return (uint)((((chunk & 0x000000FF000000FF) * 0x000F424000000064) +
                       (((chunk >> 16) & 0x000000FF000000FF) * 0x0000271000000001)) >> 32);
    }

    /// <summary>The number that the first <paramref name="taken"/> of sixteen digits make: pairs, fours, then eights are joined.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong SixteenDigits(Vector128<byte> digits, int taken)
    {
        // Moved so that the last digit taken comes last; an index below zero gives a zero.
        var aligned = Ssse3.Shuffle(digits, Vector128<byte>.Indices - Vector128.Create((byte)(16 - taken)));
        var pairs = Ssse3.MultiplyAddAdjacent(aligned, Vector128.Create((ushort)0x010A).AsSByte());
        var fours = Sse2.MultiplyAddAdjacent(pairs, Vector128.Create(0x0001_0064).AsInt16());
        var eights = Sse2.MultiplyAddAdjacent(Sse41.PackUnsignedSaturate(fours, fours).AsInt16(), Vector128.Create(0x0001_2710).AsInt16());
        return ((ulong)eights.ToScalar() * 100_000_000) + (uint)eights.GetElement(1);
    }

    private static bool FitsWithoutLeadingZeros(ReadOnlySpan<byte> number, int count)
    {
        foreach (var b in number)
        {
            if (b == '.')
                continue;
            if (b != '0')
                break;
            count--;
        }

        return count <= MaxDigits;
    }

    private static float ParseLong(ReadOnlySpan<byte> text) => float.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);

    /// <summary>The float nearest to digits * 10^power.</summary>
    internal static float FromDecimal(ulong digits, int power, bool negative)
    {
        var sign = negative ? 0x8000_0000u : 0;
        if (digits == 0 || power < SmallestPower)
            return BitConverter.UInt32BitsToSingle(sign);
        if (power > LargestPower)
            return BitConverter.UInt32BitsToSingle(sign | 0x7F80_0000u);

        var zeros = BitOperations.LeadingZeroCount(digits);
        digits <<= zeros;
        var at = (power - SmallestPower) * 2;
        var high = Math.BigMul(digits, PowersOfFive[at], out var low);
        if ((high & (ulong.MaxValue >> 26)) == ulong.MaxValue >> 26)
        {
            var second = Math.BigMul(digits, PowersOfFive[at + 1], out _);
            low += second;
            if (second > low)
                high++;
        }

        var upperBit = (int)(high >> 63);
        var shift = upperBit + 64 - 23 - 3;
        var mantissa = high >> shift;
        var exponent = ((217706 * power) >> 16) + 63 + upperBit - zeros + 127;
        if (exponent <= 0)
        {
            if (1 - exponent >= 64)
                return BitConverter.UInt32BitsToSingle(sign);
            mantissa >>= 1 - exponent;
            mantissa = (mantissa + (mantissa & 1)) >> 1;
            return BitConverter.UInt32BitsToSingle(sign | (uint)mantissa);
        }

        // Exactly between two floats: the even one.
        if (low <= 1 && power is >= -17 and <= 10 && (mantissa & 3) == 1 && mantissa << shift == high)
            mantissa &= ~1UL;
        mantissa = (mantissa + (mantissa & 1)) >> 1;
        if (mantissa >= 1UL << 24)
        {
            mantissa = 1UL << 23;
            exponent++;
        }

        return exponent >= 0xFF
            ? BitConverter.UInt32BitsToSingle(sign | 0x7F80_0000u)
            : BitConverter.UInt32BitsToSingle(sign | ((uint)exponent << 23) | ((uint)mantissa & 0x7F_FFFF));
    }
}
