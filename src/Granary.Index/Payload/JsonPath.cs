using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using Granary.Index.Text.Tokens;

namespace Granary.Index.Payload;

/// <summary>What a step of a <see cref="JsonPath"/> goes into.</summary>
public enum JsonPathStep : byte
{
    /// <summary>A member of an object: <c>.key</c>.</summary>
    Key,

    /// <summary>An element of an array: <c>[3]</c>.</summary>
    Index,

    /// <summary>Every element of an array: <c>[]</c>.</summary>
    Wildcard,
}

/// <summary>A step of a <see cref="JsonPath"/>.</summary>
/// <param name="Kind">What it goes into.</param>
/// <param name="Key">The member's name, for <see cref="JsonPathStep.Key"/>.</param>
/// <param name="Index">The element's number, for <see cref="JsonPathStep.Index"/>.</param>
public readonly record struct JsonPathItem(JsonPathStep Kind, string? Key, int Index)
{
    /// <summary>The member's name as UTF-8.</summary>
    internal byte[]? Utf8 { get; init; }

    /// <inheritdoc/>
    public bool Equals(JsonPathItem other) => Kind == other.Kind && Index == other.Index && Key == other.Key;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Kind, Key, Index);
}

/// <summary>
/// A path into a payload, as Qdrant writes them: <c>a.b</c>, <c>a[].b</c>, <c>a[0]</c>, <c>"quoted.key".c</c>. Unquoted keys are letters,
/// digits,
/// <c>_</c> and <c>-</c>; quoted ones hold anything but <c>"</c> and <c>\</c>.
/// </summary>
public sealed class JsonPath : IEquatable<JsonPath>
{
    /// <summary>A path has so many steps at most: no payload is nested deeper (<see cref="PayloadEdit.MaxDepth"/>).</summary>
    public const int MaxSteps = PayloadEdit.MaxDepth;

    private readonly string _text;

    private JsonPath(ImmutableArray<JsonPathItem> items)
    {
        Items = items;
        _text = Write(items);
    }

    /// <summary>The steps; the first is always a key.</summary>
    public ImmutableArray<JsonPathItem> Items { get; }

    /// <summary>Parses a path.</summary>
    /// <exception cref="GranaryException">It is not one; the message is Qdrant's, <c>Invalid json path: '...'</c>.</exception>
    public static JsonPath Parse(string text) =>
        TryParse(text, out var path) ? path : throw GranaryException.BadInput($"Invalid json path: '{text}'");

    /// <summary>Parses a path; false when it is none or has more than <see cref="MaxSteps"/> steps.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out JsonPath? path)
    {
        path = null;
        if (string.IsNullOrEmpty(text))
            return false;
        var items = ImmutableArray.CreateBuilder<JsonPathItem>(4);
        ReadOnlySpan<char> rest = text;
        if (!TakeKey(ref rest, items))
            return false;
        while (!rest.IsEmpty)
        {
            if (items.Count == MaxSteps)
                return false;
            if (rest[0] == '.')
            {
                rest = rest[1..];
                if (!TakeKey(ref rest, items))
                    return false;
            }
            else if (rest.StartsWith("[]"))
            {
                items.Add(new JsonPathItem(JsonPathStep.Wildcard, null, 0));
                rest = rest[2..];
            }
            else
            {
                var end = rest.IndexOf(']');
                if (rest[0] != '[' || end < 0
                    || !int.TryParse(rest[1..end], NumberStyles.None, CultureInfo.InvariantCulture, out var index))
                    return false;
                items.Add(new JsonPathItem(JsonPathStep.Index, null, index));
                rest = rest[(end + 1)..];
            }
        }

        path = new JsonPath(items.ToImmutable());
        return true;
    }

    /// <summary>The path with <c>[]</c> at its end, unless it is there already.</summary>
    public JsonPath WithWildcard() =>
        Items[^1].Kind == JsonPathStep.Wildcard ? this : new JsonPath(Items.Add(new JsonPathItem(JsonPathStep.Wildcard, null, 0)));

    /// <summary>This path followed by another.</summary>
    public JsonPath Append(JsonPath other) => new(Items.AddRange(other.Items));

    /// <inheritdoc/>
    public bool Equals(JsonPath? other) => other is not null && _text == other._text;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as JsonPath);

    /// <inheritdoc/>
    public override int GetHashCode() => _text.GetHashCode(StringComparison.Ordinal);

    /// <summary>The path as text, quoted only where it must be.</summary>
    public override string ToString() => _text;

    private static bool TakeKey(ref ReadOnlySpan<char> rest, ImmutableArray<JsonPathItem>.Builder items)
    {
        string key;
        if (rest.StartsWith("\""))
        {
            var end = rest[1..].IndexOfAny('"', '\\');
            if (end < 0 || rest[end + 1] != '"')
                return false;
            key = rest.Slice(1, end).ToString();
            rest = rest[(end + 2)..];
        }
        else
        {
            var length = PlainLength(rest);
            if (length == 0)
                return false;
            key = rest[..length].ToString();
            rest = rest[length..];
        }

        items.Add(new JsonPathItem(JsonPathStep.Key, key, 0) { Utf8 = Encoding.UTF8.GetBytes(key) });
        return true;
    }

    private static int PlainLength(ReadOnlySpan<char> text)
    {
        var length = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            if (!Alphabetic.IsAlphanumeric(rune) && rune.Value is not ('_' or '-'))
                break;
            length += rune.Utf16SequenceLength;
        }

        return length;
    }

    private static string Write(ImmutableArray<JsonPathItem> items)
    {
        var text = new StringBuilder();
        foreach (var item in items)
        {
            switch (item.Kind)
            {
                case JsonPathStep.Key:
                    if (text.Length > 0)
                        text.Append('.');
                    if (item.Key!.Length > 0 && PlainLength(item.Key) == item.Key.Length)
                        text.Append(item.Key);
                    else
                        text.Append('"').Append(item.Key).Append('"');
                    break;
                case JsonPathStep.Index:
                    text.Append('[').Append(item.Index.ToString(CultureInfo.InvariantCulture)).Append(']');
                    break;
                default:
                    text.Append("[]");
                    break;
            }
        }

        return text.ToString();
    }
}
