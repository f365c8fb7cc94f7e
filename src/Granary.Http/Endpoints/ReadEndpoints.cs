using Granary.Collections;
using Granary.Http.Hosting;
using Granary.Http.Json;
using Granary.Http.Requests;
using Granary.Http.Responses;
using Granary.Http.StrictMode;
using Granary.Index;

namespace Granary.Http.Endpoints;

/// <summary>Points by id, pages, counts and facets.</summary>
internal static class ReadEndpoints
{
    /// <summary>Binds the endpoints.</summary>
    public static void Map(ApiRouter router)
    {
        const string Collection = "/collections/{collection_name}";
        router.Map("GET", Collection + "/points/{id}", Access.Read, "A point", GetAsync);
        router.Map("POST", Collection + "/points", Access.Read, "Points by id", RetrieveAsync);
        router.Map("POST", Collection + "/points/scroll", Access.Read, "A page of points", ScrollAsync);
        router.Map("POST", Collection + "/points/count", Access.Read, "How many points match", CountAsync);
        router.Map("POST", Collection + "/facet", Access.Read, "The most frequent values of a field", FacetAsync);
    }

    /// <summary>The collection, what a read must see, and the limits it is held against.</summary>
    public static async ValueTask<(ICollection Collection, ReadOptions Read, StrictModeCheck Check)> BeginAsync(ApiCall call)
    {
        var read = call.ReadOptions;
        var collection = await call.CollectionAsync();
        var strict = StrictModeSettings.Of(collection.Config);
        var check = new StrictModeCheck(strict, collection.Config);
        check.Timeout(read.Timeout);
        return (collection, read, check);
    }

    private static async Task GetAsync(ApiCall call)
    {
        var (collection, read, check) = await BeginAsync(call);
        if (!PointId.TryParse(call.Route("id"), out var id))
            throw new ApiException(400, $"Wrong input: Can not recognize \"{call.Route("id")}\" as point id");
        check.Take(call.State, collection.Name);
        var records = await collection.RetrieveAsync([id], PayloadSelector.All, new VectorSelector(true), read, call.Cancellation);
        if (records.Count == 0)
            throw GranaryException.NotFound($"Point with id {id} does not exists!");
        await call.AnswerAsync((Out: new PointOut(collection.Config.Schema), Record: records[0]), static (json, a) =>
            a.Out.Record(json, a.Record));
    }

    private static async Task RetrieveAsync(ApiCall call)
    {
        var (collection, read, check) = await BeginAsync(call);
        var fields = new JsonFields(await call.ReadJsonAsync());
        // Each is answered once, however often it is asked for.
        var ids = UpdateBodies.Ids(fields.Required("ids"), "ids").Distinct().ToList();
        var payload = SelectorBody.Payload(fields["with_payload"], PayloadSelector.All);
        var vectors = SelectorBody.Vectors(fields);
        SelectorBody.Check(vectors, collection.Config.Schema);
        check.AddCost(ids.Count - 1);
        check.Take(call.State, collection.Name);
        var records = await collection.RetrieveAsync(ids, payload, vectors, read, call.Cancellation);
        await call.AnswerAsync((Out: new PointOut(collection.Config.Schema), Records: records), static (json, a) =>
            a.Out.Records(json, a.Records));
    }

    private static async Task ScrollAsync(ApiCall call)
    {
        var (collection, read, check) = await BeginAsync(call);
        var fields = new JsonFields(await call.ReadJsonAsync());
        var request = new ScrollRequest
        {
            Filter = FilterBody.ReadOptional(fields["filter"]),
            Offset = fields["offset"] is { } offset ? ReadId(offset) : null,
            Limit = fields.Int("limit", 1) ?? 10,
            OrderBy = fields["order_by"] is { } order ? OrderByBody.Read(order) : null,
            WithPayload = SelectorBody.Payload(fields["with_payload"], PayloadSelector.All),
            WithVectors = SelectorBody.Vectors(fields),
            Read = read,
        };
        SelectorBody.Check(request.WithVectors, collection.Config.Schema);
        check.QueryLimit(request.Limit);
        check.ReadFilter(request.Filter);
        check.Take(call.State, collection.Name);
        if (request is { OrderBy: not null, Offset: not null })
            throw ApiException.BadRequest(
                "Cannot use an `offset` when using `order_by`. The alternative for paging is to use `order_by.start_from` "
                + "and a filter to exclude the IDs that you've already seen for the `order_by.start_from` value");
        var page = await collection.ScrollAsync(request, call.Cancellation);
        await call.AnswerAsync((Out: new PointOut(collection.Config.Schema), Page: page), static (json, a) => a.Out.Page(json, a.Page));
    }

    private static PointId ReadId(System.Text.Json.JsonElement id)
    {
        var cursor = new JsonCursor(System.Runtime.InteropServices.JsonMarshal.GetRawUtf8Value(id));
        return cursor.ReadId();
    }

    private static async Task CountAsync(ApiCall call)
    {
        var (collection, read, check) = await BeginAsync(call);
        var fields = new JsonFields(await call.ReadJsonAsync());
        var filter = FilterBody.ReadOptional(fields["filter"]);
        check.ReadFilter(filter);
        check.Take(call.State, collection.Name);
        var count = await collection.CountAsync(filter, fields.Flag("exact") ?? true, read, call.Cancellation);
        await call.AnswerAsync(count, static (json, count) => json.Raw("{\"count\":"u8).Number(count).Raw('}'));
    }

    private static async Task FacetAsync(ApiCall call)
    {
        var (collection, read, check) = await BeginAsync(call);
        var fields = new JsonFields(await call.ReadJsonAsync());
        var key = fields.RequiredText("key");
        FieldPaths.Check(key, "key");
        var limit = fields.Int("limit", 1) ?? 10;
        var filter = FilterBody.ReadOptional(fields["filter"]);
        var exact = fields.Flag("exact") ?? false;
        check.QueryLimit(limit);
        check.ReadFilter(filter);
        if (exact)
            check.Exact("Exact facet", "exact");
        check.Take(call.State, collection.Name);
        var hits = await collection.FacetAsync(key, filter, limit, exact, read, call.Cancellation);
        await call.AnswerAsync(hits, static (json, hits) =>
        {
            json.Raw("{\"hits\":["u8);
            for (var i = 0; i < hits.Count; i++)
            {
                json.Raw(i == 0 ? "{\"value\":"u8 : ",{\"value\":"u8);
                PointOut.Value(json, hits[i].Value);
                json.Raw(",\"count\":"u8).Number(hits[i].Count).Raw('}');
            }

            json.Raw("]}"u8);
        });
    }
}
