using System.Collections.Immutable;
using Granary.Collections;
using Granary.Http.Hosting;
using Granary.Http.Requests;
using Granary.Index;
using Granary.Index.Filters;

namespace Granary.Http.StrictMode;

internal sealed partial class StrictModeCheck
{
    /// <summary>Checks the filter of a read.</summary>
    public void ReadFilter(Filter? filter)
    {
        CheckFilter(filter, "unindexed_filtering_retrieve");
        if (limits is not null && filter is not null)
            Cost += Conditions(filter);
    }

    /// <summary>Checks the filter of an update.</summary>
    public void WriteFilter(Filter? filter) => CheckFilter(filter, "unindexed_filtering_update");

    /// <summary>Checks the field groups are made by.</summary>
    public void Grouping(string path)
    {
        if (limits?.Permission("unindexed_filtering_retrieve") != false)
            return;
        var index = _schema.FindPayloadIndex(path)
            ?? throw ApiException.StrictMode($"Index required but not found for \"{path}\"",
                "Create an index supporting `match` for this key.");
        if (!SupportsMatch(index))
            throw ApiException.StrictMode($"Index of type \"{index.Type}\" found for \"{path}\"",
                "Create an index supporting `match` for this key.");
    }

    private static bool SupportsMatch(PayloadIndexSchema index) => index.Type switch
    {
        PayloadIndexType.Keyword or PayloadIndexType.Uuid or PayloadIndexType.Bool => true,
        PayloadIndexType.Integer => index.Lookup,
        _ => false,
    };

    private void CheckFilter(Filter? filter, string permission)
    {
        if (limits is null || filter is null)
            return;
        if (limits.Permission(permission) == false && Unindexed(filter, "") is { } missing)
            throw MissingIndex(missing, "Create an index for this key or use a different filter.");
        if (limits.Limit("filter_max_conditions") is { } most && Conditions(filter) is var count && count > most)
            throw ApiException.StrictMode($"Filter condition limit reached ({count} > {most})",
                "Reduce the amount of conditions of your filter.");
        if (limits.Limit("condition_max_size") is { } largest && LargestCondition(filter) is var size && size > largest)
            throw ApiException.StrictMode($"Condition size limit reached ({size} > {largest})", "Reduce the size of your condition.");
    }

    private void Formula(FormulaExpression expression)
    {
        if (limits!.Permission("unindexed_filtering_retrieve") != false)
            return;
        (string Key, string[] Types)? missing = expression.Kind switch
        {
            "variable" when expression.Variable is { } name && !name.StartsWith("$score", StringComparison.Ordinal) =>
                Need(name, "", ["float", "integer"], i =>
                i.Type == PayloadIndexType.Float || i is { Type: PayloadIndexType.Integer }),
            "geo_distance" => Need(expression.Variable!, "", ["geo"], static i => i.Type == PayloadIndexType.Geo),
            "datetime_key" => Need(expression.Variable!, "", ["datetime"], static i => i.Type == PayloadIndexType.Datetime),
            "condition" => Unindexed(expression.Condition!, ""),
            _ => null,
        };
        if (missing is { } found)
            throw MissingIndex(found, "Create an index for this key or use a different formula expression.");
        foreach (var operand in expression.Operands)
            Formula(operand);
        if (expression.Target is { } target)
            Formula(target);
    }

    private static ApiException MissingIndex((string Key, string[] Types) missing, string help) => ApiException.StrictMode(
        $"Index required but not found for \"{missing.Key}\" of one of the following types: "
        + $"[{string.Join(", ", missing.Types.Order(StringComparer.Ordinal))}]", help);

    /// <summary>The first key a filter tests that no index of a fitting type covers.</summary>
    private (string Key, string[] Types)? Unindexed(Filter filter, string prefix) =>
        All(filter).Select(c => Unindexed(c, prefix)).FirstOrDefault(missing => missing is not null);

    private (string Key, string[] Types)? Unindexed(Condition condition, string prefix) => condition switch
    {
        FilterCondition c => Unindexed(c.Filter, prefix),
        NestedCondition c => Unindexed(c.Filter, prefix + NestedPrefix(c.Key)),
        MatchAnyCondition c => NeedMatch(c.Key, prefix, c.Values),
        MatchExceptCondition c => NeedMatch(c.Key, prefix, c.Values),
        MatchTextCondition { Mode: TextMatchMode.Prefix } c => Need(c.Key, prefix, ["keyword"], i =>
            i.Type == PayloadIndexType.Keyword && DeclaredVectors.IndexOption(config, i.Path, "prefix")),
        MatchTextCondition { Mode: TextMatchMode.Phrase } c =>
            Need(c.Key, prefix, ["text"], static i => i is { Type: PayloadIndexType.Text, Phrase: true }),
        MatchTextCondition c => Need(c.Key, prefix, ["text"], static i => i.Type == PayloadIndexType.Text),
        RangeCondition c => Need(c.Key, prefix, ["float", "integer"], static i =>
            i.Type == PayloadIndexType.Float || i is { Type: PayloadIndexType.Integer, Range: true }),
        DatetimeRangeCondition c => Need(c.Key, prefix, ["datetime"], static i => i.Type == PayloadIndexType.Datetime),
        GeoBoundingBoxCondition c => Need(c.Key, prefix, ["geo"], static i => i.Type == PayloadIndexType.Geo),
        GeoRadiusCondition c => Need(c.Key, prefix, ["geo"], static i => i.Type == PayloadIndexType.Geo),
        GeoPolygonCondition c => Need(c.Key, prefix, ["geo"], static i => i.Type == PayloadIndexType.Geo),
        ValuesCountCondition c => NeedAny(c.Key, prefix),
        IsEmptyCondition c => NeedAny(c.Key, prefix),
        IsNullCondition c => NeedAny(c.Key, prefix),
        _ => null,
    };

    private static string NestedPrefix(string key) => key.EndsWith("[]", StringComparison.Ordinal) ? key + "." : key + "[].";

    private (string Key, string[] Types)? NeedMatch(string key, string prefix, ImmutableArray<MatchValue> values) =>
        values.IsEmpty
            ? Need(key, prefix, ["integer", "keyword", "uuid"], static i =>
                i.Type is PayloadIndexType.Keyword or PayloadIndexType.Uuid or PayloadIndexType.Integer)
            : values[0].Kind switch
            {
                MatchValueKind.Integer => Need(key, prefix, ["integer"], static i => i is { Type: PayloadIndexType.Integer, Lookup: true }),
                MatchValueKind.Bool => Need(key, prefix, ["bool"], static i => i.Type == PayloadIndexType.Bool),
                _ => Need(key, prefix, ["keyword", "uuid"], static i => i.Type is PayloadIndexType.Keyword or PayloadIndexType.Uuid),
            };

    private (string Key, string[] Types)? NeedAny(string key, string prefix) =>
        Need(key, prefix, ["bool", "datetime", "float", "geo", "integer", "keyword", "text", "uuid"], static _ => true);

    private (string Key, string[] Types)? Need(string key, string prefix, string[] types, Func<PayloadIndexSchema, bool> fits) =>
        _schema.PayloadIndexes.Any(i => i.Path == prefix + key && fits(i)) ? null : (prefix + key, types);

    private static IEnumerable<Condition> All(Filter filter)
    {
        foreach (var condition in filter.Must)
            yield return condition;
        foreach (var condition in filter.Should)
            yield return condition;
        foreach (var condition in filter.MustNot)
            yield return condition;
        foreach (var condition in filter.MinShould?.Conditions ?? [])
            yield return condition;
    }

    private static int Conditions(Filter filter) => All(filter).Sum(static c => c switch
    {
        FilterCondition inner => Conditions(inner.Filter),
        NestedCondition inner => Conditions(inner.Filter),
        _ => 1,
    });

    private static int LargestCondition(Filter filter) => All(filter).Select(static c => c switch
    {
        FilterCondition inner => LargestCondition(inner.Filter),
        NestedCondition inner => LargestCondition(inner.Filter),
        MatchAnyCondition { Values.Length: > 1 } any => any.Values.Length,
        MatchExceptCondition except => except.Values.Length,
        HasIdCondition ids => ids.Ids.Length,
        GeoPolygonCondition polygon => polygon.Exterior.Length + polygon.Interiors.Sum(static r => r.Length),
        _ => 0,
    }).DefaultIfEmpty().Max();
}
