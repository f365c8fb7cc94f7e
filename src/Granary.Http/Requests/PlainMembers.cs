using System.Text;
using Granary.Collections;
using Granary.Http.Json;

namespace Granary.Http.Requests;

/// <summary>
/// The small members of nearly every query, where they are written in the plainest way: taken as they are passed, so that no document is
/// made. Any other member, and any other way of writing one of these (or a mistake), is left to the document and its errors.
/// </summary>
internal struct PlainMembers
{
    /// <summary><c>limit</c>, at least 1.</summary>
    public int? Limit;

    /// <summary><c>offset</c>.</summary>
    public int? Offset;

    /// <summary><c>with_payload</c>, a boolean.</summary>
    public bool? WithPayload;

    /// <summary><c>with_vector</c>, a boolean.</summary>
    public bool? WithVector;

    /// <summary><c>using</c>, without escapes.</summary>
    public string? Using;

    /// <summary><c>params</c> of <c>hnsw_ef</c>, <c>exact</c> and <c>indexed_only</c>.</summary>
    public SearchParams? Params;

    /// <summary>
    /// Takes the value at the cursor if it is one of these; else the cursor stays before it. Of a member written twice the last one counts:
    /// what is set here came after what the document has of the same name.
    /// </summary>
    public bool TryTake(ref JsonCursor cursor, scoped ReadOnlySpan<byte> name)
    {
        switch (name.Length)
        {
            case 5 when name.SequenceEqual("limit"u8):
                return (Limit = cursor.TryPlainInteger(1)) is not null;
            case 5 when name.SequenceEqual("using"u8):
                return (Using = cursor.TryPlainString() is { IsEmpty: false } text ? Encoding.UTF8.GetString(text) : null) is not null;
            case 6 when name.SequenceEqual("offset"u8):
                return (Offset = cursor.TryPlainInteger(0)) is not null;
            case 6 when name.SequenceEqual("params"u8):
                return (Params = TryParams(ref cursor)) is not null;
            case 11 when name.SequenceEqual("with_vector"u8):
                return (WithVector = cursor.TryPlainBoolean()) is not null;
            case 12 when name.SequenceEqual("with_payload"u8):
                return (WithPayload = cursor.TryPlainBoolean()) is not null;
            default:
                return false;
        }
    }

    private static SearchParams? TryParams(ref JsonCursor cursor)
    {
        var start = cursor.Position;
        if (cursor.Peek() != '{')
            return null;
        int? ef = null;
        bool? exact = null;
        bool? indexedOnly = null;
        cursor.BeginObject("a map");
        var first = true;
        while (cursor.NextProperty(ref first, out var name))
        {
            var taken = false;
            if (ef is null && name.SequenceEqual("hnsw_ef"u8))
                taken = (ef = cursor.TryPlainInteger(1)) is not null;
            else if (exact is null && name.SequenceEqual("exact"u8))
                taken = (exact = cursor.TryPlainBoolean()) is not null;
            else if (indexedOnly is null && name.SequenceEqual("indexed_only"u8))
                taken = (indexedOnly = cursor.TryPlainBoolean()) is not null;
            if (taken)
                continue;
            cursor = new JsonCursor(cursor.Text, start);
            return null;
        }

        return new SearchParams { HnswEf = ef, Exact = exact ?? false, IndexedOnly = indexedOnly ?? false };
    }
}
