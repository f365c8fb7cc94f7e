using System.Text.Json;
using Granary.Collections;
using Granary.Http.Json;
using Granary.Http.StrictMode;

namespace Granary.Http.Requests;

/// <summary>Reads the calls that came before the universal query: search, recommend, discover.</summary>
internal sealed class SearchReader(StrictModeCheck check)
{
    /// <summary>What each of the calls ranks by.</summary>
    public enum Kind
    {
        /// <summary><c>vector</c>.</summary>
        Search,

        /// <summary><c>positive</c>, <c>negative</c>.</summary>
        Recommend,

        /// <summary><c>target</c>, <c>context</c>.</summary>
        Discover,
    }

    /// <summary>One request.</summary>
    public QueryRequest Read(ref JsonCursor cursor, Kind kind, ReadOptions read) => Read(ref cursor, kind, read, out _);

    /// <summary>One request by groups.</summary>
    public GroupRequest ReadGroups(ref JsonCursor cursor, Kind kind, ReadOptions read)
    {
        var query = Read(ref cursor, kind, read, out var fields);
        var groups = QueryReader.ReadGrouping(fields);
        check.QueryLimit((long)groups.Limit * groups.Size);
        check.Grouping(groups.By);
        return new GroupRequest(query, groups.By, groups.Size, groups.Limit) { Lookup = groups.Lookup };
    }

    private QueryRequest Read(ref JsonCursor cursor, Kind kind, ReadOptions read, out JsonFields fields)
    {
        var (rest, input, name) = Split(ref cursor);
        fields = new JsonFields(rest);
        var filter = FilterBody.ReadOptional(fields["filter"]);
        var query = kind switch
        {
            Kind.Search => new NearestQuery(input ?? throw cursor.Fail("missing field `vector`")),
            Kind.Recommend => Recommend(fields),
            _ => Discover(fields),
        };
        var limit = fields.Int(fields["limit"] is null ? "top" : "limit", 1)
            ?? (fields["group_by"] is null ? throw cursor.Fail("missing field `limit`") : 10);
        var field = name ?? Using(fields);
        check.Query(query, field, filter, fields["group_by"] is null ? limit : 1, hasPrefetch: false, prefetch: false);
        return new QueryRequest
        {
            Query = query,
            Using = field,
            Filter = filter,
            Params = QueryReader.ReadParams(fields, check),
            ScoreThreshold = (float?)fields.Number("score_threshold"),
            Limit = limit,
            Offset = fields.Int("offset") ?? 0,
            WithPayload = SelectorBody.Payload(fields["with_payload"], PayloadSelector.None),
            WithVectors = SelectorBody.Vectors(fields),
            LookupFrom = QueryReader.ReadLookup(fields),
            Read = read,
        };
    }

    /// <summary>Parses the vector where it stands and copies the small rest.</summary>
    private static (JsonElement Fields, VectorInput? Input, string? Name) Split(ref JsonCursor cursor)
    {
        VectorInput? input = null;
        string? vectorName = null;
        using var rest = new JsonOut();
        rest.Raw('{');
        var first = true;
        var firstRest = true;
        cursor.BeginObject("a map");
        while (cursor.NextProperty(ref first, out var name))
        {
            if (name.SequenceEqual("vector"u8))
            {
                (input, vectorName) = ReadVector(ref cursor);
                continue;
            }

            if (!firstRest)
                rest.Raw(',');
            firstRest = false;
            rest.String(System.Text.Encoding.UTF8.GetString(name)).Raw(':').Raw(cursor.Raw());
        }

        rest.Raw('}');
        return (JsonElement.Parse(rest.Written.Span, new JsonDocumentOptions { MaxDepth = JsonCursor.MaxDepth }), input, vectorName);
    }

    /// <summary>A vector, or <c>{"name", "vector"}</c>.</summary>
    private static (VectorInput Input, string? Name) ReadVector(ref JsonCursor cursor)
    {
        if (cursor.Peek() == '[')
            return (VectorInputs.Read(ref cursor), null);
        if (cursor.Peek() != '{')
            throw cursor.Fail("data did not match any variant of untagged enum NamedVectorStruct");
        VectorInput? input = null;
        string? vectorName = null;
        var first = true;
        cursor.BeginObject("a map");
        while (cursor.NextProperty(ref first, out var name))
        {
            if (name.SequenceEqual("vector"u8) && cursor.Peek() is (byte)'[' or (byte)'{')
                input = VectorInputs.Read(ref cursor);
            else if (name.SequenceEqual("name"u8))
                vectorName = cursor.ReadString();
            else
                cursor.Skip();
        }

        return (input ?? throw cursor.Fail("missing field `vector`"), vectorName);
    }

    private static RecommendQuery Recommend(JsonFields fields)
    {
        var strategy = fields.Word("strategy", "average_vector", "best_score", "sum_scores") switch
        {
            "best_score" => RecommendStrategy.BestScore,
            "sum_scores" => RecommendStrategy.SumScores,
            _ => RecommendStrategy.AverageVector,
        };
        return new RecommendQuery(VectorInputs.ReadList(fields, "positive"), VectorInputs.ReadList(fields, "negative"), strategy);
    }

    private static Query Discover(JsonFields fields)
    {
        var pairs = QueryReader.ReadPairs(fields["context"]);
        return fields["target"] is { } target ? new DiscoverQuery(VectorInputs.Read(target), pairs) : new ContextQuery(pairs);
    }

    /// <summary><c>using</c>: a name, or <c>{"name"}</c>.</summary>
    private static string? Using(JsonFields fields) => fields["using"] switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } name => JsonFields.Read(name),
        { } value => new JsonFields(value, "using").RequiredText("name"),
    };
}
