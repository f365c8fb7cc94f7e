using Granary.Collections;
using Granary.Http.Hosting;
using Granary.Http.Json;
using Granary.Http.Requests;
using Granary.Http.Responses;
using Granary.Http.StrictMode;

namespace Granary.Http.Endpoints;

/// <summary>The universal query, and the calls that came before it.</summary>
internal static class QueryEndpoints
{
    /// <summary>Binds the endpoints.</summary>
    public static void Map(ApiRouter router)
    {
        const string Points = "/collections/{collection_name}/points";
        RequestReader<QueryRequest> query = static (ref cursor, check, read) => new QueryReader(check).Read(ref cursor, read);
        RequestReader<GroupRequest> groups = static (ref cursor, check, read) => new QueryReader(check).ReadGroups(ref cursor, read);
        var batch = RequestBatch.Of("struct QueryRequestBatch", query);
        router.Map("POST", Points + "/query", Access.Read, "Answers a query", call =>
            OneAsync(call, query, static (json, a) => a.Out.Points(json, a.Result)));
        router.Map("POST", Points + "/query/batch", Access.Read, "Answers several queries", call =>
            BatchAsync(call, batch, static (json, a) => a.Out.PointLists(json, a.Result)));
        router.Map("POST", Points + "/query/groups", Access.Read, "Answers a query by groups", call => GroupsAsync(call, groups));
        MapOld(router, Points + "/search", SearchReader.Kind.Search, "Nearest points");
        MapOld(router, Points + "/recommend", SearchReader.Kind.Recommend, "Points like some and unlike others");
        MapOld(router, Points + "/discover", SearchReader.Kind.Discover, "Points near a target in a context");
    }

    private static void MapOld(ApiRouter router, string path, SearchReader.Kind kind, string summary)
    {
        RequestReader<QueryRequest> query = (ref cursor, check, read) => new SearchReader(check).Read(ref cursor, kind, read);
        RequestReader<GroupRequest> groups = (ref cursor, check, read) => new SearchReader(check).ReadGroups(ref cursor, kind, read);
        var batch = RequestBatch.Of("a map", query);
        router.Map("POST", path, Access.Read, summary, call => OneAsync(call, query, static (json, a) => a.Out.Hits(json, a.Result)));
        router.Map("POST", path + "/batch", Access.Read, summary + ", several requests", call =>
            BatchAsync(call, batch, static (json, a) => a.Out.HitLists(json, a.Result)));
        if (kind != SearchReader.Kind.Discover)
            router.Map("POST", path + "/groups", Access.Read, summary + ", by groups", call => GroupsAsync(call, groups));
    }

    private static Task OneAsync(
        ApiCall call, RequestReader<QueryRequest> read, Action<JsonOut, (PointOut Out, IReadOnlyList<ScoredPoint> Result)> write) =>
        AnswerAsync(call, read, static request => ([request], null),
            static (collection, request, cancellation) => collection.QueryAsync(request, cancellation), write);

    private static Task BatchAsync(
        ApiCall call, RequestReader<List<QueryRequest>> read,
        Action<JsonOut, (PointOut Out, IReadOnlyList<IReadOnlyList<ScoredPoint>> Result)> write) =>
        AnswerAsync(call, read, static requests => (requests, null),
            static (collection, requests, cancellation) => collection.QueryBatchAsync(requests, cancellation), write);

    private static Task GroupsAsync(ApiCall call, RequestReader<GroupRequest> read) =>
        AnswerAsync(call, read, static request => ([request.Query], request.Lookup),
            static (collection, request, cancellation) => collection.QueryGroupsAsync(request, cancellation),
            static (json, a) => a.Out.Groups(json, a.Result));

    /// <summary>Reads the body, checks what it names and costs, asks the collection and writes what it answers.</summary>
    private static async Task AnswerAsync<TRequest, TResult>(
        ApiCall call,
        RequestReader<TRequest> reader,
        Func<TRequest, (IReadOnlyList<QueryRequest> Queries, GroupLookup? Lookup)> named,
        Func<ICollection, TRequest, CancellationToken, ValueTask<TResult>> ask,
        Action<JsonOut, (PointOut Out, TResult Result)> write)
    {
        var (collection, read, check) = await ReadEndpoints.BeginAsync(call);
        using var body = await call.ReadBodyAsync();
        var request = Parse(body, reader, check, read);
        var (queries, lookup) = named(request);
        await Lookups.CheckAsync(call, collection, check, queries, lookup);
        var result = await ask(collection, request, call.Cancellation);
        await call.AnswerAsync((new PointOut(collection.Config.Schema), result), write);
    }

    private static T Parse<T>(RequestBody body, RequestReader<T> reader, StrictModeCheck check, ReadOptions read)
    {
        var cursor = new JsonCursor(body.Bytes.Span);
        var parsed = reader(ref cursor, check, read);
        cursor.End();
        return parsed;
    }
}
