using System.Net;
using Granary.Collections.Diagnostics;
using Granary.Index;
using Microsoft.Extensions.AI;

namespace Granary.Collections.Embedding;

public sealed partial class TextEmbedder
{
    /// <summary>
    /// Unexplained failures of single texts, before any text succeeded, after which the generator is taken to be broken for all.
    /// </summary>
    private const int MostUnexplained = 3;

    /// <summary>
    /// Embeds texts so that one that cannot be embedded takes no other along: a call that is refused is made again with each half of its
    /// texts, down to the bad one. A generator that fails for any text is not asked again for the rest.
    /// </summary>
    /// <exception cref="GranaryException">There is no such model.</exception>
    public async ValueTask<IReadOnlyList<EmbeddedText>> EmbedEachAsync(
        string? model, IReadOnlyList<string> texts, PhaseHistogram? timing, CancellationToken cancellation)
    {
        var run = new Run(Find(model), [.. texts], new EmbeddedText[texts.Count], timing);
        for (var at = 0; at < texts.Count; at += BatchSize)
            await EmbedPartAsync(run, at, Math.Min(BatchSize, texts.Count - at), cancellation).ConfigureAwait(false);
        return run.Results;
    }

    private async ValueTask EmbedPartAsync(Run run, int start, int count, CancellationToken cancellation)
    {
        var results = run.Results.AsMemory(start, count);
        if (run.Broken is not null)
        {
            results.Span.Fill(new EmbeddedText(null, run.Broken));
            return;
        }

        try
        {
            var vectors = await TryAsync(run.Generator, run.Texts[start..(start + count)], run.Timing, cancellation).ConfigureAwait(false);
            for (var i = 0; i < count; i++)
                results.Span[i] = new EmbeddedText(vectors[i], null);
            run.Succeeded = true;
        }
        catch (GranaryException e) when (count == 1 || e.Kind == ErrorKind.Unavailable)
        {
            results.Span.Fill(new EmbeddedText(null, e));
            if (e.Kind == ErrorKind.Unavailable)
                run.Broken = e;
            else if (e.Kind == ErrorKind.Internal && !run.Succeeded && ++run.Unexplained == MostUnexplained)
                run.Broken = new GranaryException(ErrorKind.Unavailable, e.Message, e);
        }
        catch (GranaryException)
        {
            await EmbedPartAsync(run, start, count / 2, cancellation).ConfigureAwait(false);
            await EmbedPartAsync(run, start + (count / 2), count - (count / 2), cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Whose fault a failure is, and whether the same call may succeed later.</summary>
    private static ErrorKind KindOf(Exception failure, out bool worthTrying)
    {
        var status = (failure as HttpRequestException)?.StatusCode;
        var kind = failure switch
        {
            HttpRequestException when status is null or HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests
                or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout => ErrorKind.Unavailable,
            // The key, the account or the model: the same for every text, now and later.
            HttpRequestException when status is HttpStatusCode.Unauthorized or HttpStatusCode.PaymentRequired or HttpStatusCode.Forbidden
                or HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed => ErrorKind.Unavailable,
            // Some servers answer 500 to a text that is too long, others when they are broken.
            HttpRequestException when (int)status >= 500 => ErrorKind.Internal,
            HttpRequestException => ErrorKind.BadInput,
            OperationCanceledException or TimeoutException or IOException => ErrorKind.Unavailable,
            _ => ErrorKind.Internal,
        };
        worthTrying = failure is not HttpRequestException || status is null or HttpStatusCode.RequestTimeout
            or HttpStatusCode.TooManyRequests || (int)status >= 500;
        return kind;
    }

    /// <summary>Texts on their way, and what is known of the generator by now.</summary>
    private sealed class Run(
        IEmbeddingGenerator<string, Embedding<float>> generator, string[] texts, EmbeddedText[] results, PhaseHistogram? timing)
    {
        public IEmbeddingGenerator<string, Embedding<float>> Generator { get; } = generator;

        public string[] Texts { get; } = texts;

        public EmbeddedText[] Results { get; } = results;

        public PhaseHistogram? Timing { get; } = timing;

        public bool Succeeded { get; set; }

        public int Unexplained { get; set; }

        public GranaryException? Broken { get; set; }
    }
}
