using System.IO.Compression;
using Granary.Client;
using Granary.Collections;
using Granary.Index;

namespace Granary.Standalone.Demo;

/// <summary>The sample collection inside this assembly: descriptions of Debian packages (see Sample/README.md).</summary>
internal static class SampleCollection
{
    /// <summary>Its name.</summary>
    public const string Name = "debian";

    /// <summary>How many points it has.</summary>
    public const int Count = 5_000;

    /// <summary>
    /// Its settings: a dense vector computed from the text, the text ranked by BM25, payload indexes.
    /// </summary>
    /// <param name="model">The embedder's name.</param>
    /// <param name="dimensions">The size of its vectors.</param>
    public static CollectionConfig Config(string model, int dimensions) => new()
    {
        Schema = new IndexSchema
        {
            Dense = [new DenseVectorSchema("dense", dimensions, Distance.Cosine)],
            Text = [new TextFieldSchema("text", "text")],
            PayloadIndexes =
            [
                new PayloadIndexSchema("section", PayloadIndexType.Keyword),
                new PayloadIndexSchema("priority", PayloadIndexType.Keyword),
                new PayloadIndexSchema("tags", PayloadIndexType.Keyword),
                new PayloadIndexSchema("installed_kb", PayloadIndexType.Integer),
            ],
        },
        Embeddings = [new EmbeddingRule("dense", "text", model)],
    };

    /// <summary>The points, numbered from 1 in the order of the file: payload only, the vector is computed by the server.</summary>
    public static IEnumerable<Point> Points()
    {
        using var resource = typeof(SampleCollection).Assembly.GetManifestResourceStream("debian-packages.jsonl.gz")!;
        using var lines = new StreamReader(new GZipStream(resource, CompressionMode.Decompress));
        for (var number = 1UL; lines.ReadLine() is { } line; number++)
            yield return new Point(new PointId(number)) { Payload = new Payload(System.Text.Encoding.UTF8.GetBytes(line)) };
    }
}
