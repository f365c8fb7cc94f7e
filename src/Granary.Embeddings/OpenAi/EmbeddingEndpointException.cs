using System.Net;

namespace Granary.Embeddings;

/// <summary>An embedding endpoint refused, failed or answered nonsense. The message names the address and what it said.</summary>
public sealed class EmbeddingEndpointException(string message, HttpStatusCode? status = null, Exception? inner = null)
    : Exception(message, inner)
{
    /// <summary>The status of its answer; null when there was none.</summary>
    public HttpStatusCode? Status { get; } = status;

    /// <summary>Whether the same request may succeed later: no answer, 408, 429 or a 5xx.</summary>
    public bool IsTransient => Status is null or HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests || (int)Status >= 500;
}
