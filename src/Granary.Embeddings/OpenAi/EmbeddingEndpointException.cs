using System.Net;

namespace Granary.Embeddings;

/// <summary>An embedding endpoint refused, failed or answered nonsense. The message names the address and what it said.</summary>
/// <param name="message">What happened.</param>
/// <param name="status">The status of its answer, OK where the answer was nonsense; null when there was none.</param>
/// <param name="inner">The cause.</param>
public sealed class EmbeddingEndpointException(string message, HttpStatusCode? status = null, Exception? inner = null)
    : HttpRequestException(message, inner, status)
{
    /// <summary>Whether the same request may succeed later: no answer, 408, 429 or a 5xx.</summary>
    public bool IsTransient =>
        StatusCode is null or HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests || (int)StatusCode >= 500;
}
