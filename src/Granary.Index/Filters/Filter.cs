using System.Collections.Immutable;

namespace Granary.Index.Filters;

/// <summary>
/// A boolean combination of conditions: every <c>must</c>, no <c>must_not</c>, one <c>should</c> if there are any, and at least
/// <c>min_should.min_count</c> of <c>min_should</c>. An empty filter matches every point.
/// </summary>
public sealed record Filter
{
    /// <summary>All of these hold.</summary>
    public ImmutableArray<Condition> Must { get; init; } = [];

    /// <summary>At least one of these holds, if there are any.</summary>
    public ImmutableArray<Condition> Should { get; init; } = [];

    /// <summary>None of these holds.</summary>
    public ImmutableArray<Condition> MustNot { get; init; } = [];

    /// <summary>At least so many of these hold.</summary>
    public MinShould? MinShould { get; init; }

    /// <summary>Whether there is no condition at all.</summary>
    public bool IsEmpty => Must.IsEmpty && Should.IsEmpty && MustNot.IsEmpty && MinShould is null;
}

/// <summary>At least <paramref name="MinCount"/> of <paramref name="Conditions"/> hold.</summary>
public sealed record MinShould(ImmutableArray<Condition> Conditions, int MinCount);

/// <summary>One condition of a filter.</summary>
public abstract record Condition;

/// <summary>A nested filter as a condition.</summary>
public sealed record FilterCondition(Filter Filter) : Condition;

/// <summary>A value of a payload field to match: a string, a 64-bit integer or a boolean.</summary>
public readonly record struct MatchValue(string? Text, long Integer, bool Boolean, MatchValueKind Kind)
{
    /// <summary>A string.</summary>
    public static MatchValue Of(string text) => new(text, 0, false, MatchValueKind.Keyword);

    /// <summary>An integer.</summary>
    public static MatchValue Of(long integer) => new(null, integer, false, MatchValueKind.Integer);

    /// <summary>A boolean.</summary>
    public static MatchValue Of(bool boolean) => new(null, 0, boolean, MatchValueKind.Bool);
}

/// <summary>Which member of a <see cref="MatchValue"/> counts.</summary>
public enum MatchValueKind : byte
{
    /// <summary>The string.</summary>
    Keyword,

    /// <summary>The integer.</summary>
    Integer,

    /// <summary>The boolean.</summary>
    Bool,
}

/// <summary><c>match: {value}</c> or <c>match: {any}</c>: the field holds one of the values.</summary>
public sealed record MatchAnyCondition(string Key, ImmutableArray<MatchValue> Values) : Condition;

/// <summary><c>match: {except}</c>: the field holds a value that is none of these.</summary>
public sealed record MatchExceptCondition(string Key, ImmutableArray<MatchValue> Values) : Condition;

/// <summary>
/// How the tokens of a <see cref="MatchTextCondition"/> must occur in one string of the field. Tokens are those of the field's text index;
/// without one those of a text index with default parameters (words, lower-cased), so that an index of that kind changes no answer.
/// </summary>
/// <remarks>Qdrant compares substrings where a field has no text index.</remarks>
public enum TextMatchMode : byte
{
    /// <summary><c>text</c>: every token occurs.</summary>
    All,

    /// <summary><c>text_any</c>: one token occurs.</summary>
    Any,

    /// <summary><c>phrase</c>: the tokens occur in this order, next to each other.</summary>
    Phrase,

    /// <summary><c>prefix</c>: a keyword starts with the text.</summary>
    Prefix,
}

/// <summary><c>match: {text | text_any | phrase | prefix}</c>.</summary>
public sealed record MatchTextCondition(string Key, string Text, TextMatchMode Mode) : Condition;

/// <summary><c>range</c> over numbers; an absent bound is null.</summary>
public sealed record RangeCondition(string Key, double? Gt, double? Gte, double? Lt, double? Lte) : Condition;

/// <summary><c>range</c> over instants; an absent bound is null.</summary>
public sealed record DatetimeRangeCondition(string Key, DateTimeOffset? Gt, DateTimeOffset? Gte, DateTimeOffset? Lt, DateTimeOffset? Lte)
    : Condition;

/// <summary>A place on the sphere, degrees.</summary>
public readonly record struct GeoPoint(double Longitude, double Latitude);

/// <summary><c>geo_bounding_box</c>; may cross the antimeridian.</summary>
public sealed record GeoBoundingBoxCondition(string Key, GeoPoint TopLeft, GeoPoint BottomRight) : Condition;

/// <summary><c>geo_radius</c> in metres, by haversine.</summary>
public sealed record GeoRadiusCondition(string Key, GeoPoint Center, double RadiusMeters) : Condition;

/// <summary><c>geo_polygon</c>: inside the exterior and outside every interior ring.</summary>
public sealed record GeoPolygonCondition(string Key, ImmutableArray<GeoPoint> Exterior, ImmutableArray<ImmutableArray<GeoPoint>> Interiors)
    : Condition;

/// <summary><c>values_count</c>: how many values the field has (null counts 0, a scalar 1, an array its length).</summary>
public sealed record ValuesCountCondition(string Key, int? Gt, int? Gte, int? Lt, int? Lte) : Condition;

/// <summary><c>is_empty</c>: the field is missing, null or [].</summary>
public sealed record IsEmptyCondition(string Key) : Condition;

/// <summary><c>is_null</c>: the field holds null.</summary>
public sealed record IsNullCondition(string Key) : Condition;

/// <summary><c>has_id</c>.</summary>
public sealed record HasIdCondition(ImmutableArray<PointId> Ids) : Condition;

/// <summary><c>has_vector</c>.</summary>
public sealed record HasVectorCondition(string Vector) : Condition;

/// <summary><c>nested</c>: one element of the array at the key satisfies the whole filter.</summary>
public sealed record NestedCondition(string Key, Filter Filter) : Condition;

/// <summary><c>slice</c>: points whose id hashes to <paramref name="Index"/> of <paramref name="Total"/>.</summary>
public sealed record SliceCondition(int Index, int Total) : Condition;
