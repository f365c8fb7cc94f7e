using System.Text.Json.Nodes;
using Granary.Http.Hosting;
using Granary.Http.Responses;

namespace Granary.Http.Endpoints;

/// <summary>What concerns the server as a whole.</summary>
internal static class ServiceEndpoints
{
    /// <summary>Binds the endpoints.</summary>
    public static void Map(ApiRouter router)
    {
        router.Map("GET", "/", Access.Open, "Version", Root);
        router.Map("GET", "/healthz", Access.Open, "Whether the process answers", static call => call.TextAsync("healthz check passed"));
        router.Map("GET", "/livez", Access.Open, "Whether the process answers", static call => call.TextAsync("healthz check passed"));
        router.Map("GET", "/readyz", Access.Open, "Whether every partition serves", ReadyAsync);
        router.Map("GET", "/metrics", Access.Read, "Prometheus metrics", MetricsAsync);
        router.Map("GET", "/telemetry", Access.Read, "State of the server", TelemetryAsync);
        router.Map("GET", "/embedder", Access.Read, "The model that computes vectors from texts", EmbedderAsync);
        router.Map("GET", "/cluster", Access.Read, "State of the cluster", ClusterAsync);
        router.Map("POST", "/cluster/recover", Access.Write, "Not in standalone mode", static _ => throw Standalone());
        router.Map("DELETE", "/cluster/peer/{peer_id}", Access.Write, "Not in standalone mode", static _ => throw Standalone());
        router.Map("GET", "/issues", Access.Read, "Advice", static call => call.AnswerAsync("""{"issues":[]}"""));
        router.Map("DELETE", "/issues", Access.Write, "Forgets advice", static call => call.AnswerAsync(true));
        router.Map("GET", "/openapi.json", Access.Open, "This document", call =>
            call.JsonAsync(OpenApiDocument.Build(router.Bound, call.State.Options)));
    }

    private static ApiException Standalone() => new(405, "Distributed mode is not enabled: this server runs in standalone mode");

    private static Task Root(ApiCall call) => call.JsonAsync(new JsonObject
    {
        ["title"] = "qdrant - vector search engine",
        ["version"] = call.State.Options.QdrantVersion,
        ["commit"] = call.State.Options.Commit,
    }.ToJsonString());

    private static async Task ReadyAsync(ApiCall call)
    {
        if (call.Cluster is { } cluster)
        {
            // A member is ready when it serves what is its own: it asks nobody else.
            var reason = cluster.NotReady;
            await call.TextAsync(reason ?? "all shards are ready", reason is null ? 200 : 503);
            return;
        }

        if ((await InfosAsync(call)).Any(static info => info.Partitions.Any(static p => p.Fault is not null)))
            await call.TextAsync("some shards are not ready", 503);
        else
            await call.TextAsync("all shards are ready");
    }

    private static async Task ClusterAsync(ApiCall call)
    {
        if (call.Cluster is { } cluster)
            await call.AnswerAsync(ClusterView.Build(await cluster.GetAsync(call.Cancellation)).ToJsonString());
        else
            await call.AnswerAsync("""{"status":"disabled"}""");
    }

    private static async Task MetricsAsync(ApiCall call)
    {
        _ = call.Timeout;
        await call.TextAsync(Metrics.Write(call.State, await InfosAsync(call), call.Flag("per_collection")), 200,
            "text/plain; version=0.0.4; charset=utf-8");
    }

    private static async Task TelemetryAsync(ApiCall call)
    {
        _ = call.Timeout;
        if (!int.TryParse(call.Parameter("details_level") ?? "0", out var details) || details < 0)
            throw new ApiException(400, "Deserialize error in query parameters: invalid digit found in string (details_level)");
        await call.AnswerAsync(Telemetry.Build(
            call.State, call.Database.StorageKind, details, call.Cluster is not null, await InfosAsync(call)).ToJsonString());
    }

    private static async Task EmbedderAsync(ApiCall call)
    {
        var embedder = await call.Database.GetEmbedderAsync(call.Parameter("model"), call.Cancellation);
        await call.AnswerAsync(new JsonObject { ["model"] = embedder.Model, ["dimensions"] = embedder.Dimensions }.ToJsonString());
    }

    private static async Task<List<Collections.CollectionInfo>> InfosAsync(ApiCall call)
    {
        var infos = new List<Collections.CollectionInfo>();
        foreach (var name in await call.Database.ListCollectionsAsync(call.Cancellation))
        {
            try
            {
                var collection = await call.Database.GetCollectionAsync(name, call.Cancellation);
                infos.Add(await collection.GetInfoAsync(call.Cancellation));
            }
            catch (Index.GranaryException e) when (e.Kind == Index.ErrorKind.NotFound)
            {
                // Deleted since it was listed.
            }
        }

        return infos;
    }
}
