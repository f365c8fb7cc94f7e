using System.Text.Json.Nodes;
using Granary.Client;
using Granary.Collections;
using Granary.Index;

namespace Granary.Standalone.Tests;

/// <summary>The .NET example of the front page, compiled; <see cref="ReadmeCodeTests"/> compares it with the page and runs it.</summary>
internal static class ReadmeExample
{
    public static async Task<IReadOnlyList<Hit>> EmbeddedAsync()
    {
        await using var granary = await EmbeddedGranaryClient.OpenAsync("file:./data");
        return await NotesAsync(granary);
    }

    public static async Task<IReadOnlyList<Hit>> HttpAsync(Uri address)
    {
        await using var granary = new GranaryHttpClient(address);
        return await NotesAsync(granary);
    }

    private static async Task<IReadOnlyList<Hit>> NotesAsync(IGranaryClient granary)
    {
        await granary.CreateCollectionAsync("notes", new CollectionConfig
        {
            Schema = new IndexSchema
            {
                Dense = [new DenseVectorSchema("dense", 100, Distance.Cosine)],
                Text = [new TextFieldSchema("text", "text")],
            },
            Embeddings = [new EmbeddingRule("dense", "text")],      // the vector is computed from the text
        });
        var note = new Point(new PointId(1)) { Payload = Payload.Of(new JsonObject { ["text"] = "Rain in the afternoon" }) };
        await granary.UpsertAsync("notes", [note], wait: true);
        var hits = await granary.HybridAsync("notes", new HybridQuery("bad weather") { VectorName = "dense" });
        return hits;
    }
}
