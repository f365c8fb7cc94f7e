using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Granary.Index;

namespace Granary.Client;

/// <summary>The <c>result</c> of an answer; valid until disposed.</summary>
internal sealed class RestAnswer(JsonDocument document) : IDisposable
{
    public JsonElement Result => document.RootElement.GetProperty("result"u8);

    public void Dispose() => document.Dispose();
}

/// <summary>Sends calls of the REST API and turns its errors into <see cref="GranaryException"/>.</summary>
internal sealed class RestCalls(HttpClient http)
{
    private const int LongestExcerpt = 300;

    /// <summary>What the REST API puts before the engine's own text of an error.</summary>
    private static readonly string[] Prefixes =
        ["Wrong input: ", "Not found: ", "Forbidden: ", "Timeout: ", "Service internal error: ", "Insufficient storage: ",
            "Rate limiting exceeded: ", "Shard temporarily unavailable: "];

    public async Task<RestAnswer> SendAsync(HttpMethod method, string path, Action<Utf8JsonWriter>? body, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            var buffer = new MemoryStream();
            using (var json = new Utf8JsonWriter(buffer))
                body(json);
            request.Content = new ByteArrayContent(buffer.GetBuffer(), 0, (int)buffer.Length);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }

        try
        {
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation)
                .ConfigureAwait(false);
            if (!response.IsSuccessStatusCode)
                throw await ErrorAsync(response, cancellation).ConfigureAwait(false);
            await using var stream = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
            return new RestAnswer(await JsonDocument.ParseAsync(stream, default, cancellation).ConfigureAwait(false));
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException)
        {
            throw new GranaryException(ErrorKind.Unavailable, $"{http.BaseAddress} cannot be reached: {failure.Message}", failure);
        }
        catch (JsonException failure)
        {
            throw new GranaryException(
                ErrorKind.Internal, $"{http.BaseAddress}{path} answered something that is not JSON: {failure.Message}", failure);
        }
        catch (OperationCanceledException failure) when (!cancellation.IsCancellationRequested)
        {
            throw new GranaryException(
                ErrorKind.Timeout, $"{http.BaseAddress}{path} did not answer within {http.Timeout.TotalSeconds:0.###} s", failure);
        }
    }

    private static async Task<GranaryException> ErrorAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        var text = Message(await response.Content.ReadAsStringAsync(cancellation).ConfigureAwait(false));
        foreach (var prefix in Prefixes)
        {
            if (text.StartsWith(prefix, StringComparison.Ordinal))
            {
                text = text[prefix.Length..];
                break;
            }
        }

        return new GranaryException(Kind(response.StatusCode), text.Length > 0 ? text : $"status {(int)response.StatusCode}")
        {
            RetryAfter = response.Headers.RetryAfter?.Delta,
        };
    }

    private static string Message(string body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            if (document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("status"u8, out var status)
                && status.ValueKind == JsonValueKind.Object && status.TryGetProperty("error"u8, out var error))
                return error.GetString() ?? "";
        }
        catch (JsonException)
        {
            // A proxy's page or plain text: shown as it is.
        }

        body = body.Trim();
        return body.Length > LongestExcerpt ? string.Create(CultureInfo.InvariantCulture, $"{body.AsSpan(0, LongestExcerpt)}...") : body;
    }

    private static ErrorKind Kind(HttpStatusCode status) => (int)status switch
    {
        404 => ErrorKind.NotFound,
        401 or 403 => ErrorKind.Forbidden,
        408 => ErrorKind.Timeout,
        409 => ErrorKind.Conflict,
        422 => ErrorKind.Validation,
        429 => ErrorKind.TooManyRequests,
        503 => ErrorKind.Unavailable,
        507 => ErrorKind.InsufficientStorage,
        >= 400 and < 500 => ErrorKind.BadInput,
        _ => ErrorKind.Internal,
    };
}
