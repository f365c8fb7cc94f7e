using System.Text.Json.Nodes;
using Granary.Collections;
using Granary.Http.Hosting;
using Granary.Http.Json;
using Granary.Http.Requests;
using Granary.Http.Responses;
using Granary.Index;

namespace Granary.Http.Endpoints;

/// <summary>Collections.</summary>
internal static class CollectionEndpoints
{
    /// <summary>Binds the endpoints.</summary>
    public static void Map(ApiRouter router)
    {
        const string One = "/collections/{collection_name}";
        router.Map("GET", "/collections", Access.Read, "Names of all collections", ListAsync);
        router.Map("GET", One, Access.Read, "State and settings of a collection", GetAsync);
        router.Map("GET", One + "/config", Access.Read, "Every setting of a collection", ConfigAsync);
        router.Map("PUT", One, Access.Write, "Creates a collection", CreateAsync);
        router.Map("PATCH", One, Access.Write, "Changes settings of a collection", UpdateAsync);
        router.Map("DELETE", One, Access.Write, "Deletes a collection", DeleteAsync);
        router.Map("GET", One + "/exists", Access.Read, "Whether there is a collection", ExistsAsync);
        router.Map("PUT", One + "/vectors/{vector_name}", Access.Write, "Adds a vector to a collection", AddVectorAsync);
        router.Map("DELETE", One + "/vectors/{vector_name}", Access.Write, "Removes a vector from a collection", DropVectorAsync);
        router.Map("GET", One + "/optimizations", Access.Read, "What the indexer is doing", OptimizationsAsync);
        router.Map("GET", One + "/cluster", Access.Read, "Where the partitions are", ClusterAsync);
        router.Map("POST", One + "/wait", Access.Read, "Waits until everything accepted before now is linked", WaitAsync);
        router.Map("POST", One + "/rebuild", Access.Write, "Builds the index anew while the old one serves", RebuildAsync);
        router.Map("GET", One + "/status", Access.Read, "State of every partition", StatusAsync);
    }

    private static async Task ListAsync(ApiCall call)
    {
        var names = await call.Database.ListCollectionsAsync(call.Cancellation);
        await call.AnswerAsync(names, static (json, names) =>
        {
            json.Raw("{\"collections\":["u8);
            for (var i = 0; i < names.Count; i++)
                json.Raw(i == 0 ? "{\"name\":"u8 : ",{\"name\":"u8).String(names[i]).Raw('}');
            json.Raw("]}"u8);
        });
    }

    private static async Task GetAsync(ApiCall call)
    {
        var collection = await call.CollectionAsync();
        await call.AnswerAsync(CollectionView.Info(await collection.GetInfoAsync(call.Cancellation)).ToJsonString());
    }

    private static async Task ConfigAsync(ApiCall call)
    {
        var collection = await call.CollectionAsync();
        await call.AnswerAsync(ConfigView.Build(collection.Config).ToJsonString());
    }

    private static async Task CreateAsync(ApiCall call)
    {
        var name = call.CollectionName;
        if (name.AsSpan().IndexOfAny("<>:\"/\\|?*\0\u001f") is var at and >= 0)
            throw new ApiException(422,
                $"Validation error in path parameters: [collection_name: collection name cannot contain \"{name[at]}\" char]");
        _ = call.Timeout;
        var config = CollectionBody.Create(await call.ReadJsonAsync(), call.State.Options.Ingestion);
        await call.Database.CreateCollectionAsync(name, config, call.Cancellation);
        await call.AnswerAsync(true);
    }

    private static async Task UpdateAsync(ApiCall call)
    {
        var name = call.CollectionName;
        _ = call.Timeout;
        var body = new JsonFields(await call.ReadJsonAsync());
        await call.Database.UpdateCollectionAsync(name, config => CollectionPatch.Apply(config, body), call.Cancellation);
        await call.AnswerAsync(true);
    }

    private static async Task DeleteAsync(ApiCall call)
    {
        var name = call.CollectionName;
        _ = call.Timeout;
        call.State.Rates.TryRemove(name, out _);
        await call.AnswerAsync(await call.Database.DeleteCollectionAsync(name, call.Cancellation));
    }

    private static async Task ExistsAsync(ApiCall call)
    {
        var exists = await call.Database.CollectionExistsAsync(call.CollectionName, call.Cancellation);
        await call.AnswerAsync(exists ? """{"exists":true}""" : """{"exists":false}""");
    }

    private static async Task AddVectorAsync(ApiCall call)
    {
        var options = call.WriteOptions;
        var vector = call.Route("vector_name");
        var body = new JsonFields(await call.ReadJsonAsync());
        await call.Database.UpdateCollectionAsync(call.CollectionName, config =>
            CollectionPatch.AddVector(config, vector, body), call.Cancellation);
        await AnswerSchemaChangeAsync(call, options);
    }

    private static async Task DropVectorAsync(ApiCall call)
    {
        var options = call.WriteOptions;
        var vector = call.Route("vector_name");
        await call.Database.UpdateCollectionAsync(call.CollectionName, config =>
            CollectionPatch.DropVector(config, vector), call.Cancellation);
        await AnswerSchemaChangeAsync(call, options);
    }

    private static async Task AnswerSchemaChangeAsync(ApiCall call, WriteOptions options)
    {
        var collection = await call.CollectionAsync();
        var info = await collection.GetInfoAsync(call.Cancellation);
        await call.AnswerAsync(new UpdateResult(info.Partitions.Max(static p => p.Logged),
            options.Wait ? UpdateStatus.Completed : UpdateStatus.Acknowledged));
    }

    private static async Task OptimizationsAsync(ApiCall call)
    {
        var collection = await call.CollectionAsync();
        var info = await collection.GetInfoAsync(call.Cancellation);
        var pending = info.Partitions.Where(static p => p.Depth > 0).ToList();
        var summary = new JsonObject
        {
            ["queued_optimizations"] = pending.Count,
            ["queued_segments"] = pending.Count,
            ["queued_points"] = pending.Sum(static p => p.Depth),
            ["idle_segments"] = info.Partitions.Length - pending.Count,
        };
        var view = new JsonObject { ["summary"] = summary, ["running"] = new JsonArray() };
        foreach (var part in (call.Parameter("with") ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries))
            view[part.Trim()] = new JsonArray();
        await call.AnswerAsync(view.ToJsonString());
    }

    private static async Task ClusterAsync(ApiCall call)
    {
        var collection = await call.CollectionAsync();
        var info = await collection.GetInfoAsync(call.Cancellation);
        if (call.Cluster is { } cluster)
        {
            await call.AnswerAsync(ClusterView.Shards(await cluster.GetAsync(call.Cancellation), info).ToJsonString());
            return;
        }

        await call.AnswerAsync(new JsonObject
        {
            ["peer_id"] = 0,
            ["shard_count"] = info.Partitions.Length,
            ["local_shards"] = new JsonArray([.. info.Partitions.Select(static p =>
                (JsonNode)new JsonObject { ["shard_id"] = p.Number, ["points_count"] = p.Points,
                    ["state"] = p.Fault is null ? "Active" : "Dead" })]),
            ["remote_shards"] = new JsonArray(),
            ["shard_transfers"] = new JsonArray(),
        }.ToJsonString());
    }

    private static async Task WaitAsync(ApiCall call)
    {
        var timeout = call.Timeout;
        var collection = await call.CollectionAsync();
        if (!await collection.WaitAsync(timeout, call.Cancellation))
            throw new GranaryException(ErrorKind.Timeout, $"Linking took longer than the timeout of {timeout!.Value.TotalSeconds} s");
        await call.AnswerAsync(true);
    }

    private static async Task RebuildAsync(ApiCall call)
    {
        var collection = await call.CollectionAsync();
        await collection.RebuildAsync(call.Cancellation);
        await call.AnswerAsync(true);
    }

    private static async Task StatusAsync(ApiCall call)
    {
        var collection = await call.CollectionAsync();
        await call.AnswerAsync(StatusView.Build(await collection.GetInfoAsync(call.Cancellation)).ToJsonString());
    }
}
