using Granary.Client;
using Granary.Collections;
using Granary.Collections.Embedding;
using Granary.Index;

namespace Granary.Standalone.Import;

/// <summary>The collection that is imported into; made when it is missing.</summary>
/// <param name="VectorName">The dense vector that records' vectors go to; null when the collection has none.</param>
internal sealed record ImportTarget(string? VectorName)
{
    private const string NewVectorName = "dense";

    /// <summary>Looks at the collection, or makes it to fit the first record.</summary>
    /// <param name="client">The database.</param>
    /// <param name="options">What was asked for.</param>
    /// <param name="first">The first record.</param>
    /// <param name="embedder">Computes vectors here, with <see cref="EmbedSide.Client"/>.</param>
    /// <param name="cancellation">Stops.</param>
    public static async Task<ImportTarget> OpenAsync(
        IGranaryClient client, ImportOptions options, ImportRecord first, TextEmbedder? embedder, CancellationToken cancellation)
    {
        if (!await client.CollectionExistsAsync(options.Collection, cancellation))
        {
            var info = first.Vector is null ? await EmbedderAsync(client, options, embedder, cancellation) : null;
            await CreateAsync(client, options, first.Vector?.Length ?? info?.Dimensions ?? 0, info?.Model, cancellation);
        }

        var dense = (await client.GetCollectionAsync(options.Collection, cancellation)).Schema.Dense;
        if (options.VectorName is { } name)
        {
            return dense.Any(v => v.Name == name)
                ? new ImportTarget(name)
                : throw GranaryException.BadInput($"collection `{options.Collection}` has no vector `{name}`; it has {Names(dense)}");
        }

        return dense.Length > 1
            ? throw GranaryException.BadInput(
                $"collection `{options.Collection}` has several vectors ({Names(dense)}); name one with --vector-name")
            : new ImportTarget(dense.IsEmpty ? null : dense[0].Name);
    }

    /// <summary>The point of a record.</summary>
    /// <exception cref="GranaryException">It brings a vector and the collection has none.</exception>
    public Point ToPoint(ImportRecord record)
    {
        var point = new Point(record.Id) { Payload = record.Payload };
        if (record.Vector is not { } vector)
            return point;
        return VectorName is { } name
            ? point with { Vectors = [new NamedVector(name, vector)] }
            : throw GranaryException.BadInput("the record brings a vector, the collection has none");
    }

    /// <summary>What computes the vectors of a new collection: asked of whoever will, since the two may have different models.</summary>
    private static async Task<EmbedderInfo?> EmbedderAsync(
        IGranaryClient client, ImportOptions options, TextEmbedder? embedder, CancellationToken cancellation)
    {
        if (options.Embed == EmbedSide.Client && embedder is not null)
            return await embedder.DescribeAsync(null, cancellation);
        if (options.Embed != EmbedSide.Server)
            return null;
        try
        {
            return await client.GetEmbedderAsync(null, cancellation);
        }
        catch (GranaryException e)
        {
            throw new GranaryException(e.Kind, $"--embed server: the server does not say what vectors it would compute ({e.Message}); "
                + $"take --embed client or none, or make the collection `{options.Collection}` first", e);
        }
    }

    private static Task CreateAsync(IGranaryClient client, ImportOptions options, int size, string? model, CancellationToken cancellation)
    {
        var name = options.VectorName ?? NewVectorName;
        var config = new CollectionConfig
        {
            Schema = new IndexSchema
            {
                Dense = size > 0 ? [new DenseVectorSchema(name, size, Distance.Cosine)] : [],
                Text = [new TextFieldSchema(name == "text" ? "bm25" : "text", options.TextField)],
            },
            Embeddings = model is not null && options.Embed == EmbedSide.Server ? [new EmbeddingRule(name, options.TextField, model)] : [],
        };
        return client.CreateCollectionAsync(options.Collection, config, cancellation);
    }

    private static string Names(IEnumerable<DenseVectorSchema> vectors) =>
        string.Join(", ", vectors.Select(static v => v.Name.Length == 0 ? "the default vector" : $"`{v.Name}`").DefaultIfEmpty("none"));
}
