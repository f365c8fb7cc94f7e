using System.Text.Json;

namespace Granary.Http.Json;

internal ref partial struct JsonCursor
{
    /// <summary>
    /// Takes a payload object as it stands, checked whole: strings, numbers, depth. An object that names a key twice is written
    /// anew with the last one only, as every reader after this one would see it.
    /// </summary>
    /// <param name="payload">The object; empty for <c>null</c>.</param>
    public void ReadPayload(out ReadOnlySpan<byte> payload)
    {
        payload = default;
        if (TryNull())
            return;
        if (Peek() != '{')
            throw WrongType("a map");
        var start = _at;
        var keys = _keys ??= [];
        keys.Clear();
        var duplicates = false;
        SkipStrictly(0, keys, ref duplicates);
        payload = _json[start.._at];
        if (duplicates)
            payload = LastOfEachKey(payload);
    }

    private void SkipStrictly(int depth, List<Range>? keys, ref bool duplicates)
    {
        var next = Peek();
        if (next is not ((byte)'{' or (byte)'['))
        {
            SkipScalar();
            return;
        }

        if (depth == MaxDepth)
            throw Fail($"recursion limit exceeded: a value is nested deeper than {MaxDepth}");
        var first = true;
        if (next == '[')
        {
            _at++;
            while (NextItem(ref first))
                SkipStrictly(depth + 1, keys, ref duplicates);
            return;
        }

        _at++;
        var mine = keys?.Count ?? 0;
        while (NextProperty(ref first, out var name))
        {
            if (keys is not null)
                duplicates |= !AddKey(keys, mine, name);
            SkipStrictly(depth + 1, keys, ref duplicates);
        }

        keys?.RemoveRange(mine, keys.Count - mine);
    }

    /// <summary>Remembers a key of the object whose keys start at <paramref name="mine"/>; false when it may have been there.</summary>
    private readonly bool AddKey(List<Range> keys, int mine, ReadOnlySpan<byte> name)
    {
        // A name with escapes is not part of the text; let the thorough reader look at the object.
        if (!_json.Overlaps(name, out var offset))
            return name.IsEmpty && keys.Count == mine;
        // Comparing all pairs is quickest for the objects people send; larger ones go to the thorough reader.
        if (keys.Count - mine > 64)
            return false;
        for (var i = mine; i < keys.Count; i++)
        {
            if (_json[keys[i]].SequenceEqual(name))
                return false;
        }

        keys.Add(offset..(offset + name.Length));
        return true;
    }

    private static byte[] LastOfEachKey(ReadOnlySpan<byte> json)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(json.Length);
        using (var writer = new Utf8JsonWriter(buffer, RelaxedWriter))
            WriteLast(JsonElement.Parse(json, new JsonDocumentOptions { MaxDepth = MaxDepth }), writer);
        return buffer.WrittenSpan.ToArray();
    }

    private static readonly JsonWriterOptions RelaxedWriter = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        MaxDepth = MaxDepth,
        SkipValidation = true,
    };

    private static void WriteLast(JsonElement value, Utf8JsonWriter writer)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                var last = new Dictionary<string, JsonElement>();
                foreach (var property in value.EnumerateObject())
                    last[property.Name] = property.Value;
                writer.WriteStartObject();
                foreach (var (name, inner) in last)
                {
                    writer.WritePropertyName(name);
                    WriteLast(inner, writer);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in value.EnumerateArray())
                    WriteLast(item, writer);
                writer.WriteEndArray();
                break;
            default:
                value.WriteTo(writer);
                break;
        }
    }
}
