using System.Buffers;
using System.Buffers.Text;
using System.Text.Json;

namespace Granary.Index.Payload;

/// <summary>Takes values; returning true ends the walk.</summary>
internal interface IJsonVisitor
{
    bool Visit(ReadOnlySpan<byte> value);
}

/// <summary>
/// Walks UTF-8 JSON that is known to be valid, without allocating. A value is the span from its first byte to its last, without
/// white space around it.
/// </summary>
internal static class JsonScan
{
    private static readonly SearchValues<byte> Structure = SearchValues.Create("\"{}[]"u8);

    public static int SkipSpace(ReadOnlySpan<byte> json, int at)
    {
        while (at < json.Length && json[at] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')
            at++;
        return at;
    }

    /// <summary>The place after the string that begins at <paramref name="at"/>.</summary>
    public static int SkipString(ReadOnlySpan<byte> json, int at)
    {
        at++;
        while (true)
        {
            at += json[at..].IndexOfAny((byte)'"', (byte)'\\');
            if (json[at] == '"')
                return at + 1;
            at += 2;
        }
    }

    /// <summary>The place after the value that begins at <paramref name="at"/>.</summary>
    public static int SkipValue(ReadOnlySpan<byte> json, int at)
    {
        switch (json[at])
        {
            case (byte)'"':
                return SkipString(json, at);
            case (byte)'{' or (byte)'[':
                var depth = 0;
                while (true)
                {
                    at += json[at..].IndexOfAny(Structure);
                    switch (json[at])
                    {
                        case (byte)'"':
                            at = SkipString(json, at);
                            continue;
                        case (byte)'{' or (byte)'[':
                            depth++;
                            break;
                        default:
                            depth--;
                            break;
                    }

                    at++;
                    if (depth == 0)
                        return at;
                }

            default:
                while (at < json.Length && json[at] is not ((byte)',' or (byte)'}' or (byte)']' or (byte)' ' or (byte)'\n' or (byte)'\r'
                    or (byte)'\t'))
                    at++;
                return at;
        }
    }

    /// <summary>The value of a member; empty when there is none. Of duplicates the last.</summary>
    public static ReadOnlySpan<byte> Member(ReadOnlySpan<byte> value, ReadOnlySpan<byte> key)
    {
        ReadOnlySpan<byte> found = default;
        if (value.IsEmpty || value[0] != '{')
            return found;
        var members = new JsonMembers(value);
        while (members.MoveNext())
        {
            if (StringEquals(members.Key, key))
                found = members.Value;
        }

        return found;
    }

    /// <summary>Whether a string value (with its quotes) holds this text.</summary>
    public static bool StringEquals(ReadOnlySpan<byte> value, ReadOnlySpan<byte> text)
    {
        var inner = value[1..^1];
        if (inner.SequenceEqual(text))
            return inner.IndexOf((byte)'\\') < 0;
        if (inner.Length <= text.Length || inner.IndexOf((byte)'\\') < 0)
            return false;
        var reader = new Utf8JsonReader(value);
        reader.Read();
        return reader.ValueTextEquals(text);
    }

    /// <summary>The text of a string value.</summary>
    public static string GetString(ReadOnlySpan<byte> value)
    {
        var reader = new Utf8JsonReader(value);
        reader.Read();
        return reader.GetString()!;
    }

    /// <summary>Whether a value is a string.</summary>
    public static bool IsString(ReadOnlySpan<byte> value) => value[0] == '"';

    /// <summary>Whether a value is a number.</summary>
    public static bool IsNumber(ReadOnlySpan<byte> value) => value[0] is (byte)'-' or (>= (byte)'0' and <= (byte)'9');

    /// <summary>Whether a value is null.</summary>
    public static bool IsNull(ReadOnlySpan<byte> value) => value[0] == 'n';

    /// <summary>An integer as Qdrant takes it: written without fraction or exponent and within 64 bits.</summary>
    public static bool TryGetInteger(ReadOnlySpan<byte> value, out long integer)
    {
        integer = 0;
        return IsNumber(value) && Utf8Parser.TryParse(value, out integer, out var used) && used == value.Length
            && !value.SequenceEqual("-0"u8);
    }

    /// <summary>A number, rounded to a double.</summary>
    public static bool TryGetDouble(ReadOnlySpan<byte> value, out double number)
    {
        number = 0;
        return IsNumber(value) && Utf8Parser.TryParse(value, out number, out var used) && used == value.Length;
    }

    /// <summary>How many elements an array has.</summary>
    public static int Count(ReadOnlySpan<byte> array)
    {
        var count = 0;
        var elements = new JsonElements(array);
        while (elements.MoveNext())
            count++;
        return count;
    }

    /// <summary>Visits every value under a path. Arrays are values of their own unless the path goes into them.</summary>
    public static bool Walk<TVisitor>(ReadOnlySpan<byte> value, ReadOnlySpan<JsonPathItem> path, ref TVisitor visitor)
        where TVisitor : struct, IJsonVisitor, allows ref struct
    {
        if (value.IsEmpty)
            return false;
        if (path.IsEmpty)
            return visitor.Visit(value);
        switch (path[0].Kind)
        {
            case JsonPathStep.Key:
                return Walk(Member(value, path[0].Utf8), path[1..], ref visitor);
            case JsonPathStep.Index when value[0] == '[':
                var at = new JsonElements(value);
                for (var i = 0; at.MoveNext(); i++)
                {
                    if (i == path[0].Index)
                        return Walk(at.Value, path[1..], ref visitor);
                }

                return false;
            case JsonPathStep.Wildcard when value[0] == '[':
                var every = new JsonElements(value);
                while (every.MoveNext())
                {
                    if (Walk(every.Value, path[1..], ref visitor))
                        return true;
                }

                return false;
            default:
                return false;
        }
    }
}

/// <summary>The members of an object.</summary>
internal ref struct JsonMembers(ReadOnlySpan<byte> json)
{
    private readonly ReadOnlySpan<byte> _json = json;
    private int _at = 1;

    /// <summary>The name, with its quotes.</summary>
    public ReadOnlySpan<byte> Key { get; private set; }

    public ReadOnlySpan<byte> Value { get; private set; }

    /// <summary>Where the member ends.</summary>
    public readonly int Position => _at;

    public bool MoveNext()
    {
        var at = JsonScan.SkipSpace(_json, _at);
        if (_json[at] == ',')
            at = JsonScan.SkipSpace(_json, at + 1);
        if (_json[at] == '}')
            return false;
        var end = JsonScan.SkipString(_json, at);
        Key = _json[at..end];
        at = JsonScan.SkipSpace(_json, JsonScan.SkipSpace(_json, end) + 1);
        _at = JsonScan.SkipValue(_json, at);
        Value = _json[at.._at];
        return true;
    }
}

/// <summary>The elements of an array.</summary>
internal ref struct JsonElements(ReadOnlySpan<byte> json)
{
    private readonly ReadOnlySpan<byte> _json = json;
    private int _at = 1;

    public ReadOnlySpan<byte> Value { get; private set; }

    public bool MoveNext()
    {
        var at = JsonScan.SkipSpace(_json, _at);
        if (_json[at] == ',')
            at = JsonScan.SkipSpace(_json, at + 1);
        if (_json[at] == ']')
            return false;
        _at = JsonScan.SkipValue(_json, at);
        Value = _json[at.._at];
        return true;
    }
}
