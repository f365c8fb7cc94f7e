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

    // A level of filters takes up to four levels of JSON: filter, list, condition, nested.
    private const int MaxJsonDepth = (MaxDepth + 1) * 4 + 8;

    /// <summary>Parses a filter.</summary>
    /// <exception cref="GranaryException">It is not a filter (400), or a value is outside its limits (422).</exception>
    public static Filter Parse(JsonElement element)
    {
        try
        {
            return ParseFilter(element, 1, new Budget());
        }
        catch (InvalidOperationException e)
        {
            throw new GranaryException(ErrorKind.BadInput, "Filter holds a string that is not valid Unicode.", e);
        }
    }

    /// <summary>Parses a filter from UTF-8 JSON.</summary>
    /// <exception cref="GranaryException">It is not a filter (400), or a value is outside its limits (422).</exception>
    public static Filter Parse(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxJsonDepth });
        var filter = Parse(ref reader);
        try
        {
            if (reader.Read())
                throw GranaryException.BadInput("Filter is followed by something else.");
        }
        catch (JsonException e)
        {
            throw new GranaryException(ErrorKind.BadInput, $"Filter is not valid JSON: {e.Message}", e);
        }

        return filter;
    }

    /// <summary>Parses the filter the reader stands on (or before) and leaves the reader on its last token.</summary>
    /// <exception cref="GranaryException">It is not a filter (400), or a value is outside its limits (422).</exception>
    public static Filter Parse(ref Utf8JsonReader reader)
    {
        try
        {
            using var document = JsonDocument.ParseValue(ref reader);
            return Parse(document.RootElement);
        }
        catch (JsonException e)
        {
            throw new GranaryException(ErrorKind.BadInput, $"Filter is not valid JSON or is nested deeper than {MaxDepth}: {e.Message}", e);
        }
    }

    /// <summary>A filter as canonical UTF-8 JSON.</summary>
    public static byte[] ToUtf8(Filter filter)
    {
        var buffer = new ArrayBufferWriter<byte>();
        Write(filter, buffer);
        return buffer.WrittenSpan.ToArray();
    }

    private sealed class Budget
    {
        private int _left = MaxConditions;

        public void Take()
        {
            if (--_left < 0)
                throw GranaryException.Validation($"Filter has more than {MaxConditions} conditions.");
        }
    }
}
