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
        router.Map("POST", Points + "/query", Access.Read, "Answers a query", QueryAsync);
        router.Map("POST", Points + "/query/batch", Access.Read, "Answers several queries", QueryBatchAsync);
        router.Map("POST", Points + "/query/groups", Access.Read, "Answers a query by groups", QueryGroupsAsync);
        MapOld(router, Points + "/search", SearchReader.Kind.Search, "Nearest points");
        MapOld(router, Points + "/recommend", SearchReader.Kind.Recommend, "Points like some and unlike others");
        MapOld(router, Points + "/discover", SearchReader.Kind.Discover, "Points near a target in a context");
    }

    private static void MapOld(ApiRouter router, string path, SearchReader.Kind kind, string summary)
    {
        router.Map("POST", path, Access.Read, summary, call => SearchAsync(call, kind));
        router.Map("POST", path + "/batch", Access.Read, summary + ", several requests", call => SearchBatchAsync(call, kind));
        if (kind != SearchReader.Kind.Discover)
            router.Map("POST", path + "/groups", Access.Read, summary + ", by groups", call => SearchGroupsAsync(call, kind));
    }

    private static async Task QueryAsync(ApiCall call)
    {
        var (collection, read, check) = await ReadEndpoints.BeginAsync(call);
        using var body = await call.ReadBodyAsync();
        var request = Read(check, body, read);
        await Lookups.CheckAsync(call, collection, check, [request]);
        var hits = await collection.QueryAsync(request, call.Cancellation);
        await call.AnswerAsync((Out: new PointOut(collection.Config.Schema), Hits: hits), static (json, a) => a.Out.Points(json, a.Hits));

        static QueryRequest Read(StrictModeCheck check, RequestBody body, ReadOptions read)
        {
            var cursor = new JsonCursor(body.Bytes.Span);
            var parsed = new QueryReader(check).Read(ref cursor, read);
            cursor.End();
            return parsed;
        }
    }

    private static async Task QueryBatchAsync(ApiCall call)
    {
        var (collection, read, check) = await ReadEndpoints.BeginAsync(call);
        using var body = await call.ReadBodyAsync();
        var requests = Read(check, body, read);
        await Lookups.CheckAsync(call, collection, check, requests);
        var lists = await collection.QueryBatchAsync(requests, call.Cancellation);
        await call.AnswerAsync((Out: new PointOut(collection.Config.Schema), Lists: lists), static (json, a) =>
            a.Out.PointLists(json, a.Lists));

        static List<QueryRequest> Read(StrictModeCheck check, RequestBody body, ReadOptions read)
        {
            var cursor = new JsonCursor(body.Bytes.Span);
            var parsed = new QueryReader(check).ReadBatch(ref cursor, read);
            cursor.End();
            return parsed;
        }
    }

    private static async Task QueryGroupsAsync(ApiCall call)
    {
        var (collection, read, check) = await ReadEndpoints.BeginAsync(call);
        using var body = await call.ReadBodyAsync();
        var request = Read(check, body, read);
        await Lookups.CheckAsync(call, collection, check, [request.Query], request.Lookup);
        var groups = await collection.QueryGroupsAsync(request, call.Cancellation);
        await call.AnswerAsync((Out: new PointOut(collection.Config.Schema), Groups: groups), static (json, a) =>
            a.Out.Groups(json, a.Groups));

        static GroupRequest Read(StrictModeCheck check, RequestBody body, ReadOptions read)
        {
            var cursor = new JsonCursor(body.Bytes.Span);
            var parsed = new QueryReader(check).ReadGroups(ref cursor, read);
            cursor.End();
            return parsed;
        }
    }

    private static async Task SearchAsync(ApiCall call, SearchReader.Kind kind)
    {
        var (collection, read, check) = await ReadEndpoints.BeginAsync(call);
        using var body = await call.ReadBodyAsync();
        var request = Read(check, body, kind, read);
        await Lookups.CheckAsync(call, collection, check, [request]);
        var hits = await collection.QueryAsync(request, call.Cancellation);
        await call.AnswerAsync((Out: new PointOut(collection.Config.Schema), Hits: hits), static (json, a) => a.Out.Hits(json, a.Hits));

        static QueryRequest Read(StrictModeCheck check, RequestBody body, SearchReader.Kind kind, ReadOptions read)
        {
            var cursor = new JsonCursor(body.Bytes.Span);
            var parsed = new SearchReader(check).Read(ref cursor, kind, read);
            cursor.End();
            return parsed;
        }
    }

    private static async Task SearchBatchAsync(ApiCall call, SearchReader.Kind kind)
    {
        var (collection, read, check) = await ReadEndpoints.BeginAsync(call);
        using var body = await call.ReadBodyAsync();
        var requests = Read(check, body, kind, read);
        await Lookups.CheckAsync(call, collection, check, requests);
        var lists = await collection.QueryBatchAsync(requests, call.Cancellation);
        await call.AnswerAsync((Out: new PointOut(collection.Config.Schema), Lists: lists), static (json, a) =>
            a.Out.HitLists(json, a.Lists));

        static List<QueryRequest> Read(StrictModeCheck check, RequestBody body, SearchReader.Kind kind, ReadOptions read)
        {
            var cursor = new JsonCursor(body.Bytes.Span);
            var parsed = new SearchReader(check).ReadBatch(ref cursor, kind, read);
            cursor.End();
            return parsed;
        }
    }

    private static async Task SearchGroupsAsync(ApiCall call, SearchReader.Kind kind)
    {
        var (collection, read, check) = await ReadEndpoints.BeginAsync(call);
        using var body = await call.ReadBodyAsync();
        var request = Read(check, body, kind, read);
        await Lookups.CheckAsync(call, collection, check, [request.Query], request.Lookup);
        var groups = await collection.QueryGroupsAsync(request, call.Cancellation);
        await call.AnswerAsync((Out: new PointOut(collection.Config.Schema), Groups: groups), static (json, a) =>
            a.Out.Groups(json, a.Groups));

        static GroupRequest Read(StrictModeCheck check, RequestBody body, SearchReader.Kind kind, ReadOptions read)
        {
            var cursor = new JsonCursor(body.Bytes.Span);
            var parsed = new SearchReader(check).ReadGroups(ref cursor, kind, read);
            cursor.End();
            return parsed;
        }
    }
}
