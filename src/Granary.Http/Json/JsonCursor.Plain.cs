namespace Granary.Http.Json;

// Values written in the plainest way. Where the next one is not, the cursor stays, and the caller reads it in another way.
internal ref partial struct JsonCursor
{
    /// <summary>Takes an integer of at most nine digits.</summary>
    public int? TryPlainInteger(int least)
    {
        Peek();
        var at = _at;
        var value = 0;
        while (at < _json.Length && (uint)(_json[at] - '0') <= 9 && at - _at < 10)
            value = (value * 10) + (_json[at++] - '0');
        var digits = at - _at;
        if (digits is 0 or > 9 || (digits > 1 && _json[_at] == '0') || value < least || !EndsValue(at))
            return null;
        _at = at;
        return value;
    }

    /// <summary>Takes <c>true</c> or <c>false</c>.</summary>
    public bool? TryPlainBoolean()
    {
        Peek();
        var rest = _json[_at..];
        var value = rest.StartsWith("true"u8);
        if (!value && !rest.StartsWith("false"u8))
            return null;
        var end = _at + (value ? 4 : 5);
        if (!EndsValue(end))
            return null;
        _at = end;
        return value;
    }

    /// <summary>Takes a string without escapes; empty, and not taken, where there is none.</summary>
    public ReadOnlySpan<byte> TryPlainString()
    {
        if (Peek() != '"')
            return default;
        var start = _at;
        StringRange(out var escaped);
        if (!escaped && !_lastString.IsEmpty)
            return _lastString;
        _at = start;
        return default;
    }

    private readonly bool EndsValue(int at) => at < _json.Length
        && _json[at] is (byte)',' or (byte)'}' or (byte)']' or (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t';
}
