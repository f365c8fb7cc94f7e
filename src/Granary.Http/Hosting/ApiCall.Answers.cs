using System.IO.Compression;
using Granary.Collections;
using Granary.Http.Json;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Granary.Http.Hosting;

internal sealed partial class ApiCall
{
    // What fits the first window of a TCP connection takes one way over the wire either way; compressing it costs as much as a search.
    private const int CompressFrom = 8 * 1024;

    /// <summary>Answers 200 with <c>result</c> as the caller writes it.</summary>
    public async Task AnswerAsync<T>(T value, Action<JsonOut, T> write)
    {
        using var json = new JsonOut(State.Options.MaxResponseBytes);
        json.Raw("{\"result\":"u8);
        write(json, value);
        json.Raw(",\"status\":\"ok\",\"time\":"u8).Number(Elapsed.TotalSeconds).Raw('}');
        await WriteAsync(200, "application/json", json.Written);
    }

    /// <summary>Answers 200 with a boolean result.</summary>
    public Task AnswerAsync(bool value) => AnswerAsync(value, static (json, value) => json.Boolean(value));

    /// <summary>Answers 200 with a result that is JSON already.</summary>
    public Task AnswerAsync(string result) => AnswerAsync(result, static (json, result) => json.Raw(result));

    /// <summary>Answers an update.</summary>
    public Task AnswerAsync(UpdateResult result) => AnswerAsync(result, WriteUpdate);

    /// <summary>Answers with an error.</summary>
    public async Task FailAsync(int status, string message)
    {
        using var json = new JsonOut();
        json.Raw("{\"status\":{\"error\":"u8).String(message).Raw("},\"time\":"u8).Number(Elapsed.TotalSeconds).Raw(",\"result\":null}"u8);
        await WriteAsync(status, "application/json", json.Written);
    }

    /// <summary>Answers with plain text.</summary>
    public async Task TextAsync(string text, int status = 200, string contentType = "text/plain; charset=utf-8")
    {
        using var json = new JsonOut();
        json.Raw(text);
        await WriteAsync(status, contentType, json.Written);
    }

    /// <summary>Answers with a body that needs no envelope.</summary>
    public Task JsonAsync(string json) => TextAsync(json, 200, "application/json");

    internal static void WriteUpdate(JsonOut json, UpdateResult result)
    {
        json.Raw("{\"operation_id\":"u8);
        if (result.OperationId is { } operation)
            json.Number(operation);
        else
            json.Raw("null"u8);
        json.Raw(",\"status\":\""u8).Raw(result.Status switch
        {
            UpdateStatus.Acknowledged => "acknowledged"u8,
            UpdateStatus.Completed => "completed"u8,
            _ => "wait_timeout"u8,
        }).Raw("\"}"u8);
    }

    private async Task WriteAsync(int status, string contentType, ReadOnlyMemory<byte> bytes)
    {
        var response = Http.Response;
        response.StatusCode = status;
        response.ContentType = contentType;
        var large = State.Options.Compression && bytes.Length >= CompressFrom;
        // Said with the plain answer too: a cache must not give it to everybody, nor the other to those who cannot read it.
        if (large)
            response.Headers.Vary = StringValues.Concat(response.Headers.Vary, HeaderNames.AcceptEncoding);
        if (large && AcceptsGzip(Http.Request.Headers.AcceptEncoding))
        {
            response.Headers.ContentEncoding = "gzip";
            // Awaited all the way: a caller who reads slowly holds up no thread.
            await using var gzip = new GZipStream(response.Body, CompressionLevel.Fastest, leaveOpen: true);
            await gzip.WriteAsync(bytes, Cancellation);
        }
        else
        {
            response.ContentLength = bytes.Length;
            await response.BodyWriter.WriteAsync(bytes, Cancellation);
        }
    }

    /// <summary>Whether gzip is named, and not with a weight of zero.</summary>
    internal static bool AcceptsGzip(IList<string> header)
    {
        if (!StringWithQualityHeaderValue.TryParseList(header, out var codings))
            return false;
        foreach (var coding in codings)
        {
            if (coding.Value.Equals("gzip", StringComparison.OrdinalIgnoreCase))
                return coding.Quality is not 0;
        }

        return false;
    }
}
