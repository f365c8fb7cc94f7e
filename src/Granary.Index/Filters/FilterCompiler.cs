using System.Collections.Immutable;
using Granary.Index.Payload;
using Granary.Index.Text;

namespace Granary.Index.Filters;

/// <summary>Turns a filter into nodes and finds what the indexes know of it.</summary>
internal sealed class FilterCompiler(FilterPlan plan, IFilterContext context)
{
    private readonly long _total = context.PointCount;

    /// <param name="filter">The filter.</param>
    /// <param name="scope">Takes the payload keys it needs.</param>
    /// <param name="prefix">The path of the elements it is about, inside a nested condition.</param>
    public CombinationNode Compile(Filter filter, FilterScope scope, JsonPath? prefix)
    {
        var must = All(filter.Must, scope, prefix);
        var should = All(filter.Should, scope, prefix);
        var mustNot = All(filter.MustNot, scope, prefix);
        var counted = All(filter.MinShould?.Conditions ?? [], scope, prefix);
        var minimum = filter.MinShould?.MinCount ?? 0;

        List<Cardinality> estimates = [];
        List<IndexMatch> candidates = [.. must.Select(static n => n.Candidates).OfType<IndexMatch>()];
        if (must.Length > 0)
            estimates.Add(CardinalityMath.All([.. must.Select(static n => n.Estimate)], _total));
        if (should.Length > 0)
        {
            estimates.Add(CardinalityMath.Any([.. should.Select(static n => n.Estimate)], _total));
            if (Union(should) is { } union)
                candidates.Add(union);
        }

        if (filter.MinShould is not null)
        {
            estimates.Add(CardinalityMath.AtLeast([.. counted.Select(static n => n.Estimate)], minimum, _total));
            if (minimum > 0 && Union(counted) is { } union)
                candidates.Add(union);
        }

        if (mustNot.Length > 0)
            estimates.Add(CardinalityMath.All([.. mustNot.Select(n => CardinalityMath.Not(n.Estimate, _total))], _total));
        return new CombinationNode(plan, must, should, mustNot, counted, minimum)
        {
            Estimate = CardinalityMath.All(estimates, _total),
            Candidates = candidates.MinBy(static c => c.Count),
        };
    }

    private static UnionMatch? Union(FilterNode[] nodes) =>
        nodes.All(static n => n.Candidates is not null) ? new UnionMatch([.. nodes.Select(static n => n.Candidates!)]) : null;

    private FilterNode[] All(ImmutableArray<Condition> conditions, FilterScope scope, JsonPath? prefix)
    {
        var nodes = new FilterNode[conditions.Length];
        for (var i = 0; i < nodes.Length; i++)
            nodes[i] = Compile(conditions[i], scope, prefix);
        return nodes;
    }

    private FilterNode Compile(Condition condition, FilterScope scope, JsonPath? prefix) => condition switch
    {
        FilterCondition c => Compile(c.Filter, scope, prefix),
        NestedCondition c => Nested(c, scope, prefix),
        HasIdCondition c => Ids(c, prefix is not null),
        HasVectorCondition c => new VectorNode(c.Vector) { Estimate = prefix is null ? Cardinality.Unknown(_total) : default },
        SliceCondition c => new SliceNode(c) { Estimate = prefix is null ? new(0, _total / c.Total, _total) : default },
        MatchAnyCondition c => Value(c, c.Key, new OneOfTest(c.Values), scope, prefix),
        MatchExceptCondition c => Value(c, c.Key, new NoneOfTest(c.Values), scope, prefix),
        MatchTextCondition c => Value(c, c.Key, Text(c, prefix), scope, prefix),
        RangeCondition c => Value(c, c.Key, new NumberRangeTest(c), scope, prefix),
        DatetimeRangeCondition c => Value(c, c.Key, new InstantRangeTest(c), scope, prefix),
        GeoBoundingBoxCondition c => Value(c, c.Key, new AreaTest((x, y) => GeoTests.Contains(c, x, y)), scope, prefix),
        GeoRadiusCondition c => Value(c, c.Key, new AreaTest((x, y) => GeoTests.Contains(c, x, y)), scope, prefix),
        GeoPolygonCondition c => Value(c, c.Key, new AreaTest((x, y) => GeoTests.Contains(c, x, y)), scope, prefix),
        ValuesCountCondition c => Value(c, c.Key, new CountTest(c), scope, prefix),
        IsNullCondition c => Value(c, c.Key, new NullTest(), scope, prefix),
        IsEmptyCondition c => Value(c, c.Key, new FilledTest(), scope, prefix, negated: true),
        _ => throw new InvalidOperationException($"{condition.GetType().Name} cannot be evaluated."),
    };

    private ValueTest Text(MatchTextCondition condition, JsonPath? prefix)
    {
        var path = JsonPath.Parse(condition.Key);
        return condition.Mode == TextMatchMode.Prefix
            ? new PrefixTest(condition.Text)
            : new TokenTest(condition, context.Indexes.FindAnalyzer(prefix?.Append(path) ?? path) ?? QdrantAnalyzer.IndexDefault);
    }

    private ValueNode Value(Condition condition, string key, ValueTest test, FilterScope scope, JsonPath? prefix, bool negated = false)
    {
        var path = JsonPath.Parse(key);
        var match = context.Indexes.Find(prefix?.Append(path) ?? path, condition, test);
        return new ValueNode(plan, scope.Place(path.Items[0].Utf8!), path.Items[1..], test, negated)
        {
            Match = prefix is null ? match : null,
            Candidates = match,
            Estimate = match is null ? Cardinality.Unknown(_total) : Estimate(match, prefix is null),
        };
    }

    /// <summary>Slots that this view does not show, older or newer than it, may be among the counted ones.</summary>
    private Cardinality Estimate(IndexMatch match, bool ofPoint)
    {
        var invisible = Math.Max(0, context.SlotBound - _total);
        var max = Math.Min(match.Count, _total);
        var min = ofPoint && match is { IsExact: true, IsDistinct: true } ? Math.Clamp(match.Count - invisible, 0, max) : 0;
        return new Cardinality(min, Math.Clamp(match.Expected, min, max), max);
    }

    private NestedNode Nested(NestedCondition condition, FilterScope scope, JsonPath? prefix)
    {
        var path = JsonPath.Parse(condition.Key).WithWildcard();
        var inner = new FilterScope();
        var filter = Compile(condition.Filter, inner, prefix?.Append(path) ?? path);
        return new NestedNode(scope.Place(path.Items[0].Utf8!), path.Items[1..], filter, inner)
        {
            // What the filter as a whole says of elements bounds points only through its candidates.
            Estimate = filter.Candidates is { } candidates
                ? new(0, Math.Min(filter.Estimate.Expected, candidates.Count), Math.Min(candidates.Count, _total))
                : Cardinality.Unknown(_total),
            Candidates = filter.Candidates,
        };
    }

    private IdNode Ids(HasIdCondition condition, bool nested)
    {
        List<int> slots = [];
        if (!nested)
        {
            foreach (var id in condition.Ids)
            {
                if (context.TryGetSlot(id, out var slot))
                    slots.Add(slot);
            }
        }

        return new IdNode(condition.Ids)
        {
            Estimate = Cardinality.Exactly(slots.Distinct().Count()),
            Candidates = new SlotListMatch(slots),
        };
    }

    private sealed class SlotListMatch(List<int> slots) : IndexMatch
    {
        public override long Count => slots.Count;

        public override void Fill(SlotBits bits)
        {
            foreach (var slot in slots)
                bits.Set(slot);
        }
    }
}
