using Granary.Client;
using Granary.Collections;
using Granary.Embeddings;
using Granary.Index;

namespace Granary.Standalone.Demo;

/// <summary>The embedder the server was started with: what the sample collection's vectors come from.</summary>
/// <param name="Model">Its name.</param>
/// <param name="Dimensions">The size of its vectors.</param>
internal sealed record DemoEmbedder(string Model, int Dimensions)
{
    /// <summary>Asks the embedder for a vector, so that a wrong address, key or model is told before anything is loaded.</summary>
    /// <exception cref="GranaryException">There is none, or it does not answer.</exception>
    public static async Task<DemoEmbedder> FindAsync(EmbeddedGranaryOptions engine, CancellationToken cancellation)
    {
        if (!engine.Embeddings)
            throw GranaryException.BadInput("--embeddings `none`: the demo needs vectors of its texts, so it must be builtin or openai");
        var options = engine.ToDatabaseOptions();
        var model = options.DefaultModel!;
        try
        {
            var answer = await options.Generators[model].GenerateAsync(["music"], null, cancellation);
            return new DemoEmbedder(model, answer[0].Vector.Length);
        }
        catch (Exception e) when (e is EmbeddingEndpointException or TimeoutException)
        {
            throw new GranaryException(ErrorKind.Unavailable, $"the demo needs the embedder `{model}`: {e.Message}", e);
        }
    }

    /// <summary>Refuses a collection whose vectors another embedder made.</summary>
    public void Check(IReadOnlyList<EmbeddingRule> rules)
    {
        if (rules is [{ Model: { } other }] && other != Model)
        {
            throw GranaryException.BadInput(
                $"collection `{SampleCollection.Name}` holds vectors of the embedder `{other}`, the server has `{Model}`: "
                + "delete the collection or take another --storage");
        }
    }
}
