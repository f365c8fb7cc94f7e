using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Granary.Cluster.Tests.Support;

/// <summary>The REST API of one process, without any second try.</summary>
internal sealed class Rest : IDisposable
{
    private readonly HttpClient _http;

    public Rest(Uri url) => _http = new HttpClient { BaseAddress = url, Timeout = Until.Hang };

    /// <summary>Sends a request and reads the answer, whatever its status.</summary>
    /// <exception cref="HttpRequestException">There was none.</exception>
    public async Task<(int Status, string Text)> SendAsync(
        string method, string path, string? body = null, CancellationToken cancellation = default)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }

        using var response = await _http.SendAsync(request, cancellation);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync(cancellation));
    }

    /// <summary>Sends a request that must succeed and gives its result.</summary>
    public async Task<JsonElement> OkAsync(string method, string path, string? body = null)
    {
        var (status, text) = await SendAsync(method, path, body);
        Assert.True(status == 200, $"{method} {path}: {status} {text}");
        return JsonElement.Parse(text).GetProperty("result");
    }

    /// <summary>The exact number of points, or of those that match a filter.</summary>
    public async Task<long> CountAsync(string collection, string? filter = null) =>
        (await OkAsync("POST", $"/collections/{collection}/points/count", $$"""{"exact":true,"filter":{{filter ?? "null"}}}"""))
        .GetProperty("count").GetInt64();

    /// <summary>Every point with payload and vector, as lines in the order of ids.</summary>
    public async Task<List<string>> AllPointsAsync(string collection)
    {
        var lines = new List<string>();
        var offset = "null";
        do
        {
            var page = await OkAsync("POST", $"/collections/{collection}/points/scroll",
                $$"""{"limit":500,"offset":{{offset}},"with_payload":true,"with_vector":true}""");
            lines.AddRange(page.GetProperty("points").EnumerateArray().Select(static p => p.GetRawText()));
            offset = page.GetProperty("next_page_offset").GetRawText();
        }
        while (offset != "null");
        return lines;
    }

    public void Dispose() => _http.Dispose();
}
