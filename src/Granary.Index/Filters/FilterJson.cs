using System.Buffers;
using System.Text.Json;

namespace Granary.Index.Filters;

/// <summary>Filters as JSON, in Qdrant's syntax.</summary>
public static partial class FilterJson
{
    /// <summary>Filters may be nested so deep.</summary>
    public const int MaxDepth = 64;

    /// <summary>Conditions in one filter, nested ones included.</summary>
    public const int MaxConditions = 65_536;

    /// <summary>Parses a filter.</summary>
    /// <exception cref="GranaryException">It is not a filter (400), or a value is outside its limits (422).</exception>
    public static Filter Parse(JsonElement element) => throw new NotImplementedException();

    /// <summary>Parses a filter from UTF-8 JSON.</summary>
    /// <exception cref="GranaryException">It is not a filter (400), or a value is outside its limits (422).</exception>
    public static Filter Parse(ReadOnlySpan<byte> json) => throw new NotImplementedException();

    /// <summary>Parses the filter the reader stands on (or before) and leaves the reader on its last token.</summary>
    /// <exception cref="GranaryException">It is not a filter (400), or a value is outside its limits (422).</exception>
    public static Filter Parse(ref Utf8JsonReader reader) => throw new NotImplementedException();

    /// <summary>Writes a filter canonically: what <see cref="Parse(JsonElement)"/> reads back as the same filter.</summary>
    public static void Write(Filter filter, IBufferWriter<byte> destination) => throw new NotImplementedException();

    /// <summary>A filter as canonical UTF-8 JSON.</summary>
    public static byte[] ToUtf8(Filter filter)
    {
        var buffer = new ArrayBufferWriter<byte>();
        Write(filter, buffer);
        return buffer.WrittenSpan.ToArray();
    }
}
