using System.Collections.Immutable;
using System.Text.Json;
using Granary.Collections;
using Granary.Collections.Querying;
using Granary.Http.Hosting;
using Granary.Http.Json;
using Granary.Http.StrictMode;
using Granary.Index;

namespace Granary.Http.Requests;

/// <summary>Reads the universal query, its prefetches and its batches, noting on the way what strict mode looks at.</summary>
/// <param name="check">Its limits.</param>
/// <param name="plainly">Whether members that are written plainly are read without a document; what comes out is the same.</param>
internal sealed partial class QueryReader(StrictModeCheck check, bool plainly = true)
{
    private static readonly JsonElement NoMembers = JsonElement.Parse("{}"u8);
    private static readonly SearchParams NoParams = new();
    private int _prefetches;

    /// <summary>A query.</summary>
    public QueryRequest Read(ref JsonCursor cursor, ReadOptions read)
    {
        var parts = ReadParts(ref cursor, 0);
        var fields = new JsonFields(parts.Rest);
        var plain = parts.Plain;
        var limit = plain.Limit ?? new JsonFields(parts.Rest, "internal").Int("limit", 1) ?? 10;
        check.Query(parts.Query, parts.Using, parts.Filter, limit, parts.Prefetches.Length > 0, prefetch: false);
        return new QueryRequest
        {
            Prefetches = parts.Prefetches,
            Query = parts.Query,
            Using = parts.Using,
            Filter = parts.Filter,
            Params = parts.Params,
            ScoreThreshold = (float?)fields.Number("score_threshold"),
            Limit = limit,
            Offset = plain.Offset ?? fields.Int("offset") ?? 0,
            WithPayload = plain.WithPayload is { } payload ? SelectorBody.Payload(payload)
                : SelectorBody.Payload(fields["with_payload"], PayloadSelector.None),
            WithVectors = plain.WithVector is { } vectors ? SelectorBody.Vectors(vectors) : SelectorBody.Vectors(fields),
            LookupFrom = parts.LookupFrom,
            Read = read,
            Explain = fields.Flag("explain") ?? false,
        };
    }

    /// <summary>A query by groups.</summary>
    public GroupRequest ReadGroups(ref JsonCursor cursor, ReadOptions read)
    {
        plainly = false; // The limit is the groups', and the document's readers are shared with the older calls.
        var parts = ReadParts(ref cursor, 0);
        var fields = new JsonFields(parts.Rest);
        var groups = ReadGrouping(fields);
        check.Query(parts.Query, parts.Using, parts.Filter, (int)Math.Min(int.MaxValue, (long)groups.Limit * groups.Size),
            parts.Prefetches.Length > 0, prefetch: false);
        check.Grouping(groups.By);
        var query = new QueryRequest
        {
            Prefetches = parts.Prefetches,
            Query = parts.Query,
            Using = parts.Using,
            Filter = parts.Filter,
            Params = parts.Params,
            ScoreThreshold = (float?)fields.Number("score_threshold"),
            WithPayload = SelectorBody.Payload(fields["with_payload"], PayloadSelector.None),
            WithVectors = SelectorBody.Vectors(fields),
            LookupFrom = parts.LookupFrom,
            Read = read,
        };
        return new GroupRequest(query, groups.By, groups.Size, groups.Limit) { Lookup = groups.Lookup };
    }

    /// <summary>What groups are made of.</summary>
    public static (string By, int Size, int Limit, GroupLookup? Lookup) ReadGrouping(JsonFields fields)
    {
        var by = fields.RequiredText("group_by");
        FieldPaths.Check(by, "group_by");
        return (by, fields.Int("group_size", 1) ?? 3, fields.Int("limit", 1) ?? 10, ReadGroupLookup(fields));
    }

    private static GroupLookup? ReadGroupLookup(JsonFields fields)
    {
        switch (fields["with_lookup"])
        {
            case null:
                return null;
            case { ValueKind: JsonValueKind.String } name:
                return new GroupLookup(JsonFields.Read(name), PayloadSelector.All, VectorSelector.None);
            case { } value:
                var lookup = new JsonFields(value, "with_lookup");
                return new GroupLookup(
                    lookup.RequiredText("collection"),
                        SelectorBody.Payload(lookup["with_payload"],
                            lookup.Has("with_payload") ? PayloadSelector.None : PayloadSelector.All),
                    SelectorBody.Vectors(lookup));
        }
    }

    /// <summary>
    /// One level of a query. Vectors, which make up nearly all of a request, are parsed where they stand; the small rest becomes a
    /// document.
    /// </summary>
    private QueryParts ReadParts(ref JsonCursor cursor, int depth)
    {
        QueryLimits.CheckDepth(depth);
        // One after the other, and of a batch each query has its own.
        _prefetches = depth == 0 ? 0 : _prefetches + 1;
        QueryLimits.CheckCount(_prefetches);
        Query? query = null;
        ImmutableArray<Prefetch> prefetches = [];
        PlainMembers plain = default;
        JsonOut? rest = null;
        try
        {
            var first = true;
            cursor.BeginObject("struct QueryRequest");
            while (cursor.NextProperty(ref first, out var name))
            {
                if (name.SequenceEqual("query"u8))
                {
                    query = cursor.TryNull() ? null : ReadQuery(ref cursor);
                }
                else if (name.SequenceEqual("prefetch"u8))
                {
                    prefetches = cursor.TryNull() ? [] : ReadPrefetches(ref cursor, depth);
                }
                else if (!plainly || !plain.TryTake(ref cursor, name))
                {
                    if (rest is null)
                        rest = new JsonOut().Raw('{');
                    else
                        rest.Raw(',');
                    rest.String(System.Text.Encoding.UTF8.GetString(name)).Raw(':').Raw(cursor.Raw());
                }
            }

            if (rest is null)
                return new QueryParts(NoMembers, plain, query, prefetches, plain.Using, null, Params(plain), null);
            rest.Raw('}');
            var element = JsonElement.Parse(rest.Written.Span,
                new JsonDocumentOptions { MaxDepth = JsonCursor.MaxDepth, AllowDuplicateProperties = true });
            var fields = new JsonFields(element);
            var filter = FilterBody.ReadOptional(fields["filter"]);
            return new QueryParts(
                element, plain, query, prefetches, plain.Using ?? fields.Text("using"), filter,
                plain.Params is null ? ReadParams(fields, check) : Params(plain), ReadLookup(fields));
        }
        finally
        {
            rest?.Dispose();
        }
    }

    private SearchParams Params(in PlainMembers plain)
    {
        if (plain.Params is not { } settings)
            return NoParams;
        check.Params(settings, null);
        return settings;
    }

    private ImmutableArray<Prefetch> ReadPrefetches(ref JsonCursor cursor, int depth)
    {
        if (cursor.Peek() == '{')
            return [ReadPrefetch(ref cursor, depth)];
        var prefetches = ImmutableArray.CreateBuilder<Prefetch>();
        var first = true;
        cursor.BeginArray("struct Prefetch or a sequence");
        while (cursor.NextItem(ref first))
            prefetches.Add(ReadPrefetch(ref cursor, depth));
        return prefetches.DrainToImmutable();
    }

    private Prefetch ReadPrefetch(ref JsonCursor cursor, int depth)
    {
        var parts = ReadParts(ref cursor, depth + 1);
        var fields = new JsonFields(parts.Rest, "prefetch");
        var limit = parts.Plain.Limit ?? fields.Int("limit", 1) ?? 10;
        check.Query(parts.Query, parts.Using, parts.Filter, limit, parts.Prefetches.Length > 0, prefetch: true);
        return new Prefetch
        {
            Prefetches = parts.Prefetches,
            Query = parts.Query,
            Using = parts.Using,
            Filter = parts.Filter,
            Params = parts.Params,
            ScoreThreshold = (float?)fields.Number("score_threshold"),
            Limit = limit,
            LookupFrom = parts.LookupFrom,
        };
    }

    /// <summary>How a search is carried out.</summary>
    public static SearchParams ReadParams(JsonFields fields, StrictModeCheck check)
    {
        if (fields.Object("params") is not { } settings)
            return NoParams;
        var quantization = settings.Object("quantization");
        quantization?.Flag("ignore");
        quantization?.Flag("rescore");
        var oversampling = quantization?.Number("oversampling");
        if (oversampling < 1)
            throw ApiException.Invalid("params.quantization.oversampling",
                FormattableString.Invariant($"value {oversampling} invalid, must be 1.0 or larger"));
        var result = new SearchParams
        {
            HnswEf = settings.Int("hnsw_ef", 1),
            Exact = settings.Flag("exact") ?? false,
            IndexedOnly = settings.Flag("indexed_only") ?? false,
        };
        if (settings.Object("acorn") is { } acorn)
        {
            acorn.Flag("enable");
            acorn.Number("max_selectivity", 0, 1);
        }

        check.Params(result, oversampling);
        return result;
    }

    /// <summary>Where point inputs are looked up.</summary>
    public static LookupLocation? ReadLookup(JsonFields fields) => fields.Object("lookup_from") is { } lookup
        ? new LookupLocation(lookup.RequiredText("collection"), lookup.Text("vector"))
        : null;

    private sealed record QueryParts(
        JsonElement Rest, PlainMembers Plain, Query? Query, ImmutableArray<Prefetch> Prefetches, string? Using,
        Index.Filters.Filter? Filter, SearchParams Params, LookupLocation? LookupFrom);
}
