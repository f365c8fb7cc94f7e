using System.Globalization;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Granary.Http.Json;

namespace Granary.Http.Tests.Json;

public sealed class FloatParserTests
{
    [Theory]
    [InlineData("0")]
    [InlineData("-0")]
    [InlineData("0.1")]
    [InlineData("-12.5e-3")]
    [InlineData("3.4028235e38")]
    [InlineData("3.4028236e38")]
    [InlineData("1e39")]
    [InlineData("1.401298464e-45")]
    [InlineData("7.006492321624085e-46")]
    [InlineData("7.006492321624086e-46")]
    [InlineData("1.17549435e-38")]
    [InlineData("1.1754942807573643e-38")]
    [InlineData("16777217")]
    [InlineData("16777219")]
    [InlineData("9007199254740993")]
    [InlineData("18446744073709551615")]
    [InlineData("0.000000000000000000000000000000000000000000000000000000000000000000001")]
    [InlineData("0.00000000000000000000000000000012345678901234567")]
    [InlineData("1.00000005960464477539062500000000000000000000000001")]
    [InlineData("1.000000059604644775390625")]
    [InlineData("123456789012345678901234567890")]
    [InlineData("1e-400")]
    [InlineData("1E+2")]
    [InlineData("0e999999999999")]
    public void The_nearest_float_is_parsed(string text) => AssertSame(text);

    [Theory]
    [InlineData("")]
    [InlineData("-")]
    [InlineData("01")]
    [InlineData("1.")]
    [InlineData(".5")]
    [InlineData("1e")]
    [InlineData("1e+")]
    [InlineData("NaN")]
    [InlineData("+1")]
    public void What_is_no_JSON_number_is_refused(string text)
    {
        var position = 0;
        Assert.False(FloatParser.TryParse(Encoding.ASCII.GetBytes(text), ref position, out _));
    }

    [Fact]
    public void Every_float_reads_back_from_its_shortest_text() =>
        Prop.ForAll<int>(static bits =>
        {
            var value = BitConverter.Int32BitsToSingle(bits);
            if (float.IsFinite(value))
                AssertSame(value.ToString("R", CultureInfo.InvariantCulture));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(20_000));

    [Fact]
    public void Doubles_are_rounded_once() =>
        Prop.ForAll<long>(static bits =>
        {
            var value = BitConverter.Int64BitsToDouble(bits);
            if (double.IsFinite(value))
                AssertSame(value.ToString("R", CultureInfo.InvariantCulture));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(20_000));

    [Fact]
    public void Digits_and_exponents_of_any_length_are_parsed_as_the_runtime_does()
    {
        var random = new Random(1);
        for (var i = 0; i < 50_000; i++)
        {
            var text = new StringBuilder(random.Next(2) == 0 ? "-" : "");
            text.Append(random.Next(1, 10));
            for (var n = random.Next(20); n > 0; n--)
                text.Append(random.Next(10));
            if (random.Next(3) > 0)
            {
                text.Append('.').Append(random.Next(10));
                for (var n = random.Next(30); n > 0; n--)
                    text.Append(random.Next(10));
            }

            if (random.Next(3) == 0)
                text.Append('e').Append(random.Next(-60, 45));
            AssertSame(text.ToString());
        }
    }

    [Fact]
    public void Midpoints_between_floats_go_to_the_even_one()
    {
        var random = new Random(2);
        for (var i = 0; i < 20_000; i++)
        {
            var low = BitConverter.Int32BitsToSingle(random.Next(0x0080_0000, 0x7F00_0000));
            var middle = ((double)low + MathF.BitIncrement(low)) / 2;
            AssertSame(middle.ToString("R", CultureInfo.InvariantCulture));
            AssertSame(middle.ToString("E50", CultureInfo.InvariantCulture));
        }
    }

    private static void AssertSame(string text)
    {
        var position = 0;
        Assert.True(FloatParser.TryParse(Encoding.ASCII.GetBytes(text), ref position, out var value), text);
        Assert.Equal(text.Length, position);
        var expected = float.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);
        Assert.True(BitConverter.SingleToInt32Bits(expected) == BitConverter.SingleToInt32Bits(value),
            $"{text}: {expected:R} expected, {value:R} parsed");
    }
}
