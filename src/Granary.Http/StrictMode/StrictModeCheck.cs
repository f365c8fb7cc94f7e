using Granary.Collections;
using Granary.Http.Hosting;
using Granary.Http.Requests;
using Granary.Index;
using Granary.Index.Filters;

namespace Granary.Http.StrictMode;

/// <summary>Holds requests against a collection's limits; without limits every check passes.</summary>
internal sealed partial class StrictModeCheck(StrictModeSettings? limits, CollectionConfig config)
{
    private const int MaxBatch = 10_000;
    private readonly IndexSchema _schema = config.Schema;

    /// <summary>Checks one query or prefetch.</summary>
    public void Query(Query? query, string? field, Filter? filter, int limit, bool hasPrefetch, bool prefetch)
    {
        if (limits is null)
            return;
        if (query is NearestQuery or RecommendQuery or DiscoverQuery or ContextQuery && (prefetch || !hasPrefetch))
            FullScan(field ?? "", filter);
        if (query is FormulaQuery formula)
            Formula(formula.Expression);
        AtMost(limit, limits.Limit("max_query_limit"), "limit");
        ReadFilter(filter);
        Cost += Vectors(query) - 1;
    }

    /// <summary>
    /// What a read costs of the minute's allowance: one, and one more for every further vector compared and condition tested.
    /// </summary>
    public int Cost { get; private set; } = 1;

    /// <summary>Takes what the read costs from the minute's allowance.</summary>
    public void Take(ApiState state, string collection) => limits?.TakeRead(state, collection, Cost);

    /// <summary>Adds to what a read costs.</summary>
    public void AddCost(int cost) => Cost += cost;

    private static int Vectors(Query? query) => query switch
    {
        NearestQuery { Input: MultiInput matrix } => matrix.Rows,
        RecommendQuery { Strategy: not RecommendStrategy.AverageVector } examples => examples.Positive.Length + examples.Negative.Length,
        _ => 1,
    };

    /// <summary>Checks a limit alone.</summary>
    public void QueryLimit(long limit) => AtMost(limit, limits?.Limit("max_query_limit"), "limit");

    /// <summary>Checks how a search is carried out.</summary>
    public void Params(SearchParams settings, double? oversampling)
    {
        if (limits is null)
            return;
        if (oversampling is { } factor && limits.MaxOversampling is { } most && factor > most)
            throw ApiException.StrictMode(FormattableString.Invariant($"Limit exceeded {factor} > {most} for \"oversampling\""),
                FormattableString.Invariant($"Reduce the \"oversampling\" parameter to or below {most}."));
        if (settings.HnswEf is { } ef)
            AtMost(ef, limits.Limit("search_max_hnsw_ef"), "hnsw_ef");
        if (settings.Exact)
            Exact("Exact search", "exact");
    }

    /// <summary>Checks that something may be exact.</summary>
    public void Exact(string what, string parameter)
    {
        if (limits?.Permission("search_allow_exact") == false)
            throw ApiException.StrictMode($"{what} disabled!", $"Set {parameter}=false.");
    }

    /// <summary>Checks the number of queries in a batch.</summary>
    public void BatchSize(int count) => AtMost(count, limits?.Limit("search_max_batchsize"), "search batch size");

    /// <summary>Checks, before one more query of a batch is read, that there may be one more.</summary>
    public static void BeforeNext(int count)
    {
        if (count == MaxBatch)
            throw ApiException.Invalid("searches", $"more than {MaxBatch} queries in a batch");
    }

    /// <summary>Checks a time limit.</summary>
    public void Timeout(TimeSpan? timeout)
    {
        if (timeout is { } time)
            AtMost((long)time.TotalSeconds, limits?.Limit("max_timeout"), "timeout");
    }

    private static void AtMost(long value, long? limit, string name)
    {
        if (limit is { } most && value > most)
            throw ApiException.StrictMode($"Limit exceeded {value} > {most} for \"{name}\"",
                $"Reduce the \"{name}\" parameter to or below {most}.");
    }

    private void FullScan(string field, Filter? filter)
    {
        if (limits!.Permission("search_allow_exact") != false || _schema.FindDense(field) is not { } vector)
            return;
        var m = DeclaredVectors.Hnsw(config, field, "m") ?? vector.Hnsw.M;
        if (m > 0)
            return;
        var label = field.Length == 0 ? "" : $" on '{field}'";
        if (!ByTenant(filter))
        {
            throw ApiException.StrictMode(
                $"Request is forbidden{label} because global vector indexing is disabled (hnsw_config.m = 0)",
                "Use tenant-specific filter, enable global vector indexing or enable strict mode `search_allow_exact` option");
        }

        if ((DeclaredVectors.Hnsw(config, field, "payload_m") ?? m) == 0)
        {
            throw ApiException.StrictMode(
                $"Request is forbidden{label} because vector indexing is disabled (hnsw_config.m = 0 and hnsw_config.payload_m = 0)",
                "Enable vector indexing, use a prefetch query with indexed vectors or enable strict mode `search_allow_exact` option");
        }
    }

    private bool ByTenant(Filter? filter) => filter is not null
        && All(filter).Any(c => c is MatchAnyCondition match && DeclaredVectors.IndexOption(config, match.Key, "is_tenant"));
}
