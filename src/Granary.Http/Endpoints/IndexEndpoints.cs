using System.Text.Json.Nodes;
using Granary.Collections;
using Granary.Http.Hosting;
using Granary.Http.Requests;
using Granary.Http.StrictMode;

namespace Granary.Http.Endpoints;

/// <summary>Payload indexes.</summary>
internal static class IndexEndpoints
{
    private const string Shown = "payload_schema";

    /// <summary>Binds the endpoints.</summary>
    public static void Map(ApiRouter router)
    {
        router.Map("PUT", "/collections/{collection_name}/index", Access.Write, "Creates a payload index", CreateAsync);
        router.Map("DELETE", "/collections/{collection_name}/index/{field_name}", Access.Write, "Deletes a payload index", DeleteAsync);
    }

    private static async Task CreateAsync(ApiCall call)
    {
        var options = call.WriteOptions;
        var collection = await call.CollectionAsync();
        var (index, parameters) = IndexBody.Read(await call.ReadJsonAsync());
        if (StrictModeSettings.Of(collection.Config)?.Limit("max_payload_index_count") is { } most
            && collection.Config.Schema.FindPayloadIndex(index.Path) is null && collection.Config.Schema.PayloadIndexes.Length >= most)
            throw ApiException.StrictMode($"Collection already has the maximum number of payload indices ({most})",
                "Please delete an existing index before creating a new one.");
        var result = await collection.CreatePayloadIndexAsync(index, options, call.Cancellation);
        await ShowAsync(call, collection, index.Path, parameters);
        await call.AnswerAsync(result);
    }

    private static async Task DeleteAsync(ApiCall call)
    {
        var options = call.WriteOptions;
        var collection = await call.CollectionAsync();
        var path = call.Route("field_name");
        var result = await collection.DeletePayloadIndexAsync(path, options, call.Cancellation);
        await ShowAsync(call, collection, path, null);
        await call.AnswerAsync(result);
    }

    /// <summary>Keeps an index's parameters as they were given, to be shown again.</summary>
    private static async ValueTask ShowAsync(ApiCall call, ICollection collection, string path, string? parameters)
    {
        var before = collection.Config.Declared.GetValueOrDefault(Shown);
        if (before is null && parameters is null)
            return;
        await call.Database.UpdateCollectionAsync(collection.Name, config =>
        {
            var shown = config.Declared.TryGetValue(Shown, out var json) ? JsonNode.Parse(json)!.AsObject() : [];
            if (parameters is null)
                shown.Remove(path);
            else
                shown[path] = JsonNode.Parse(parameters);
            return config with { Declared = config.Declared.SetItem(Shown, shown.ToJsonString()) };
        }, call.Cancellation);
    }
}
