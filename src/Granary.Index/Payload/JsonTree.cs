using System.Buffers;
using System.Text.Json;

namespace Granary.Index.Payload;

/// <summary>
/// A JSON value that can be changed. What is not touched keeps its text; objects and arrays open when they are looked into.
/// </summary>
internal sealed class JsonTree
{
    private ReadOnlyMemory<byte> _raw;
    private Dictionary<string, int>? _places;
    private List<KeyValuePair<string, JsonTree>?>? _members;
    private List<JsonTree>? _elements;

    private JsonTree(ReadOnlyMemory<byte> raw) => _raw = raw;

    public bool IsObject => _members is not null || (_elements is null && _raw.Span[0] == '{');

    public bool IsArray => _elements is not null || (_members is null && _raw.Span[0] == '[');

    public bool IsNull => _members is null && _elements is null && _raw.Span[0] == 'n';

    public IEnumerable<KeyValuePair<string, JsonTree>> Members
    {
        get
        {
            Open();
            return _members!.Where(static m => m is not null).Select(static m => m!.Value);
        }
    }

    public List<JsonTree> Elements
    {
        get
        {
            Open();
            return _elements!;
        }
    }

    public static JsonTree Null() => new("null"u8.ToArray());

    /// <summary>Takes valid JSON; the memory is kept.</summary>
    public static JsonTree Parse(ReadOnlyMemory<byte> json)
    {
        var start = JsonScan.SkipSpace(json.Span, 0);
        return new JsonTree(json[start..JsonScan.SkipValue(json.Span, start)]);
    }

    public JsonTree Clone() => Parse(ToUtf8());

    public void MakeObject()
    {
        if (!IsObject)
            (_raw, _elements, _members, _places) = (default, null, [], []);
        Open();
    }

    public void MakeArray()
    {
        if (!IsArray)
            (_raw, _members, _places, _elements) = (default, null, null, []);
        Open();
    }

    public JsonTree? FindMember(string name)
    {
        Open();
        return _places!.TryGetValue(name, out var place) ? _members![place]!.Value.Value : null;
    }

    public void SetMember(string name, JsonTree value)
    {
        Open();
        if (_places!.TryGetValue(name, out var place))
        {
            _members![place] = new(name, value);
            return;
        }

        _places.Add(name, _members!.Count);
        _members.Add(new(name, value));
    }

    public void RemoveMember(string name)
    {
        Open();
        if (_places!.Remove(name, out var place))
            _members![place] = null;
    }

    /// <summary>Opens everything, so that duplicate keys and white space go at every depth.</summary>
    public void OpenAll()
    {
        if (!IsObject && !IsArray)
            return;
        Open();
        foreach (var child in _members is null ? _elements! : Members.Select(static m => m.Value))
            child.OpenAll();
    }

    public byte[] ToUtf8()
    {
        var buffer = new ArrayBufferWriter<byte>(Math.Max(16, _raw.Length));
        WriteTo(buffer);
        return buffer.WrittenSpan.ToArray();
    }

    private void WriteTo(ArrayBufferWriter<byte> buffer)
    {
        var first = true;
        if (_members is not null)
        {
            buffer.Write("{"u8);
            foreach (var (name, value) in Members)
            {
                if (!first)
                    buffer.Write(","u8);
                first = false;
                WriteString(buffer, name);
                buffer.Write(":"u8);
                value.WriteTo(buffer);
            }

            buffer.Write("}"u8);
        }
        else if (_elements is not null)
        {
            buffer.Write("["u8);
            foreach (var element in _elements)
            {
                if (!first)
                    buffer.Write(","u8);
                first = false;
                element.WriteTo(buffer);
            }

            buffer.Write("]"u8);
        }
        else
        {
            buffer.Write(_raw.Span);
        }
    }

    private static void WriteString(ArrayBufferWriter<byte> buffer, string text)
    {
        buffer.Write("\""u8);
        buffer.Write(JsonEncodedText.Encode(text, System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes);
        buffer.Write("\""u8);
    }

    private void Open()
    {
        if (_members is not null || _elements is not null)
            return;
        var json = _raw;
        var span = json.Span;
        if (span[0] == '{')
        {
            (_members, _places) = ([], []);
            for (var at = 1; ;)
            {
                at = JsonScan.SkipSpace(span, at);
                if (span[at] == ',')
                    at = JsonScan.SkipSpace(span, at + 1);
                if (span[at] == '}')
                    break;
                var end = JsonScan.SkipString(span, at);
                var name = JsonScan.GetString(span[at..end]);
                at = JsonScan.SkipSpace(span, JsonScan.SkipSpace(span, end) + 1);
                end = JsonScan.SkipValue(span, at);
                SetMember(name, new JsonTree(json[at..end]));
                at = end;
            }
        }
        else
        {
            _elements = [];
            for (var at = 1; ;)
            {
                at = JsonScan.SkipSpace(span, at);
                if (span[at] == ',')
                    at = JsonScan.SkipSpace(span, at + 1);
                if (span[at] == ']')
                    break;
                var end = JsonScan.SkipValue(span, at);
                _elements.Add(new JsonTree(json[at..end]));
                at = end;
            }
        }

        _raw = default;
    }
}
