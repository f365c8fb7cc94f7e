using System.Text;
using Granary.Index.Payload;

namespace Granary.Index.Filters;

/// <summary>Whether a value at a condition's path satisfies it; one value that does is enough.</summary>
internal abstract class ValueTest
{
    /// <summary>The answer when the path leads nowhere.</summary>
    public virtual bool WhenMissing => false;

    /// <summary>Tests a value; an array counts as its elements, one level deep.</summary>
    public virtual bool Test(ReadOnlySpan<byte> value)
    {
        if (value[0] != '[')
            return TestOne(value);
        var elements = new JsonElements(value);
        while (elements.MoveNext())
        {
            if (TestOne(elements.Value))
                return true;
        }

        return false;
    }

    /// <summary>Tests a value as it is.</summary>
    protected abstract bool TestOne(ReadOnlySpan<byte> value);

    /// <summary>The text of a string value as UTF-8.</summary>
    public static ReadOnlySpan<byte> TextOf(ReadOnlySpan<byte> value)
    {
        var inner = value[1..^1];
        return inner.IndexOf((byte)'\\') < 0 ? inner : Encoding.UTF8.GetBytes(JsonScan.GetString(value));
    }
}

/// <summary>The value is one of a set of strings, integers or booleans.</summary>
internal sealed class OneOfTest : ValueTest
{
    private const int Few = 8;
    private const int ShortText = 256;
    private readonly byte[][] _texts;
    private readonly HashSet<string> _textSet;
    private readonly HashSet<long> _integers;
    private readonly bool _true;
    private readonly bool _false;

    public OneOfTest(IEnumerable<MatchValue> values)
    {
        var all = values.ToList();
        _textSet = all.Where(static v => v.Kind == MatchValueKind.Keyword).Select(static v => v.Text!).ToHashSet(StringComparer.Ordinal);
        _texts = [.. _textSet.Take(Few + 1).Select(Encoding.UTF8.GetBytes)];
        _integers = all.Where(static v => v.Kind == MatchValueKind.Integer).Select(static v => v.Integer).ToHashSet();
        _true = all.Any(static v => v is { Kind: MatchValueKind.Bool, Boolean: true });
        _false = all.Any(static v => v is { Kind: MatchValueKind.Bool, Boolean: false });
    }

    /// <summary>Whether a value is in the set.</summary>
    public bool Holds(ReadOnlySpan<byte> value) => value[0] switch
    {
        (byte)'"' => HoldsText(value),
        (byte)'t' => _true,
        (byte)'f' => _false,
        _ => _integers.Count > 0 && JsonScan.TryGetInteger(value, out var integer) && _integers.Contains(integer),
    };

    protected override bool TestOne(ReadOnlySpan<byte> value) => Holds(value);

    private bool HoldsText(ReadOnlySpan<byte> value)
    {
        if (_texts.Length <= Few)
        {
            foreach (var text in _texts)
            {
                if (JsonScan.StringEquals(value, text))
                    return true;
            }

            return false;
        }

        var bytes = TextOf(value);
        var chars = bytes.Length <= ShortText ? stackalloc char[ShortText] : new char[bytes.Length];
        var length = Encoding.UTF8.GetChars(bytes, chars);
        return _textSet.GetAlternateLookup<ReadOnlySpan<char>>().Contains(chars[..length]);
    }
}

/// <summary>
/// The value is not null and none of a set; numbers that are no integers, booleans, objects and inner arrays count as outside.
/// </summary>
internal sealed class NoneOfTest(IEnumerable<MatchValue> values) : ValueTest
{
    private readonly OneOfTest _set = new(values);

    protected override bool TestOne(ReadOnlySpan<byte> value) => !JsonScan.IsNull(value) && !_set.Holds(value);
}

/// <summary>The value is a number within bounds.</summary>
internal sealed class NumberRangeTest(RangeCondition range) : ValueTest
{
    protected override bool TestOne(ReadOnlySpan<byte> value) => JsonScan.TryGetDouble(value, out var number) && Holds(range, number);

    /// <summary>Whether a number is within the bounds.</summary>
    public static bool Holds(RangeCondition range, double number) =>
        !(number >= range.Lt) && !(number <= range.Gt) && !(number > range.Lte) && !(number < range.Gte);
}

/// <summary>The value is the text of an instant within bounds.</summary>
internal sealed class InstantRangeTest(DatetimeRangeCondition range) : ValueTest
{
    private readonly (long From, long To) _interval = Interval(range);

    /// <summary>The bounds in microseconds, both inclusive.</summary>
    public static (long From, long To) Interval(DatetimeRangeCondition range)
    {
        var (from, to) = (long.MinValue, long.MaxValue);
        if (range.Gt is { } gt)
            from = Instant.ToMicroseconds(gt) + 1;
        if (range.Gte is { } gte)
            from = Math.Max(from, Instant.ToMicroseconds(gte));
        if (range.Lt is { } lt)
            to = Instant.ToMicroseconds(lt) - 1;
        if (range.Lte is { } lte)
            to = Math.Min(to, Instant.ToMicroseconds(lte));
        return (from, to);
    }

    protected override bool TestOne(ReadOnlySpan<byte> value) =>
        JsonScan.IsString(value) && Instant.TryParse(TextOf(value), out long at) && at >= _interval.From && at <= _interval.To;
}

/// <summary>The value is an object with <c>lon</c> and <c>lat</c> within an area.</summary>
internal sealed class AreaTest(Func<double, double, bool> contains) : ValueTest
{
    /// <summary>The place a value describes.</summary>
    public static bool TryGetPlace(ReadOnlySpan<byte> value, out double longitude, out double latitude)
    {
        longitude = latitude = 0;
        if (value[0] != '{')
            return false;
        var lon = JsonScan.Member(value, "lon"u8);
        var lat = JsonScan.Member(value, "lat"u8);
        return !lon.IsEmpty && !lat.IsEmpty && JsonScan.TryGetDouble(lon, out longitude) && JsonScan.TryGetDouble(lat, out latitude);
    }

    protected override bool TestOne(ReadOnlySpan<byte> value) =>
        TryGetPlace(value, out var longitude, out var latitude) && contains(longitude, latitude);
}

/// <summary>How many values there are: null and a missing field none, an array its length, else one.</summary>
internal sealed class CountTest(ValuesCountCondition range) : ValueTest
{
    public override bool WhenMissing => Holds(0);

    public override bool Test(ReadOnlySpan<byte> value) =>
        Holds(value[0] switch { (byte)'n' => 0, (byte)'[' => JsonScan.Count(value), _ => 1 });

    protected override bool TestOne(ReadOnlySpan<byte> value) => Test(value);

    private bool Holds(int count) => !(count >= range.Lt) && !(count <= range.Gt) && !(count > range.Lte) && !(count < range.Gte);
}

/// <summary>The value is null itself.</summary>
internal sealed class NullTest : ValueTest
{
    public override bool Test(ReadOnlySpan<byte> value) => JsonScan.IsNull(value);

    protected override bool TestOne(ReadOnlySpan<byte> value) => JsonScan.IsNull(value);
}

/// <summary>The value is neither null nor <c>[]</c>.</summary>
internal sealed class FilledTest : ValueTest
{
    public override bool Test(ReadOnlySpan<byte> value) => value[0] switch
    {
        (byte)'n' => false,
        (byte)'[' => new JsonElements(value).MoveNext(),
        _ => true,
    };

    protected override bool TestOne(ReadOnlySpan<byte> value) => Test(value);
}
