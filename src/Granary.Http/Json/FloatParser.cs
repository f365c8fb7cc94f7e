using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;

namespace Granary.Http.Json;

/// <summary>
/// Parses JSON numbers into the nearest float32, ties to even: the same bits as <c>float.Parse</c>, without its cost.
/// Up to 19 digits by the method of Eisel and Lemire ("Number Parsing at a Gigabyte per Second", 2021); longer numbers by
/// the same where rounding their tail up or down makes no difference, else by <c>float.Parse</c>.
/// </summary>
internal static partial class FloatParser
{
    private const int MaxDigits = 19;

    /// <summary>Parses the number at <paramref name="position"/> and moves behind it.</summary>
    /// <returns>False when there is no JSON number there; the position is then where it went wrong.</returns>
    public static bool TryParse(ReadOnlySpan<byte> json, ref int position, out float value)
    {
        value = 0;
        var start = position;
        var at = position;
        var negative = at < json.Length && json[at] == '-';
        if (negative)
            at++;

        ulong digits = 0;
        var firstDigit = at;
        uint digit;
        while (at < json.Length && (digit = (uint)json[at] - '0') <= 9)
        {
            digits = digits * 10 + digit;
            at++;
        }

        var count = at - firstDigit;
        if (count == 0 || (count > 1 && json[firstDigit] == '0'))
        {
            position = count == 0 ? at : firstDigit + 1;
            return false;
        }

        var exponent = 0;
        if (at < json.Length && json[at] == '.')
        {
            at++;
            var firstFraction = at;
            while (at + 8 <= json.Length && TryEightDigits(json[at..], out var eight))
            {
                digits = digits * 100_000_000 + eight;
                at += 8;
            }

            while (at < json.Length && (digit = (uint)json[at] - '0') <= 9)
            {
                digits = digits * 10 + digit;
                at++;
            }

            exponent = firstFraction - at;
            count -= exponent;
            if (exponent == 0)
            {
                position = at;
                return false;
            }
        }

        if (at < json.Length && (json[at] | 0x20) == 'e' && !TryExponent(json, ref at, ref exponent))
        {
            position = at;
            return false;
        }

        position = at;
        if (count > MaxDigits && !FitsWithoutLeadingZeros(json[firstDigit..at], count))
            value = ParseLong(json[start..at]);
        else
            value = FromDecimal(digits, exponent, negative);
        return true;
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

    private static bool TryEightDigits(ReadOnlySpan<byte> text, out uint value)
    {
        var chunk = BinaryPrimitives.ReadUInt64LittleEndian(text);
        value = 0;
        if (((chunk & 0xF0F0F0F0F0F0F0F0) | (((chunk + 0x0606060606060606) & 0xF0F0F0F0F0F0F0F0) >> 4)) != 0x3333333333333333)
            return false;
        chunk -= 0x3030303030303030;
        chunk = chunk * 10 + (chunk >> 8);
        value = (uint)((((chunk & 0x000000FF000000FF) * 0x000F424000000064) +
                        (((chunk >> 16) & 0x000000FF000000FF) * 0x0000271000000001)) >> 32);
        return true;
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
