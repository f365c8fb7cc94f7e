using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.InteropServices;
using Granary.Index;
using Granary.Index.Filters;
using Granary.Index.Fusion;
using Granary.Index.Search;

namespace Granary.Collections.Querying;

/// <summary>
/// Turns a request into a tree of legs and what combines them. Filters go down into the leaves, as in Qdrant; what is combined
/// is combined once, over all partitions.
/// </summary>
public sealed class QueryPlanner
{
    /// <summary>Choosing among n candidates costs n * n comparisons; Qdrant's limit of candidates_limit.</summary>
    private const int MaxMmrCandidates = 16_384;
    private readonly IndexSchema _schema;
    private readonly VectorResolver _vectors;
    private readonly ulong _seed;

    /// <summary>Plans queries over a schema.</summary>
    /// <param name="collection">The collection's name.</param>
    /// <param name="schema">Its schema.</param>
    /// <param name="resolved">The vectors and embeddings the query refers to.</param>
    /// <param name="seed">For samples.</param>
    public QueryPlanner(string collection, IndexSchema schema, ResolvedInputs resolved, ulong seed)
    {
        (_schema, _seed) = (schema, seed);
        _vectors = new VectorResolver(schema, resolved, collection);
    }

    /// <summary>The plan of a request; its limit includes the offset.</summary>
    /// <param name="request">The request.</param>
    /// <param name="used">Points that are left out of the results.</param>
    /// <exception cref="GranaryException">The request contradicts itself or the schema.</exception>
    public PlanNode Plan(QueryRequest request, IReadOnlyCollection<PointId> used)
    {
        var skipped = request.Query is SampleQuery && request.Prefetches.IsEmpty ? 0 : request.Offset;
        var limit = (int)Math.Min(int.MaxValue, (long)request.Limit + skipped);
        var stage = new Stage(
            request.Prefetches, request.Query, request.Using, Filters.And(request.Filter, Filters.Without(used)), request.Params,
            request.ScoreThreshold, limit, request.LookupFrom, request.Limit);
        return Plan(stage, null, 0);
    }

    private PlanNode Plan(in Stage stage, Filter? inherited, int depth)
    {
        QueryLimits.CheckDepth(depth);
        Check(stage);
        var filter = Filters.And(inherited, stage.Filter);
        if (stage.Prefetches.IsEmpty)
            return Combine(stage, filter, []);
        var children = new PlanNode[stage.Prefetches.Length];
        for (var i = 0; i < children.Length; i++)
        {
            var p = stage.Prefetches[i];
            children[i] = Plan(
                new Stage(p.Prefetches, p.Query, p.Using, p.Filter, p.Params, p.ScoreThreshold, p.Limit, p.LookupFrom, p.Limit), filter,
                depth + 1);
        }

        return Combine(stage, null, ImmutableCollectionsMarshal.AsImmutableArray(children));
    }

    private static void Check(in Stage stage)
    {
        if (!stage.Prefetches.IsEmpty && stage.Query is null)
            throw new GranaryException(
                ErrorKind.BadRequest, "A query is needed to merge the prefetches. Can't have prefetches without defining a query.");
        if (stage.Threshold is not null && stage.Query is null)
            throw new GranaryException(
                ErrorKind.BadRequest, "A query is needed to use the score_threshold. Can't have score_threshold without defining a query.");
        if (stage.Threshold is not null && stage.Query is OrderByQuery)
            throw new GranaryException(ErrorKind.BadRequest, "Can't use score_threshold with an order_by query.");
        var fuses = stage.Query is RrfQuery or DbsfQuery or WeightedSumQuery or ConvexQuery;
        if (fuses && !string.IsNullOrEmpty(stage.Using))
            throw GranaryException.BadInput("Fusion queries cannot be combined with the 'using' field.");
        if (fuses && stage.Prefetches.IsEmpty)
            throw GranaryException.BadInput("cannot apply Fusion without prefetches");
        if (stage.Query is FormulaQuery && stage.Prefetches.IsEmpty)
            throw GranaryException.BadInput("cannot apply Formula without prefetches");
        var weights = stage.Query switch { RrfQuery r => r.Weights, WeightedSumQuery w => w.Weights, ConvexQuery c => c.Weights, _ => [] };
        if (stage.Query is ConvexQuery { Feedback: < 0 or > Feedback.MaxPoints } convex)
            throw GranaryException.Validation($"convex.feedback: value {convex.Feedback} invalid, must be from 0 to {Feedback.MaxPoints}");
        if (!weights.IsDefaultOrEmpty && weights.Length != stage.Prefetches.Length)
            throw GranaryException.BadInput(
                $"Number of weights ({weights.Length}) must match the number of prefetches ({stage.Prefetches.Length})");
        foreach (var weight in weights.IsDefault ? [] : weights)
        {
            if (!float.IsFinite(weight))
            {
                var kind = stage.Query is RrfQuery ? "rrf" : stage.Query is ConvexQuery ? "convex" : "weighted_sum";
                var shown = weight.ToString(CultureInfo.InvariantCulture);
                throw GranaryException.Validation($"{kind}.weights: value {shown} invalid, must be finite");
            }
        }
    }

    private PlanNode Combine(in Stage stage, Filter? filter, ImmutableArray<PlanNode> children)
    {
        switch (stage.Query)
        {
            case null:
                return Leaf(new ScanLeg { Filter = filter, Limit = stage.Limit }, children);
            case RrfQuery or DbsfQuery or WeightedSumQuery or ConvexQuery:
                return new FusionNode(stage.Query, stage.Limit, stage.Threshold) { Children = children };
            case FormulaQuery formula:
                return new FormulaNode(new Formula(formula), stage.Limit, stage.Threshold) { Children = children };
            case OrderByQuery order:
                return Leaf(new OrderLeg(order.Key, order.Descending)
                {
                    StartFrom = order.StartFrom,
                    Filter = filter,
                    Limit = stage.Limit,
                }, children);
            case SampleQuery when !children.IsEmpty:
                return new SampleNode(_seed, stage.Limit) { Children = children };
            case SampleQuery:
                return new LegNode(new SampleLeg(_seed) { Filter = filter, Limit = stage.Limit });
            case NearestQuery { Mmr: { } mmr } nearest:
                return Diverse(stage, nearest, mmr, filter, children);
            default:
                return Scored(stage, stage.Limit, filter, children);
        }
    }

    private PlanNode Diverse(in Stage stage, NearestQuery nearest, MmrSettings mmr, Filter? filter, ImmutableArray<PlanNode> children)
    {
        if (mmr.Diversity is < 0 or > 1 || mmr.Diversity is { } d && !float.IsFinite(d))
            throw GranaryException.BadInput($"mmr.diversity: value {mmr.Diversity} invalid, must be from 0.0 to 1.0");
        if (_schema.FindText(stage.Using ?? "") is not null)
            throw GranaryException.BadInput($"MMR needs a vector; '{stage.Using}' is a text field");
        var query = _vectors.Resolve(nearest.Input, stage.Using, stage.Lookup);
        if (query is null)
            return new EmptyNode();
        var candidates = Scored(stage, Math.Min(mmr.CandidatesLimit ?? stage.AskedLimit, MaxMmrCandidates), filter, children);
        return new MmrNode(stage.Using ?? "", query, 1 - (mmr.Diversity ?? 0.5f), stage.Limit) { Children = [candidates] };
    }

    /// <summary>A leg that scores by vectors or text.</summary>
    private PlanNode Scored(in Stage stage, int limit, Filter? filter, ImmutableArray<PlanNode> children)
    {
        var field = stage.Using ?? "";
        Leg? leg = stage.Query switch
        {
            NearestQuery { Input: TextInput text } when _schema.FindText(field) is not null => new TextLeg(field, text.Text)
            {
                EveryTerm = TextOptions.EveryTerm(text.Options),
                Filter = filter,
                Limit = limit,
                ScoreThreshold = stage.Threshold,
            },
            NearestQuery nearest => Nearest(
                field, _vectors.Resolve(nearest.Input, stage.Using, stage.Lookup), stage.Params, filter, limit, stage.Threshold),
            RecommendQuery { Strategy: RecommendStrategy.AverageVector } r => Average(r, stage, field),
            RecommendQuery r => Examples(
                field, r.Strategy == RecommendStrategy.BestScore ? ExampleStrategy.BestScore : ExampleStrategy.SumScores,
                null, All(r.Positive, stage), All(r.Negative, stage)),
            DiscoverQuery discover => Examples(field, ExampleStrategy.Discover, discover.Target, stage, discover.Context),
            ContextQuery context => Examples(field, ExampleStrategy.Context, null, stage, context.Context),
            _ => throw GranaryException.BadInput($"Unknown query {stage.Query!.GetType().Name}"),
        };
        if (leg is null)
            return new EmptyNode();
        return Leaf(stage.Query is NearestQuery ? leg : leg with
        {
            Filter = filter,
            Limit = limit,
            ScoreThreshold = stage.Threshold,
        }, children);
    }

    private static Leg? Nearest(
        string field, ExampleVector? vector, SearchParams how, Filter? filter = null, int limit = 0, float? threshold = null)
    {
        if (vector is null)
            return null;
        return vector.Rows == 0
            ? new SparseLeg(field, VectorResolver.Immutable(vector.Indices), VectorResolver.Immutable(vector.Values))
            {
                Filter = filter,
                Limit = limit,
                ScoreThreshold = threshold,
            }
            : new DenseLeg(field, vector.Values)
            {
                Filter = filter,
                Limit = limit,
                ScoreThreshold = threshold,
                Rows = vector.Rows,
                Ef = how.HnswEf,
                Exact = how.Exact,
                IndexedOnly = how.IndexedOnly,
            };
    }

    private Leg? Average(RecommendQuery recommend, in Stage stage, string field)
    {
        var multi = _schema.FindDense(field)?.MultiVector ?? false;
        return Nearest(field, Recommendation.Average(All(recommend.Positive, stage), All(recommend.Negative, stage), multi), stage.Params);
    }

    private List<ExampleVector> All(ImmutableArray<VectorInput> inputs, in Stage stage)
    {
        var vectors = new List<ExampleVector>(inputs.Length);
        foreach (var input in inputs)
        {
            if (_vectors.Resolve(input, stage.Using, stage.Lookup) is { } vector)
                vectors.Add(vector);
        }

        return vectors;
    }

    private Leg? Examples(string field, ExampleStrategy strategy, VectorInput? target, in Stage stage, ImmutableArray<ContextPair> pairs)
    {
        var resolved = target is null ? null : _vectors.Resolve(target, stage.Using, stage.Lookup);
        if (target is not null && resolved is null)
            return null;
        var positive = new List<ExampleVector>();
        var negative = new List<ExampleVector>();
        foreach (var pair in pairs)
        {
            // A pair with an empty side draws no border.
            if (_vectors.Resolve(pair.Positive, stage.Using, stage.Lookup) is { } p
                && _vectors.Resolve(pair.Negative, stage.Using, stage.Lookup) is { } n)
            {
                positive.Add(p);
                negative.Add(n);
            }
        }

        return Examples(field, strategy, resolved, positive, negative);
    }

    private ExampleLeg? Examples(
        string field, ExampleStrategy strategy, ExampleVector? target, List<ExampleVector> positive, List<ExampleVector> negative)
    {
        if (_schema.FindDense(field) is null && _schema.FindSparse(field) is null)
            throw Errors.VectorNotFound(field);
        if (target is null && positive.Count == 0 && negative.Count == 0)
            return null;
        return new ExampleLeg(field, strategy) { Target = target, Positive = [.. positive], Negative = [.. negative] };
    }

    private static PlanNode Leaf(Leg leg, ImmutableArray<PlanNode> children) =>
        children.IsEmpty ? new LegNode(leg) : new RescoreNode(leg) { Children = children };

    /// <summary>One level of the request: the query itself or a prefetch.</summary>
    private readonly record struct Stage(
        ImmutableArray<Prefetch> Prefetches, Query? Query, string? Using, Filter? Filter, SearchParams Params,
        float? Threshold, int Limit, LookupLocation? Lookup, int AskedLimit);
}
