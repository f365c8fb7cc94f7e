using Granary.Http.Hosting;

namespace Granary.Http.Endpoints;

/// <summary>Snapshots: there are none yet, and making one says so. Clients that list them find an empty list.</summary>
internal static class SnapshotEndpoints
{
    /// <summary>Binds the endpoints.</summary>
    public static void Map(ApiRouter router)
    {
        router.Map("GET", "/snapshots", Access.Read, "Snapshots of the server: none", static call => call.AnswerAsync("[]"));
        router.Map("POST", "/snapshots", Access.Write, "Not supported", static _ => throw Unsupported());
        router.Map("GET", "/collections/{collection_name}/snapshots", Access.Read, "Snapshots of a collection: none", ListAsync);
        router.Map("POST", "/collections/{collection_name}/snapshots", Access.Write, "Not supported", CreateAsync);
    }

    private static async Task ListAsync(ApiCall call)
    {
        await call.CollectionAsync();
        await call.AnswerAsync("[]");
    }

    private static async Task CreateAsync(ApiCall call)
    {
        await call.CollectionAsync();
        throw Unsupported();
    }

    private static ApiException Unsupported() =>
        new(501, "Snapshots are not supported by this server; copy its storage folder while it is stopped");
}
