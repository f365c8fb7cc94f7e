using Microsoft.Extensions.AI;

namespace Granary.Collections.Tests.Support;

/// <summary>
/// Embeds a text as its length and its first letter; <c>unknown</c> has no embedding, and a test may make calls fail or wait.
/// </summary>
internal sealed class StubGenerator : IEmbeddingGenerator<string, Embedding<float>>
{
    private int _calls;

    public int Calls => Volatile.Read(ref _calls);

    public Func<string[], Task>? Before { get; set; }

    public async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _calls);
        var texts = values.ToArray();
        if (Before is { } before)
            await before(texts).WaitAsync(cancellationToken);
        return [.. texts.Select(t => new Embedding<float>(t == "unknown" ? ReadOnlyMemory<float>.Empty : Of(t)))];
    }

    public static float[] Of(string text) => [text.Length, text[0], 1, 0, 0, 0, 0, 0];

    public object? GetService(Type serviceType, object? serviceKey = null) => null;

    public void Dispose()
    {
    }
}
