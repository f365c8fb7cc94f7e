using System.Text.Json;
using Granary.Http.Hosting;

namespace Granary.Http.Json;

/// <summary>
/// The members of a JSON object, read with errors that name the field, the value and the limit. An absent one and <c>null</c> are the same.
/// </summary>
internal readonly struct JsonFields
{
    private readonly JsonElement _object;
    private readonly string _path;

    /// <summary>Takes an object.</summary>
    /// <param name="value">The object.</param>
    /// <param name="path">Where it stands in the body; empty for the body itself.</param>
    public JsonFields(JsonElement value, string path = "")
    {
        if (value.ValueKind != JsonValueKind.Object)
            throw Wrong(path, value, "a map");
        _object = value;
        _path = path;
    }

    /// <summary>The object itself.</summary>
    public JsonElement Element => _object;

    /// <summary>A member, or null.</summary>
    public JsonElement? this[string name] =>
        _object.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    /// <summary>Whether the member is there, even as null.</summary>
    public bool Has(string name) => _object.TryGetProperty(name, out _);

    /// <summary>The path of a member.</summary>
    public string PathOf(string name) => _path.Length == 0 ? name : $"{_path}.{name}";

    /// <summary>A member that must be there.</summary>
    public JsonElement Required(string name) =>
        this[name] ?? throw ApiException.Format(_path.Length == 0 ? $"missing field `{name}`" : $"{_path}: missing field `{name}`");

    /// <summary>A member that is an object.</summary>
    public JsonFields? Object(string name) => this[name] is { } value ? new JsonFields(value, PathOf(name)) : null;

    /// <summary>A string.</summary>
    public string? Text(string name) => this[name] is { } value
        ? value.ValueKind == JsonValueKind.String ? Read(value) : throw Wrong(PathOf(name), value, "a string")
        : null;

    /// <summary>A string that must be there.</summary>
    public string RequiredText(string name)
    {
        Required(name);
        return Text(name)!;
    }

    /// <summary>One of several words.</summary>
    public string? Word(string name, params ReadOnlySpan<string> words)
    {
        if (Text(name) is not { } text)
            return null;
        return words.Contains(text)
            ? text
            : throw ApiException.Format(
                $"{PathOf(name)}: unknown variant `{text}`, expected one of {string.Join(", ", words.ToArray().Select(w => $"`{w}`"))}");
    }

    /// <summary>A boolean.</summary>
    public bool? Flag(string name) => this[name] switch
    {
        null => null,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        { } value => throw Wrong(PathOf(name), value, "a boolean"),
    };

    /// <summary>An unsigned integer within limits.</summary>
    public long? Count(string name, long least = 0, long most = long.MaxValue)
    {
        if (this[name] is not { } value)
            return null;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetUInt64(out var number))
            throw Wrong(PathOf(name), value, "usize");
        if (most == long.MaxValue)
            number = Math.Min(number, long.MaxValue);
        if (number > (ulong)most || (long)number < least)
            throw ApiException.Invalid(PathOf(name), $"value {number} invalid, must be {Limits(least, most)}");
        return (long)number;
    }

    /// <summary>
    /// An unsigned integer; where there is no other limit, what does not fit 32 bits is as good as the largest that does.
    /// </summary>
    public int? Int(string name, int least = 0, int most = int.MaxValue) =>
        (int?)(most == int.MaxValue ? Count(name, least) is { } count ? Math.Min(count, most) : null : Count(name, least, most));

    /// <summary>A number within limits.</summary>
    public double? Number(string name, double least = double.NegativeInfinity, double most = double.PositiveInfinity)
    {
        if (this[name] is not { } value)
            return null;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out var number) || !double.IsFinite(number))
            throw Wrong(PathOf(name), value, "f64");
        if (number < least || number > most)
            throw ApiException.Invalid(PathOf(name),
                FormattableString.Invariant($"value {number} invalid, must be from {least} to {most}"));
        return number;
    }

    /// <summary>The items of an array, or none.</summary>
    public IReadOnlyList<JsonElement> Items(string name) => this[name] switch
    {
        null => [],
        { ValueKind: JsonValueKind.Array } value => [.. value.EnumerateArray()],
        { } value => throw Wrong(PathOf(name), value, "a sequence"),
    };

    /// <summary>An error about a value's type.</summary>
    public static ApiException Wrong(string path, JsonElement value, string expected)
    {
        var found = value.ValueKind switch
        {
            JsonValueKind.Object => "map",
            JsonValueKind.Array => "sequence",
            JsonValueKind.String => $"string {Brief(value)}",
            JsonValueKind.Number => $"number `{Brief(value)}`",
            JsonValueKind.True or JsonValueKind.False => $"boolean `{Brief(value)}`",
            _ => "null",
        };
        return ApiException.Format(path.Length == 0 ? $"invalid type: {found}, expected {expected}"
            : $"{path}: invalid type: {found}, expected {expected}");
    }

    /// <summary>A JSON string; one with half a surrogate pair is an error.</summary>
    public static string Read(JsonElement text)
    {
        try
        {
            return text.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw ApiException.Format("lone surrogate in hex escape");
        }
    }

    private static string Brief(JsonElement value)
    {
        var text = value.GetRawText();
        return text.Length <= 64 ? text : string.Concat(text.AsSpan(0, 61), "...");
    }

    private static string Limits(long least, long most) => most == long.MaxValue || most == int.MaxValue
        ? FormattableString.Invariant($"{least} or larger")
        : FormattableString.Invariant($"from {least} to {most}");
}
