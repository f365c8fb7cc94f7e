using System.Buffers;
using System.Text.Json;
using System.Text.Unicode;

namespace Granary.Index.Payload;

public static partial class PayloadEdit
{
    private const int FewMembers = 24;

    /// <summary>Checks that a payload is an object within the depth limit and takes out white space and duplicate keys.</summary>
    /// <exception cref="GranaryException">It is not JSON, no object, nested too deep, or holds a number no double reaches or half a
    /// surrogate pair.</exception>
    public static byte[] Normalize(ReadOnlySpan<byte> json)
    {
        var buffer = new ArrayBufferWriter<byte>(Math.Max(16, json.Length));
        bool plain;
        if (!Utf8.IsValid(json))
            throw GranaryException.BadInput("Payload is not valid UTF-8.");
        try
        {
            plain = Compact(json, buffer);
        }
        catch (JsonException e)
        {
            throw new GranaryException(
                ErrorKind.BadInput, $"Payload is not valid JSON or is nested deeper than {MaxDepth}: {e.Message}", e);
        }
        catch (InvalidOperationException e)
        {
            throw new GranaryException(ErrorKind.BadInput, "Payload holds a string that is not valid Unicode.", e);
        }

        if (plain)
            return buffer.WrittenSpan.ToArray();
        var tree = JsonTree.Parse(buffer.WrittenSpan.ToArray());
        tree.OpenAll();
        return tree.ToUtf8();
    }

    /// <summary>Copies the tokens without white space; false when keys are escaped, repeated or too many to compare here.</summary>
    private static bool Compact(ReadOnlySpan<byte> json, ArrayBufferWriter<byte> buffer)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth });
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            throw GranaryException.BadInput("Payload must be a JSON object.");
        Span<int> firstMember = stackalloc int[MaxDepth + 1];
        Span<Range> names = stackalloc Range[FewMembers * 4];
        var (plain, comma, count, depth) = (true, false, 0, 0);
        do
        {
            var close = reader.TokenType is JsonTokenType.EndObject or JsonTokenType.EndArray;
            if (comma && !close)
                buffer.Write(","u8);
            comma = reader.TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray or JsonTokenType.PropertyName);
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject:
                    buffer.Write("{"u8);
                    firstMember[++depth] = count;
                    break;
                case JsonTokenType.EndObject:
                    buffer.Write("}"u8);
                    count = firstMember[depth--];
                    break;
                case JsonTokenType.StartArray:
                    buffer.Write("["u8);
                    break;
                case JsonTokenType.EndArray:
                    buffer.Write("]"u8);
                    break;
                case JsonTokenType.PropertyName:
                    if (reader.ValueIsEscaped)
                    {
                        reader.GetString();
                        plain = false;
                    }

                    var start = buffer.WrittenCount + 1;
                    WriteQuoted(buffer, reader.ValueSpan);
                    buffer.Write(":"u8);
                    plain = plain && IsNew(names, firstMember[depth], ref count, buffer.WrittenSpan,
                        start..(start + reader.ValueSpan.Length));
                    break;
                case JsonTokenType.String:
                    if (reader.ValueIsEscaped)
                        reader.GetString();
                    WriteQuoted(buffer, reader.ValueSpan);
                    break;
                case JsonTokenType.Number:
                    if (!reader.TryGetDouble(out var number) || !double.IsFinite(number))
                        throw GranaryException.BadInput(
                            $"Payload number {System.Text.Encoding.UTF8.GetString(reader.ValueSpan)} is out of range.");
                    buffer.Write(reader.ValueSpan);
                    break;
                default:
                    buffer.Write(reader.ValueSpan);
                    break;
            }
        }
        while (reader.Read());
        return plain;
    }

    private static bool IsNew(Span<Range> names, int first, ref int count, ReadOnlySpan<byte> text, Range name)
    {
        if (count == names.Length || count - first == FewMembers)
            return false;
        foreach (var other in names[first..count])
        {
            if (text[other].SequenceEqual(text[name]))
                return false;
        }

        names[count++] = name;
        return true;
    }

    private static void WriteQuoted(ArrayBufferWriter<byte> buffer, ReadOnlySpan<byte> text)
    {
        buffer.Write("\""u8);
        buffer.Write(text);
        buffer.Write("\""u8);
    }

    private static void CheckDepth(ReadOnlySpan<byte> json)
    {
        if (DepthOf(json) > MaxDepth)
            throw GranaryException.BadInput($"Payload is nested deeper than {MaxDepth}.");
    }

    private static int DepthOf(ReadOnlySpan<byte> json)
    {
        var (depth, deepest) = (0, 0);
        for (var at = 0; at < json.Length; at++)
        {
            switch (json[at])
            {
                case (byte)'"':
                    at = JsonScan.SkipString(json, at) - 1;
                    break;
                case (byte)'{' or (byte)'[':
                    deepest = Math.Max(deepest, ++depth);
                    break;
                case (byte)'}' or (byte)']':
                    depth--;
                    break;
            }
        }

        return deepest;
    }
}
