using System.Collections.Immutable;
using System.Text.Json;
using Granary.Index.Payload;

namespace Granary.Index.Filters;

public static partial class FilterJson
{
    private const string ExpectedCondition =
        "Expected some form of condition, which can be a field condition (like {\"key\": ..., \"match\": ... }), or some other mentioned "
            + "in the "
        + "documentation: https://qdrant.tech/documentation/concepts/filtering/#filtering-conditions";

    private static Filter ParseFilter(JsonElement element, int depth, Budget budget)
    {
        if (depth > MaxDepth)
            throw GranaryException.BadInput($"Filter is nested deeper than {MaxDepth}.");
        if (element.ValueKind != JsonValueKind.Object)
            throw Invalid(element, "struct Filter");
        var filter = new Filter();
        foreach (var member in element.EnumerateObject())
        {
            filter = member.Name switch
            {
                "must" => filter with { Must = ParseConditions(member.Value, depth, budget) },
                "should" => filter with { Should = ParseConditions(member.Value, depth, budget) },
                "must_not" => filter with { MustNot = ParseConditions(member.Value, depth, budget) },
                "min_should" => filter with { MinShould = ParseMinShould(member.Value, depth, budget) },
                _ => throw GranaryException.BadInput(
                    $"unknown field `{member.Name}`, expected one of `should`, `min_should`, `must`, `must_not`"),
            };
        }

        return filter;
    }

    private static ImmutableArray<Condition> ParseConditions(JsonElement element, int depth, Budget budget)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Null:
                return [];
            case JsonValueKind.Object:
                return [ParseCondition(element, depth, budget)];
            case JsonValueKind.Array:
                var conditions = ImmutableArray.CreateBuilder<Condition>(element.GetArrayLength());
                foreach (var item in element.EnumerateArray())
                    conditions.Add(ParseCondition(item, depth, budget));
                return conditions.MoveToImmutable();
            default:
                throw Invalid(element, "null, a sequence, or a map");
        }
    }

    private static MinShould? ParseMinShould(JsonElement element, int depth, Budget budget)
    {
        if (element.ValueKind == JsonValueKind.Null)
            return null;
        if (element.ValueKind != JsonValueKind.Object)
            throw Invalid(element, "struct MinShould");
        if (!element.TryGetProperty("conditions", out var conditions))
            throw Missing("conditions");
        if (!element.TryGetProperty("min_count", out var count))
            throw Missing("min_count");
        if (conditions.ValueKind != JsonValueKind.Array)
            throw Invalid(conditions, "a sequence");
        var parsed = ParseConditions(conditions, depth, budget);
        if (count.ValueKind != JsonValueKind.Number || !count.TryGetUInt64(out var minimum))
            throw Invalid(count, "usize");
        if (minimum == 0)
            throw GranaryException.Validation("min_should.min_count: value 0 invalid, min_count must be greater than 0");
        return new MinShould(parsed, (int)Math.Min(minimum, int.MaxValue));
    }

    private static Condition ParseCondition(JsonElement element, int depth, Budget budget)
    {
        budget.Take();
        if (element.ValueKind != JsonValueKind.Object)
            throw GranaryException.BadInput(ExpectedCondition);
        if (element.TryGetProperty("key", out var key))
        {
            if (key.ValueKind != JsonValueKind.String)
                throw GranaryException.BadInput("Filter condition 'key' must be a string");
            return ParseField(ParsePath(key), element);
        }

        foreach (var member in element.EnumerateObject())
        {
            switch (member.Name)
            {
                case "is_empty":
                    return new IsEmptyCondition(ParseKeyObject(member.Value));
                case "is_null":
                    return new IsNullCondition(ParseKeyObject(member.Value));
                case "has_id":
                    return new HasIdCondition(ParseIds(member.Value));
                case "has_vector":
                    return member.Value.ValueKind == JsonValueKind.String
                        ? new HasVectorCondition(member.Value.GetString()!)
                        : throw GranaryException.BadInput(ExpectedCondition);
                case "slice":
                    return ParseSlice(member.Value);
                case "nested":
                    return ParseNested(member.Value, depth, budget);
                case "must" or "should" or "must_not" or "min_should":
                    return new FilterCondition(ParseFilter(element, depth + 1, budget));
                default:
                    throw GranaryException.BadInput($"{ExpectedCondition}; found the field `{member.Name}`");
            }
        }

        // An object without members is an empty filter.
        return new FilterCondition(new Filter());
    }

    private static string ParseKeyObject(JsonElement element) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty("key", out var key) && key.ValueKind == JsonValueKind.String
            ? ParsePath(key)
            : throw GranaryException.BadInput(ExpectedCondition);

    private static string ParsePath(JsonElement key)
    {
        var text = key.GetString()!;
        JsonPath.Parse(text);
        return text;
    }

    private static ImmutableArray<PointId> ParseIds(JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Array)
            throw GranaryException.BadInput(ExpectedCondition);
        var ids = ImmutableArray.CreateBuilder<PointId>(element.GetArrayLength());
        var seen = new HashSet<PointId>(element.GetArrayLength());
        foreach (var item in element.EnumerateArray())
        {
            PointId id;
            if (item.ValueKind == JsonValueKind.Number && item.TryGetUInt64(out var number))
                id = new PointId(number);
            else if (item.ValueKind != JsonValueKind.String || !PointId.TryParseUuid(item.GetString(), out id))
                throw GranaryException.BadInput(
                    $"value {Show(item)} is not a valid point ID, valid values are either an unsigned integer or a UUID");
            if (seen.Add(id))
                ids.Add(id);
        }

        return ids.ToImmutable();
    }

    private static SliceCondition ParseSlice(JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Object)
            throw GranaryException.BadInput(ExpectedCondition);
        if (!element.TryGetProperty("total", out var total))
            throw Missing("total");
        if (!element.TryGetProperty("index", out var index))
            throw Missing("index");
        if (total.ValueKind != JsonValueKind.Number || !total.TryGetInt32(out var slices) || slices < 1)
            throw Invalid(total, "a nonzero u32");
        if (index.ValueKind != JsonValueKind.Number || !index.TryGetInt32(out var slice) || slice < 0)
            throw Invalid(index, "u32");
        if (slice >= slices)
            throw GranaryException.Validation($"Slice index must be less than the total number of slices: {slice} of {slices}");
        return new SliceCondition(slice, slices);
    }

    private static NestedCondition ParseNested(JsonElement element, int depth, Budget budget)
    {
        if (element.ValueKind != JsonValueKind.Object)
            throw GranaryException.BadInput(ExpectedCondition);
        if (!element.TryGetProperty("filter", out var filter))
            throw Missing("filter");
        return new NestedCondition(ParseKeyObject(element), ParseFilter(filter, depth + 1, budget));
    }

    private static GranaryException Missing(string field) => GranaryException.BadInput($"missing field `{field}`");

    private static GranaryException Invalid(JsonElement element, string expected) =>
        GranaryException.BadInput($"invalid value: {Show(element)}, expected {expected}");

    private static string Show(JsonElement element)
    {
        var text = element.GetRawText();
        return text.Length <= 100 ? text : text[..100] + "...";
    }
}
