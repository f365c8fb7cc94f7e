using System.Collections.Immutable;
using System.Text.Json;
using Granary.Collections;
using Granary.Index;
using Granary.Index.Filters;

namespace Granary.Client;

/// <summary>Queries as the REST API reads them.</summary>
internal static class QueryJson
{
    /// <summary>Writes the body of <c>POST /collections/{name}/points/query</c>.</summary>
    public static void Write(Utf8JsonWriter json, QueryRequest request)
    {
        json.WriteStartObject();
        WriteParts(json, request.Prefetches, request.Query, request.Using, request.Filter, request.Params, request.ScoreThreshold,
            request.Limit, request.LookupFrom);
        if (request.Offset > 0)
            json.WriteNumber("offset"u8, request.Offset);
        WriteSelectors(json, request.WithPayload, request.WithVectors);
        if (request.Explain)
            json.WriteBoolean("explain"u8, true);
        json.WriteEndObject();
    }

    /// <summary>Writes the body of <c>POST /collections/{name}/points/scroll</c>.</summary>
    public static void Write(Utf8JsonWriter json, ScrollRequest request)
    {
        json.WriteStartObject();
        WriteFilter(json, request.Filter);
        if (request.Offset is { } offset)
        {
            json.WritePropertyName("offset"u8);
            PointJson.WriteId(json, offset);
        }

        json.WriteNumber("limit"u8, request.Limit);
        if (request.OrderBy is { } order)
        {
            json.WritePropertyName("order_by"u8);
            WriteOrder(json, order);
        }

        WriteSelectors(json, request.WithPayload, request.WithVectors);
        json.WriteEndObject();
    }

    /// <summary>Writes the <c>filter</c> member, if there is a filter.</summary>
    public static void WriteFilter(Utf8JsonWriter json, Filter? filter)
    {
        if (filter is null)
            return;
        json.WritePropertyName("filter"u8);
        json.WriteRawValue(FilterJson.ToUtf8(filter), skipInputValidation: true);
    }

    private static void WriteParts(
        Utf8JsonWriter json, ImmutableArray<Prefetch> prefetches, Query? query, string? vector, Filter? filter, SearchParams settings,
        float? threshold, int limit,
        LookupLocation? lookup)
    {
        if (!prefetches.IsDefaultOrEmpty)
        {
            json.WriteStartArray("prefetch"u8);
            foreach (var prefetch in prefetches)
            {
                json.WriteStartObject();
                WriteParts(
                    json, prefetch.Prefetches, prefetch.Query, prefetch.Using, prefetch.Filter, prefetch.Params, prefetch.ScoreThreshold,
                    prefetch.Limit, prefetch.LookupFrom);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        if (query is not null)
        {
            json.WritePropertyName("query"u8);
            WriteQuery(json, query);
        }

        if (!string.IsNullOrEmpty(vector))
            json.WriteString("using"u8, vector);
        WriteFilter(json, filter);
        WriteParams(json, settings);
        if (threshold is { } worst)
            json.WriteNumber("score_threshold"u8, worst);
        json.WriteNumber("limit"u8, limit);
        if (lookup is not null)
        {
            json.WriteStartObject("lookup_from"u8);
            json.WriteString("collection"u8, lookup.Collection);
            if (lookup.Vector is not null)
                json.WriteString("vector"u8, lookup.Vector);
            json.WriteEndObject();
        }
    }

    private static void WriteQuery(Utf8JsonWriter json, Query query)
    {
        json.WriteStartObject();
        switch (query)
        {
            case NearestQuery nearest:
                json.WritePropertyName("nearest"u8);
                WriteInput(json, nearest.Input);
                WriteMmr(json, nearest.Mmr);
                break;
            case RecommendQuery recommend:
                json.WriteStartObject("recommend"u8);
                WriteInputs(json, "positive"u8, recommend.Positive);
                WriteInputs(json, "negative"u8, recommend.Negative);
                json.WriteString("strategy"u8, recommend.Strategy switch
                {
                    RecommendStrategy.BestScore => "best_score",
                    RecommendStrategy.SumScores => "sum_scores",
                    _ => "average_vector",
                });
                json.WriteEndObject();
                break;
            case DiscoverQuery discover:
                json.WriteStartObject("discover"u8);
                json.WritePropertyName("target"u8);
                WriteInput(json, discover.Target);
                WritePairs(json, discover.Context);
                json.WriteEndObject();
                break;
            case ContextQuery context:
                WritePairs(json, context.Context);
                break;
            case OrderByQuery order:
                json.WritePropertyName("order_by"u8);
                WriteOrder(json, order);
                break;
            case RrfQuery rrf:
                json.WriteStartObject("rrf"u8);
                json.WriteNumber("k"u8, rrf.K);
                if (!rrf.Weights.IsDefaultOrEmpty)
                    WriteWeights(json, rrf.Weights);
                json.WriteEndObject();
                break;
            case DbsfQuery:
                json.WriteString("fusion"u8, "dbsf"u8);
                break;
            case WeightedSumQuery sum:
                json.WriteStartObject("weighted_sum"u8);
                WriteWeights(json, sum.Weights);
                json.WriteEndObject();
                break;
            case ConvexQuery convex:
                json.WriteStartObject("convex"u8);
                if (!convex.Weights.IsDefaultOrEmpty)
                    WriteWeights(json, convex.Weights);
                json.WriteNumber("feedback"u8, convex.Feedback);
                json.WriteEndObject();
                break;
            case SampleQuery:
                json.WriteString("sample"u8, "random"u8);
                break;
            case FormulaQuery formula:
                FormulaJson.Write(json, formula);
                break;
            default:
                throw new ArgumentOutOfRangeException(
                    nameof(query), query.GetType().Name, "This kind of query has no form in the REST API.");
        }

        json.WriteEndObject();
    }

    private static void WriteInput(Utf8JsonWriter json, VectorInput input)
    {
        switch (input)
        {
            case DenseInput dense:
                PointJson.WriteValues(json, dense.Values.Span);
                break;
            case MultiInput multi:
                PointJson.WriteRows(json, multi.Values.Span, multi.Rows);
                break;
            case SparseInput sparse:
                PointJson.WriteSparse(json, sparse.Indices.AsSpan(), sparse.Values.AsSpan());
                break;
            case PointInput point:
                PointJson.WriteId(json, point.Id);
                break;
            case TextInput text:
                json.WriteStartObject();
                json.WriteString("text"u8, text.Text);
                if (text.Model is not null)
                    json.WriteString("model"u8, text.Model);
                if (text.Options is not null)
                {
                    json.WritePropertyName("options"u8);
                    json.WriteRawValue(text.Options);
                }

                json.WriteEndObject();
                break;
            default:
                throw new ArgumentOutOfRangeException(
                    nameof(input), input.GetType().Name, "This kind of input has no form in the REST API.");
        }
    }

    private static void WriteInputs(Utf8JsonWriter json, ReadOnlySpan<byte> name, ImmutableArray<VectorInput> inputs)
    {
        json.WriteStartArray(name);
        foreach (var input in inputs)
            WriteInput(json, input);
        json.WriteEndArray();
    }

    private static void WritePairs(Utf8JsonWriter json, ImmutableArray<ContextPair> pairs)
    {
        json.WriteStartArray("context"u8);
        foreach (var pair in pairs)
        {
            json.WriteStartObject();
            json.WritePropertyName("positive"u8);
            WriteInput(json, pair.Positive);
            json.WritePropertyName("negative"u8);
            WriteInput(json, pair.Negative);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteMmr(Utf8JsonWriter json, MmrSettings? mmr)
    {
        if (mmr is null)
            return;
        json.WriteStartObject("mmr"u8);
        if (mmr.Diversity is { } diversity)
            json.WriteNumber("diversity"u8, diversity);
        if (mmr.CandidatesLimit is { } candidates)
            json.WriteNumber("candidates_limit"u8, candidates);
        json.WriteEndObject();
    }

    private static void WriteOrder(Utf8JsonWriter json, OrderByQuery order)
    {
        json.WriteStartObject();
        json.WriteString("key"u8, order.Key);
        json.WriteString("direction"u8, order.Descending ? "desc"u8 : "asc"u8);
        if (order.StartFrom is { IsInteger: true } integer)
            json.WriteNumber("start_from"u8, integer.Integer);
        else if (order.StartFrom is { } number)
            json.WriteNumber("start_from"u8, number.Number);
        json.WriteEndObject();
    }

    private static void WriteWeights(Utf8JsonWriter json, ImmutableArray<float> weights)
    {
        json.WritePropertyName("weights"u8);
        PointJson.WriteValues(json, weights.AsSpan());
    }

    private static void WriteParams(Utf8JsonWriter json, SearchParams settings)
    {
        if (settings == new SearchParams())
            return;
        json.WriteStartObject("params"u8);
        if (settings.HnswEf is { } ef)
            json.WriteNumber("hnsw_ef"u8, ef);
        json.WriteBoolean("exact"u8, settings.Exact);
        json.WriteBoolean("indexed_only"u8, settings.IndexedOnly);
        json.WriteEndObject();
    }

    private static void WriteSelectors(Utf8JsonWriter json, PayloadSelector payload, VectorSelector vectors)
    {
        json.WritePropertyName("with_payload"u8);
        if (!payload.Enabled || (payload.Include.IsEmpty && payload.Exclude.IsEmpty))
            json.WriteBooleanValue(payload.Enabled);
        else
        {
            json.WriteStartObject();
            WriteNames(json, payload.Include.IsEmpty ? "exclude" : "include", payload.Include.IsEmpty ? payload.Exclude : payload.Include);
            json.WriteEndObject();
        }

        if (vectors.Names is { } names)
            WriteNames(json, "with_vector", names);
        else
            json.WriteBoolean("with_vector"u8, vectors.All);
    }

    private static void WriteNames(Utf8JsonWriter json, string property, IEnumerable<string> names)
    {
        json.WriteStartArray(property);
        foreach (var name in names)
            json.WriteStringValue(name);
        json.WriteEndArray();
    }
}
