using System.Buffers;

namespace Granary.Http.Json;

internal ref partial struct JsonCursor
{
    private static readonly SearchValues<byte> Structure = SearchValues.Create("\"[]{}"u8);
    private static readonly SearchValues<byte> StringEnd = SearchValues.Create(
        [.. Enumerable.Range(0, 0x20).Select(static i => (byte)i), (byte)'"', (byte)'\\']);

    /// <summary>
    /// Passes over a value by its brackets and quotes alone: fast, and only for what will be read properly afterwards.
    /// </summary>
    public void SkipLoosely()
    {
        switch (Peek())
        {
            case (byte)'"':
                StringRange(out _);
                return;
            case (byte)'{' or (byte)'[':
                break;
            default:
                SkipScalar();
                return;
        }

        var depth = 0;
        do
        {
            var next = _json[_at..].IndexOfAny(Structure);
            if (next < 0)
            {
                _at = _json.Length;
                throw Fail("EOF while parsing a value");
            }

            _at += next;
            switch (_json[_at])
            {
                case (byte)'"':
                    StringRange(out _);
                    break;
                case (byte)'{' or (byte)'[':
                    if (++depth > MaxDepth)
                        throw Fail("recursion limit exceeded");
                    _at++;
                    break;
                default:
                    depth--;
                    _at++;
                    break;
            }
        }
        while (depth > 0);
    }

    /// <summary>Passes over a value that nobody reads, and checks that it is JSON.</summary>
    public void Skip()
    {
        var duplicates = false;
        SkipStrictly(0, null, ref duplicates);
    }

    /// <summary>Takes any value as it stands in the text.</summary>
    public ReadOnlySpan<byte> Raw()
    {
        Peek();
        var start = _at;
        Skip();
        return _json[start.._at];
    }

    private void SkipScalar()
    {
        switch (Peek())
        {
            case (byte)'"':
                StringRange(out var escaped);
                if (escaped)
                    CheckEscapes(_lastString);
                break;
            case (byte)'t':
                Literal("true"u8);
                break;
            case (byte)'f':
                Literal("false"u8);
                break;
            case (byte)'n':
                Literal("null"u8);
                break;
            case (byte)'-' or (>= (byte)'0' and <= (byte)'9'):
                SkipNumber();
                break;
            default:
                throw Fail("expected value");
        }
    }

    /// <summary>Passes over a number by JSON's grammar.</summary>
    private void SkipNumber()
    {
        if (_json[_at] == '-')
            _at++;
        var first = _at;
        var digits = Digits();
        if (digits == 0 || (digits > 1 && _json[first] == '0'))
            throw Fail("invalid number");
        if (_at < _json.Length && _json[_at] == '.')
        {
            _at++;
            digits += Digits(atLeastOne: true);
        }

        var exponent = _at < _json.Length && (_json[_at] | 0x20) == 'e';
        if (exponent)
        {
            _at++;
            if (_at < _json.Length && _json[_at] is (byte)'+' or (byte)'-')
                _at++;
            Digits(atLeastOne: true);
        }

        // Only such a number can be too large for a double.
        if ((exponent || digits > 300) && (!System.Buffers.Text.Utf8Parser.TryParse(_json[first.._at], out double value, out _)
            || double.IsInfinity(value)))
            throw Fail("number out of range");
    }

    private int Digits(bool atLeastOne = false)
    {
        var first = _at;
        while (_at < _json.Length && (uint)(_json[_at] - '0') <= 9)
            _at++;
        return _at > first || !atLeastOne ? _at - first : throw Fail("invalid number");
    }

    /// <summary>The string at the cursor with its escapes resolved.</summary>
    private ReadOnlySpan<byte> StringBytes()
    {
        StringRange(out var escaped);
        return escaped ? Unescape(_lastString) : _lastString;
    }

    /// <summary>Passes over a string; what is between the quotes is then in <see cref="_lastString"/>.</summary>
    private void StringRange(out bool escaped)
    {
        escaped = false;
        var start = ++_at;
        while (true)
        {
            var next = _json[_at..].IndexOfAny(StringEnd);
            if (next < 0)
            {
                _at = _json.Length;
                throw Fail("EOF while parsing a string");
            }

            _at += next;
            switch (_json[_at])
            {
                case (byte)'"':
                    _lastString = _json[start.._at];
                    _at++;
                    return;
                case (byte)'\\':
                    escaped = true;
                    _at = Math.Min(_at + 2, _json.Length);
                    break;
                default:
                    throw Fail("control character (\\u0000-\\u001F) found while parsing a string");
            }
        }
    }

    private readonly void CheckEscapes(ReadOnlySpan<byte> text) => Unescape(text);

    private readonly byte[] Unescape(ReadOnlySpan<byte> text)
    {
        var bytes = new byte[text.Length];
        var length = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\')
            {
                bytes[length++] = text[i];
                continue;
            }

            var letter = text[++i];
            if (letter == 'u')
            {
                var rune = UnicodeEscape(text, ref i);
                length += rune.EncodeToUtf8(bytes.AsSpan(length));
                continue;
            }

            bytes[length++] = letter switch
            {
                (byte)'"' or (byte)'\\' or (byte)'/' => letter,
                (byte)'b' => (byte)'\b',
                (byte)'f' => (byte)'\f',
                (byte)'n' => (byte)'\n',
                (byte)'r' => (byte)'\r',
                (byte)'t' => (byte)'\t',
                _ => throw Fail("invalid escape"),
            };
        }

        return bytes[..length];
    }

    /// <summary>Reads four hexadecimal digits, and a second escape where the first is a high surrogate.</summary>
    private readonly System.Text.Rune UnicodeEscape(ReadOnlySpan<byte> text, ref int i)
    {
        var unit = HexUnit(text, i + 1);
        i += 4;
        if (!char.IsSurrogate(unit))
            return new System.Text.Rune(unit);
        if (!char.IsHighSurrogate(unit) || i + 7 > text.Length || text[i + 1] != '\\' || text[i + 2] != 'u')
            throw Fail("lone surrogate in hex escape");
        var low = HexUnit(text, i + 3);
        i += 6;
        return System.Text.Rune.TryCreate(unit, low, out var rune) ? rune : throw Fail("lone surrogate in hex escape");
    }

    private readonly char HexUnit(ReadOnlySpan<byte> text, int at)
    {
        if (at + 4 > text.Length || !System.Buffers.Text.Utf8Parser.TryParse(text.Slice(at, 4), out ushort unit, out var used, 'x')
            || used != 4)
            throw Fail("invalid escape");
        return (char)unit;
    }
}
