using System.Collections.Immutable;
using Granary.Index;
using Granary.Index.Filters;

namespace Granary.Client;

/// <summary>
/// Builds filters in code: <c>new FilterBuilder().Must(Field.Is("section", "net")).MustNot(Field.InRange("installed_kb", gt:
/// 1000)).Build()</c>.
/// </summary>
public sealed class FilterBuilder
{
    private readonly ImmutableArray<Condition>.Builder _must = ImmutableArray.CreateBuilder<Condition>();
    private readonly ImmutableArray<Condition>.Builder _should = ImmutableArray.CreateBuilder<Condition>();
    private readonly ImmutableArray<Condition>.Builder _mustNot = ImmutableArray.CreateBuilder<Condition>();

    /// <summary>All of these hold.</summary>
    public FilterBuilder Must(params ReadOnlySpan<Condition> conditions) => Add(_must, conditions);

    /// <summary>At least one of these holds.</summary>
    public FilterBuilder Should(params ReadOnlySpan<Condition> conditions) => Add(_should, conditions);

    /// <summary>None of these holds.</summary>
    public FilterBuilder MustNot(params ReadOnlySpan<Condition> conditions) => Add(_mustNot, conditions);

    /// <summary>The filter.</summary>
    public Filter Build() => new() { Must = _must.ToImmutable(), Should = _should.ToImmutable(), MustNot = _mustNot.ToImmutable() };

    private FilterBuilder Add(ImmutableArray<Condition>.Builder to, ReadOnlySpan<Condition> conditions)
    {
        to.AddRange(conditions);
        return this;
    }
}

/// <summary>Conditions on a payload field.</summary>
public static class Field
{
    /// <summary>The field holds the string.</summary>
    public static Condition Is(string key, string value) => new MatchAnyCondition(key, [MatchValue.Of(value)]);

    /// <summary>The field holds the integer.</summary>
    public static Condition Is(string key, long value) => new MatchAnyCondition(key, [MatchValue.Of(value)]);

    /// <summary>The field holds the boolean.</summary>
    public static Condition Is(string key, bool value) => new MatchAnyCondition(key, [MatchValue.Of(value)]);

    /// <summary>The field holds one of the strings.</summary>
    public static Condition IsAny(string key, params IEnumerable<string> values) =>
        new MatchAnyCondition(key, [.. values.Select(MatchValue.Of)]);

    /// <summary>The field holds a number within bounds.</summary>
    public static Condition InRange(string key, double? gt = null, double? gte = null, double? lt = null, double? lte = null) =>
        new RangeCondition(key, gt, gte, lt, lte);

    /// <summary>The field's text has all of the words.</summary>
    public static Condition HasWords(string key, string text) => new MatchTextCondition(key, text, TextMatchMode.All);

    /// <summary>The field is missing, null or [].</summary>
    public static Condition IsEmpty(string key) => new IsEmptyCondition(key);

    /// <summary>The point has one of the ids.</summary>
    public static Condition HasId(params IEnumerable<PointId> ids) => new HasIdCondition([.. ids]);
}
