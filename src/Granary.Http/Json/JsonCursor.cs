using System.Text;
using System.Text.Json;
using Granary.Http.Hosting;

namespace Granary.Http.Json;

/// <summary>
/// Walks a JSON text in one pass without building anything: the caller asks for what it expects next. The text must be valid
/// UTF-8. Errors are worded like Qdrant's, with line and column.
/// </summary>
internal ref partial struct JsonCursor
{
    /// <summary>How deep objects and arrays may nest.</summary>
    public const int MaxDepth = 64;

    private readonly ReadOnlySpan<byte> _json;
    private int _at;
    private ReadOnlySpan<byte> _lastString;
    private List<Range>? _keys;

    /// <summary>Starts before the first value.</summary>
    public JsonCursor(ReadOnlySpan<byte> json, int position = 0)
    {
        _json = json;
        _at = position;
    }

    /// <summary>Where the cursor stands.</summary>
    public readonly int Position => _at;

    /// <summary>The text.</summary>
    public readonly ReadOnlySpan<byte> Text => _json;

    /// <summary>The first byte of the next token.</summary>
    public byte Peek()
    {
        SkipWhitespace();
        return _at < _json.Length ? _json[_at] : throw Fail("EOF while parsing a value");
    }

    /// <summary>Takes <c>null</c> if it comes next.</summary>
    public bool TryNull()
    {
        if (Peek() != 'n')
            return false;
        Literal("null"u8);
        return true;
    }

    /// <summary>Enters an object.</summary>
    public void BeginObject(string expected)
    {
        if (Peek() != '{')
            throw WrongType(expected);
        _at++;
    }

    /// <summary>Goes to the next property of the object entered; false at its end.</summary>
    public bool NextProperty(ref bool first, out ReadOnlySpan<byte> name)
    {
        var next = Peek();
        if (next == '}')
        {
            _at++;
            name = default;
            return false;
        }

        if (!first)
        {
            if (next != ',')
                throw Fail("expected `,` or `}`");
            _at++;
            next = Peek();
        }

        first = false;
        if (next != '"')
            throw Fail(next == '}' ? "trailing comma" : "key must be a string");
        name = StringBytes();
        if (Peek() != ':')
            throw Fail("expected `:`");
        _at++;
        return true;
    }

    /// <summary>Enters an array.</summary>
    public void BeginArray(string expected)
    {
        if (Peek() != '[')
            throw WrongType(expected);
        _at++;
    }

    /// <summary>Goes to the next item of the array entered; false at its end.</summary>
    public bool NextItem(ref bool first)
    {
        var next = Peek();
        if (next == ']')
        {
            _at++;
            return false;
        }

        if (!first)
        {
            if (next != ',')
                throw Fail("expected `,` or `]`");
            _at++;
            if (Peek() == ']')
                throw Fail("trailing comma");
        }

        first = false;
        return true;
    }

    /// <summary>Takes a string; its escapes are resolved.</summary>
    public string ReadString(string expected = "a string")
    {
        if (Peek() != '"')
            throw WrongType(expected);
        return Encoding.UTF8.GetString(StringBytes());
    }

    /// <summary>Takes <c>true</c> or <c>false</c>.</summary>
    public bool ReadBoolean()
    {
        switch (Peek())
        {
            case (byte)'t':
                Literal("true"u8);
                return true;
            case (byte)'f':
                Literal("false"u8);
                return false;
            default:
                throw WrongType("a boolean");
        }
    }

    /// <summary>Takes a point id: an unsigned integer or a UUID string.</summary>
    public Index.PointId ReadId()
    {
        var next = Peek();
        if (next == '"')
        {
            var text = ReadString();
            return Index.PointId.TryParseUuid(text, out var uuid) ? uuid : throw BadId(text);
        }

        if (next == '-' || (uint)(next - '0') <= 9)
        {
            var start = _at;
            SkipNumber();
            var number = _json[start.._at];
            return System.Buffers.Text.Utf8Parser.TryParse(number, out ulong value, out var used) && used == number.Length
                ? new Index.PointId(value)
                : throw BadId(Encoding.ASCII.GetString(number));
        }

        throw WrongType("a point id (an unsigned integer or a UUID)");
    }

    /// <summary>Takes an unsigned 32-bit integer.</summary>
    public uint ReadUInt32(string expected)
    {
        var next = Peek();
        var start = _at;
        if (next != '-' && (uint)(next - '0') > 9)
            throw WrongType(expected);
        SkipNumber();
        var number = _json[start.._at];
        return System.Buffers.Text.Utf8Parser.TryParse(number, out uint value, out var used) && used == number.Length
            ? value
            : throw Fail($"invalid value: `{Encoding.ASCII.GetString(number)}`, expected {expected}");
    }

    /// <summary>Takes a number as the nearest float32.</summary>
    public float ReadFloat()
    {
        var next = Peek();
        if (next != '-' && (uint)(next - '0') > 9)
            throw WrongType("f32");
        return FloatParser.TryParse(_json, ref _at, out var value) ? value : throw Fail("invalid number");
    }

    /// <summary>Takes any value as a document of its own, for what is not worth a reader by hand.</summary>
    /// <remarks>
    /// It is checked first as a payload is: the documents of .NET let half a surrogate pair pass, and throw when someone reads it.
    /// </remarks>
    public JsonElement ReadElement() => JsonElement.Parse(Raw(), new JsonDocumentOptions { MaxDepth = MaxDepth });

    /// <summary>Nothing but white space may follow.</summary>
    public void End()
    {
        SkipWhitespace();
        if (_at != _json.Length)
            throw Fail("trailing characters");
    }

    /// <summary>An error at the cursor.</summary>
    public readonly ApiException Fail(string what)
    {
        var before = _json[..Math.Min(_at, _json.Length)];
        var line = 1 + before.Count((byte)'\n');
        var column = before.Length - (before.LastIndexOf((byte)'\n') + 1) + 1;
        return ApiException.Format($"{what} at line {line} column {column}");
    }

    /// <summary>The next value is of a type that was not expected.</summary>
    public readonly ApiException WrongType(string expected)
    {
        var found = _at >= _json.Length ? "end of input" : _json[_at] switch
        {
            (byte)'{' => "map",
            (byte)'[' => "sequence",
            (byte)'"' => "string",
            (byte)'t' or (byte)'f' => "boolean",
            (byte)'n' => "null",
            (byte)'-' or (>= (byte)'0' and <= (byte)'9') => "number",
            _ => null,
        };
        return found is null ? Fail("expected value") : Fail($"invalid type: {found}, expected {expected}");
    }

    private readonly ApiException BadId(string text) =>
        ApiException.Format($"value {text} is not a valid point ID, valid values are either an unsigned integer or a UUID");

    private void Literal(ReadOnlySpan<byte> literal)
    {
        if (!_json[_at..].StartsWith(literal))
            throw Fail("expected ident");
        _at += literal.Length;
    }

    private void SkipWhitespace()
    {
        while (_at < _json.Length && _json[_at] <= 0x20 && _json[_at] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')
            _at++;
    }
}
