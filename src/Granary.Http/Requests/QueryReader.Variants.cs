using System.Collections.Immutable;
using System.Text.Json;
using Granary.Collections;
using Granary.Http.Hosting;
using Granary.Http.Json;
using Granary.Index.Fusion;

namespace Granary.Http.Requests;

internal sealed partial class QueryReader
{
    private const string UnknownQuery = "Expected some form of vector, id, or a type of query";

    private static Query ReadQuery(ref JsonCursor cursor)
    {
        if (cursor.Peek() != '{')
            return new NearestQuery(VectorInputs.Read(ref cursor));
        var start = cursor.Position;
        var first = true;
        cursor.BeginObject("a map");
        if (cursor.NextProperty(ref first, out var name) && name.SequenceEqual("nearest"u8) && cursor.Peek() == '[')
        {
            // The usual case, and the only one worth a reader of its own: a vector and perhaps settings behind it.
            var input = VectorInputs.Read(ref cursor);
            MmrSettings? mmr = null;
            while (cursor.NextProperty(ref first, out var other))
            {
                if (other.SequenceEqual("mmr"u8))
                    mmr = ReadMmr(cursor.ReadElement());
                else
                    cursor.Skip();
            }

            return new NearestQuery(input) { Mmr = mmr };
        }

        cursor = new JsonCursor(cursor.Text, start);
        return ReadQuery(cursor.ReadElement());
    }

    private static Query ReadQuery(JsonElement element)
    {
        var fields = new JsonFields(element, "query");
        if (fields["nearest"] is { } nearest)
            return new NearestQuery(VectorInputs.Read(nearest)) { Mmr = fields["mmr"] is { } mmr ? ReadMmr(mmr) : null };
        if (fields.Object("recommend") is { } recommend)
            return ReadRecommend(recommend);
        if (fields.Object("discover") is { } discover)
            return new DiscoverQuery(VectorInputs.Read(discover.Required("target")), ReadPairs(discover["context"]));
        if (fields["context"] is { } context)
            return new ContextQuery(ReadPairs(context));
        if (fields["order_by"] is { } orderBy)
            return OrderByBody.Read(orderBy);
        if (fields.Has("fusion"))
        {
            return fields.Word("fusion", "rrf", "dbsf", "convex") switch
            {
                "rrf" => new RrfQuery(2, []),
                "dbsf" => new DbsfQuery(),
                _ => new ConvexQuery([]),
            };
        }

        if (fields.Object("rrf") is { } rrf)
            return ReadRrf(rrf);
        if (fields.Object("weighted_sum") is { } sum)
            return new WeightedSumQuery(ReadWeights(sum));
        if (fields.Object("convex") is { } convex)
            return new ConvexQuery(ReadWeights(convex))
            {
                Feedback = convex.Int("feedback", 0, Feedback.MaxPoints) ?? Feedback.Points,
            };
        if (fields["formula"] is { } formula)
            return FormulaBody.Read(formula, fields.Object("defaults"));
        if (fields.Has("sample"))
        {
            fields.Word("sample", "random");
            return new SampleQuery();
        }

        if (fields["relevance_feedback"] is not null)
            throw ApiException.BadRequest("relevance_feedback queries are not supported");
        if (fields["indices"] is not null || fields["values"] is not null)
            return new NearestQuery(VectorInputs.Read(element));
        if (fields["text"] is not null || fields["image"] is not null || fields["object"] is not null)
            return new NearestQuery(Documents.ReadQuery(fields));
        throw ApiException.Format(UnknownQuery);
    }

    private static MmrSettings ReadMmr(JsonElement mmr)
    {
        var fields = new JsonFields(mmr, "mmr");
        return new MmrSettings((float?)fields.Number("diversity", 0, 1), fields.Int("candidates_limit", 0, 16_384));
    }

    private static RrfQuery ReadRrf(JsonFields rrf) => new(rrf.Int("k", 1) ?? 2, ReadWeights(rrf));

    private static ImmutableArray<float> ReadWeights(JsonFields fields) =>
        [.. fields.Items("weights").Select(w =>
            w.ValueKind == JsonValueKind.Number && w.TryGetSingle(out var weight) && float.IsFinite(weight) ? weight
                : throw JsonFields.Wrong(fields.PathOf("weights"), w, "f32"))];

    private static RecommendQuery ReadRecommend(JsonFields recommend)
    {
        var strategy = recommend.Word("strategy", "average_vector", "best_score", "sum_scores") switch
        {
            "best_score" => RecommendStrategy.BestScore,
            "sum_scores" => RecommendStrategy.SumScores,
            _ => RecommendStrategy.AverageVector,
        };
        if (recommend.Items("positive").Count == 0
            && (strategy == RecommendStrategy.AverageVector || recommend.Items("negative").Count == 0))
            throw ApiException.Invalid("query.recommend.positive", strategy == RecommendStrategy.AverageVector
                ? "at least one positive vector is required with this strategy"
                : "at least one positive or negative vector is required with this strategy");
        return new RecommendQuery(VectorInputs.ReadList(recommend, "positive"), VectorInputs.ReadList(recommend, "negative"), strategy);
    }

    /// <summary>Pairs of a context: a list, or one alone.</summary>
    public static ImmutableArray<ContextPair> ReadPairs(JsonElement? context)
    {
        switch (context)
        {
            case null or { ValueKind: JsonValueKind.Null }:
                return [];
            case { ValueKind: JsonValueKind.Object } one:
                return [ReadPair(one)];
            case { ValueKind: JsonValueKind.Array } list:
                return [.. list.EnumerateArray().Select(ReadPair)];
            default:
                throw JsonFields.Wrong("context", context.Value, "struct ContextPair or a sequence");
        }
    }

    private static ContextPair ReadPair(JsonElement pair)
    {
        var fields = new JsonFields(pair, "context");
        return new ContextPair(VectorInputs.Read(fields.Required("positive")), VectorInputs.Read(fields.Required("negative")));
    }
}
