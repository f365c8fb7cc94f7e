using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Granary.Embeddings.OpenAi;
using Microsoft.Extensions.AI;

namespace Granary.Embeddings;

/// <summary>
/// Embeds through any endpoint that speaks OpenAI's <c>POST /v1/embeddings</c> (OpenAI, Azure, Ollama, llama.cpp, vLLM,
/// text-embeddings-inference). Blank texts are not sent and get an embedding of length 0. Any number of threads may use one instance.
/// </summary>
public sealed class OpenAiEmbeddingGenerator : IEmbeddingGenerator<string, Embedding<float>>
{
    private const int LongestExcerpt = 300;

    private readonly OpenAiOptions _options;
    private readonly HttpClient _client;
    private readonly Uri _address;
    private readonly EmbeddingGeneratorMetadata _metadata;

    /// <summary>Makes a generator.</summary>
    /// <param name="options">The endpoint.</param>
    /// <param name="client">A client to send through, which stays the caller's; null for one of its own.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public OpenAiEmbeddingGenerator(OpenAiOptions options, HttpClient? client = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentException.ThrowIfNullOrWhiteSpace(options.Model);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.BatchSize, 1);
        if (!options.BaseUrl.IsAbsoluteUri || options.BaseUrl.Scheme is not ("http" or "https"))
            throw new ArgumentException($"embedding URL `{options.BaseUrl}` must begin with http:// or https://", nameof(options));
        _options = options;
        _address = new Uri(options.BaseUrl.AbsoluteUri.TrimEnd('/') + "/embeddings");
        _metadata = new EmbeddingGeneratorMetadata("openai", options.BaseUrl, options.Model, options.Dimensions);
        OwnsClient = client is null;
        _client = client ?? new HttpClient { Timeout = System.Threading.Timeout.InfiniteTimeSpan };
    }

    private bool OwnsClient { get; }

    /// <summary>Embeds texts, in requests of at most <see cref="OpenAiOptions.BatchSize"/>, in order.</summary>
    /// <exception cref="EmbeddingEndpointException">The endpoint could not be reached, refused, or answered something else.</exception>
    /// <exception cref="TimeoutException">It took longer than <see cref="OpenAiOptions.Timeout"/>.</exception>
    public async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(values);
        var vectors = new List<float[]>();
        var batch = new List<string>();
        var places = new List<int>();
        foreach (var text in values)
        {
            vectors.Add([]);
            if (string.IsNullOrWhiteSpace(text))
                continue;
            batch.Add(text);
            places.Add(vectors.Count - 1);
            if (batch.Count == _options.BatchSize)
                await SendAsync(batch, places, vectors, options, cancellationToken).ConfigureAwait(false);
        }

        if (batch.Count > 0)
            await SendAsync(batch, places, vectors, options, cancellationToken).ConfigureAwait(false);
        var model = options?.ModelId ?? _options.Model;
        return new GeneratedEmbeddings<Embedding<float>>(vectors.Select(v => new Embedding<float>(v) { ModelId = model }));
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is not null)
            return null;
        return serviceType == typeof(EmbeddingGeneratorMetadata) ? _metadata : serviceType.IsInstanceOfType(this) ? this : null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (OwnsClient)
            _client.Dispose();
    }

    private async Task SendAsync(
        List<string> batch, List<int> places, List<float[]> vectors, EmbeddingGenerationOptions? options, CancellationToken cancellation)
    {
        var body = new EmbeddingsRequest(options?.ModelId ?? _options.Model, batch, "float", options?.Dimensions ?? _options.Dimensions);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(_options.Timeout);
        EmbeddingsResponse answer;
        try
        {
            answer = await PostAsync(body, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new TimeoutException($"{_address} did not answer within {_options.Timeout.TotalSeconds:0.###} s.");
        }

        Place(answer, places, vectors);
        batch.Clear();
        places.Clear();
    }

    private async Task<EmbeddingsResponse> PostAsync(EmbeddingsRequest body, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, _address)
        {
            Content = JsonContent.Create(body, OpenAiJson.Default.EmbeddingsRequest),
        };
        if (_options.ApiKey is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _options.ApiKey);
        try
        {
            using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation)
                .ConfigureAwait(false);
            if (!response.IsSuccessStatusCode)
            {
                var text = await response.Content.ReadAsStringAsync(cancellation).ConfigureAwait(false);
                throw new EmbeddingEndpointException(
                    $"{_address} answered {(int)response.StatusCode}: {Reason(text)}", response.StatusCode);
            }

            await using var stream = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
            return await JsonSerializer.DeserializeAsync(stream, OpenAiJson.Default.EmbeddingsResponse, cancellation).ConfigureAwait(false)
                ?? throw new JsonException("null");
        }
        catch (Exception failure) when (failure is HttpRequestException and not EmbeddingEndpointException or IOException)
        {
            throw new EmbeddingEndpointException($"{_address} cannot be reached: {failure.Message}", null, failure);
        }
        catch (JsonException failure)
        {
            throw new EmbeddingEndpointException(
                $"{_address} answered something that is not an embeddings list: {failure.Message}", System.Net.HttpStatusCode.OK, failure);
        }
    }

    private void Place(EmbeddingsResponse answer, List<int> places, List<float[]> vectors)
    {
        if (answer.Data is null || answer.Data.Length != places.Count)
            throw Nonsense($"{answer.Data?.Length ?? 0} embeddings for {places.Count} texts");
        foreach (var item in answer.Data)
        {
            if ((uint)item.Index >= (uint)places.Count || item.Embedding is not { Length: > 0 } || vectors[places[item.Index]].Length > 0)
                throw Nonsense($"no usable embedding at index {item.Index} of {places.Count}");
            vectors[places[item.Index]] = item.Embedding;
        }
    }

    private EmbeddingEndpointException Nonsense(string what) => new($"{_address} answered {what}.", System.Net.HttpStatusCode.OK);

    /// <summary>
    /// The message inside an error body (<c>{"error": {"message"}}</c> or <c>{"error": "..."}</c>), or the body itself, cut short.
    /// </summary>
    private static string Reason(string body)
    {
        try
        {
            var error = JsonSerializer.Deserialize(body, OpenAiJson.Default.EmbeddingsResponse)?.Error;
            if (error is { ValueKind: JsonValueKind.String })
                body = error.Value.GetString()!;
            else if (error is { ValueKind: JsonValueKind.Object } && error.Value.TryGetProperty("message", out var message))
                body = message.ToString();
        }
        catch (JsonException)
        {
            // Not JSON: the body says it in its own words.
        }

        body = string.Join(' ', body.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return body.Length > LongestExcerpt ? body[..LongestExcerpt] + "..." : body.Length > 0 ? body : "(empty body)";
    }
}
