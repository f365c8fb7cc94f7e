using System.Collections.Concurrent;
using System.Diagnostics;
using Granary.Collections.Diagnostics;
using Granary.Index;
using Microsoft.Extensions.AI;

namespace Granary.Collections.Embedding;

/// <summary>Embeds texts by the configured generators: bounded concurrency, a time limit a call, three tries with backoff.</summary>
public sealed partial class TextEmbedder : IDisposable
{
    private const int Tries = 3;
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(200);
    private readonly DatabaseOptions _options;
    private readonly SemaphoreSlim _calls;
    private readonly ConcurrentDictionary<string, EmbedderInfo> _described = new(StringComparer.Ordinal);

    /// <summary>Uses the options' generators.</summary>
    public TextEmbedder(DatabaseOptions options)
    {
        _options = options;
        _calls = new SemaphoreSlim(Math.Max(1, options.EmbeddingConcurrency));
    }

    /// <summary>Texts embedded in one call.</summary>
    public int BatchSize => Math.Max(1, _options.EmbeddingBatchSize);

    /// <summary>Calls under way at once.</summary>
    public int Concurrency => Math.Max(1, _options.EmbeddingConcurrency);

    /// <summary>Throws when there is no such model.</summary>
    /// <exception cref="GranaryException">There is none.</exception>
    public void Check(string? model) => Find(model);

    /// <summary>A model's name and the size of its vectors, which a vector it makes tells; asked once.</summary>
    /// <exception cref="GranaryException">There is no such model, or it gives no vector.</exception>
    public async ValueTask<EmbedderInfo> DescribeAsync(string? model, CancellationToken cancellation)
    {
        Check(model);
        var name = model ?? _options.DefaultModel!;
        if (_described.TryGetValue(name, out var known))
            return known;
        var vectors = await EmbedAsync(name, ["music"], null, cancellation).ConfigureAwait(false);
        var size = vectors[0]?.Length ?? throw new GranaryException(
            ErrorKind.Unavailable, $"Embedding model '{name}' gives no vector for the text `music`");
        return _described.GetOrAdd(name, new EmbedderInfo(name, size));
    }

    /// <summary>Embeds texts, in calls of at most the batch size; an entry is null when its text has no embedding.</summary>
    /// <exception cref="GranaryException">
    /// There is no such model, or a call failed: <see cref="ErrorKind.BadInput"/> where the generator refuses a text,
    /// <see cref="ErrorKind.Unavailable"/> where it would fail for any text, <see cref="ErrorKind.Internal"/> where it does not say.
    /// </exception>
    public async ValueTask<IReadOnlyList<float[]?>> EmbedAsync(
        string? model, IReadOnlyList<string> texts, PhaseHistogram? timing, CancellationToken cancellation)
    {
        var generator = Find(model);
        var vectors = new List<float[]?>(texts.Count);
        foreach (var batch in texts.Chunk(BatchSize))
            vectors.AddRange(await TryAsync(generator, batch, timing, cancellation).ConfigureAwait(false));
        return vectors;
    }

    /// <inheritdoc/>
    public void Dispose() => _calls.Dispose();

    private IEmbeddingGenerator<string, Embedding<float>> Find(string? model)
    {
        var name = model ?? _options.DefaultModel;
        if (name is not null && _options.Generators.TryGetValue(name, out var generator))
            return generator;
        var known = _options.Generators.Count == 0
            ? "none is configured" : $"known are {string.Join(", ", _options.Generators.Keys.Order(StringComparer.Ordinal))}";
        throw GranaryException.BadInput(name is null
            ? $"No embedding model was named and there is no default one ({known})"
            : $"Unknown embedding model '{name}' ({known})");
    }

    private async ValueTask<float[]?[]> TryAsync(
        IEmbeddingGenerator<string, Embedding<float>> generator, string[] texts, PhaseHistogram? timing, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await CallAsync(generator, texts, timing, cancellation).ConfigureAwait(false);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // A call that is given up may end in any way; to the caller it is the cancellation that was asked for.
                if (cancellation.IsCancellationRequested)
                    throw new OperationCanceledException(e.Message, e, cancellation);
                var kind = KindOf(e, out var worthTrying);
                if (attempt == Tries || !worthTrying)
                {
                    var reason = e is OperationCanceledException
                        ? $"no answer within {_options.EmbeddingTimeout.TotalSeconds:0.###} s" : e.Message;
                    var tries = attempt > 1 ? $" {attempt} times" : "";
                    throw new GranaryException(kind, $"Embedding {texts.Length} text(s) failed{tries}: {reason}", e);
                }

                await Task.Delay(FirstBackoff * (1 << (2 * (attempt - 1))), _options.Time, cancellation).ConfigureAwait(false);
            }
        }
    }

    private async ValueTask<float[]?[]> CallAsync(
        IEmbeddingGenerator<string, Embedding<float>> generator, string[] texts, PhaseHistogram? timing, CancellationToken cancellation)
    {
        await _calls.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            using var limit = new CancellationTokenSource(_options.EmbeddingTimeout, _options.Time);
            using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellation, limit.Token);
            var started = Stopwatch.GetTimestamp();
            var generated = await generator.GenerateAsync(texts, cancellationToken: linked.Token).WaitAsync(linked.Token)
                .ConfigureAwait(false);
            timing?.Record(Stopwatch.GetTimestamp() - started);
            if (generated.Count != texts.Length)
                throw new InvalidOperationException($"the generator gave {generated.Count} embeddings for {texts.Length} texts");
            var vectors = new float[]?[texts.Length];
            for (var i = 0; i < vectors.Length; i++)
            {
                // No vector at all, rather than a zero one, for a text the model knows nothing of.
                var embedding = generated[i];
                vectors[i] = embedding is null || embedding.Vector.IsEmpty ? null : embedding.Vector.ToArray();
            }

            return vectors;
        }
        finally
        {
            _calls.Release();
        }
    }
}
