using System.Collections.Immutable;
using Granary.Index;

namespace Granary.Collections.Querying;

/// <summary>Finds what a query refers to: stored points, and texts to be embedded.</summary>
internal sealed class QueryReferences
{
    private readonly string _collection;
    private readonly IndexSchema _schema;

    private QueryReferences(string collection, IndexSchema schema) => (_collection, _schema) = (collection, schema);

    public HashSet<PointReference> Points { get; } = [];

    public HashSet<(string? Model, string Text)> Texts { get; } = [];

    /// <summary>Points of the collection itself, which are left out of the results.</summary>
    public HashSet<PointId> Used { get; } = [];

    /// <summary>What a query refers to; null for nothing.</summary>
    public static QueryReferences? Of(QueryRequest request, string collection, IndexSchema schema)
    {
        QueryLimits.Check(request);
        if (IsLiteral(request, schema))
            return null;
        var references = new QueryReferences(collection, schema);
        references.Visit(request.Query, request.Using, request.LookupFrom);
        references.Visit(request.Prefetches);
        return references;
    }

    public static string VectorOf(string? @using, LookupLocation? lookup) => lookup?.Vector ?? @using ?? "";

    public static string? CollectionOf(LookupLocation? lookup, string collection) =>
        lookup is null || lookup.Collection == collection ? null : lookup.Collection;

    /// <summary>Whether the query, and each prefetch of it, is one vector or one text over a text field, as most are.</summary>
    private static bool IsLiteral(QueryRequest request, IndexSchema schema)
    {
        if (request.Query is not (RrfQuery or DbsfQuery or WeightedSumQuery or ConvexQuery or null)
            && !IsLiteral(request.Query, request.Using, schema))
            return false;
        foreach (var prefetch in request.Prefetches)
        {
            if (!prefetch.Prefetches.IsDefaultOrEmpty || !IsLiteral(prefetch.Query, prefetch.Using, schema))
                return false;
        }

        return true;
    }

    private static bool IsLiteral(Query? query, string? @using, IndexSchema schema) => query is NearestQuery
    {
        Input: DenseInput or MultiInput or SparseInput,
    } || (query is NearestQuery { Input: TextInput } && schema.FindDense(@using ?? "") is null);

    private void Visit(ImmutableArray<Prefetch> prefetches)
    {
        foreach (var prefetch in prefetches)
        {
            Visit(prefetch.Query, prefetch.Using, prefetch.LookupFrom);
            Visit(prefetch.Prefetches);
        }
    }

    private void Visit(Query? query, string? @using, LookupLocation? lookup)
    {
        foreach (var input in Inputs(query))
        {
            if (input is PointInput point)
            {
                var other = CollectionOf(lookup, _collection);
                Points.Add(new PointReference(other, VectorOf(@using, lookup), point.Id));
                if (other is null)
                    Used.Add(point.Id);
            }
            else if (input is TextInput text && _schema.FindDense(@using ?? "") is not null)
            {
                Texts.Add((text.Model, text.Text));
            }
        }
    }

    private static IEnumerable<VectorInput> Inputs(Query? query) => query switch
    {
        NearestQuery nearest => [nearest.Input],
        RecommendQuery recommend => recommend.Positive.Concat(recommend.Negative),
        DiscoverQuery discover => discover.Context.SelectMany(p => new[] { p.Positive, p.Negative }).Append(discover.Target),
        ContextQuery context => context.Context.SelectMany(p => new[] { p.Positive, p.Negative }),
        _ => [],
    };
}
