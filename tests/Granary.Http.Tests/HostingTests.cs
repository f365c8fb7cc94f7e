using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Granary.Http.Tests;

/// <summary>Keys, sizes, compression and what concerns the server as a whole.</summary>
public sealed class HostingTests
{
    [Fact]
    public async Task Keys_are_asked_for()
    {
        await using var server = await Started.NewAsync(new GranaryHttpOptions { ApiKey = "all-of-it", ReadOnlyApiKey = "just-looking" });
        var none = await server.Api.SendAsync("GET", "/collections");
        Assert.Equal((401, "Must provide an API key or an Authorization bearer token"), (none.Status, none.Text));
        var wrong = await server.Api.SendAsync("GET", "/collections", null, ("api-key", "wrong"));
        Assert.Equal((401, "Invalid API key or JWT"), (wrong.Status, wrong.Text));
        Assert.Equal(200, (await server.Api.SendAsync("GET", "/collections", null, ("api-key", "all-of-it"))).Status);
        Assert.Equal(200, (await server.Api.SendAsync("GET", "/collections", null, ("Authorization", "Bearer all-of-it"))).Status);
        Assert.Equal(200, (await server.Api.SendAsync("GET", "/collections", null, ("api-key", "just-looking"))).Status);
        Assert.Equal(403, (await server.Api.SendAsync("PUT", "/collections/x", "{}", ("api-key", "just-looking"))).Status);
        Assert.Equal(200, (await server.Api.SendAsync("PUT", "/collections/x", "{}", ("api-key", "all-of-it"))).Status);
        foreach (var open in new[] { "/", "/healthz", "/livez", "/readyz" })
            Assert.Equal(200, (await server.Api.SendAsync("GET", open)).Status);
    }

    [Fact]
    public async Task Bodies_are_limited_compressed_or_not()
    {
        await using var server = await Started.NewAsync(new GranaryHttpOptions { MaxRequestBytes = 10_000 });
        var large = "{\"metadata\":{\"x\":\"" + new string('x', 20_000) + "\"}}";
        await server.Api.RefusedAsync("PUT", "/collections/x", large, 413, "larger than allowed (limit: 10000 bytes)");
        Assert.Equal(413, await PutCompressedAsync(server.Api, "/collections/x", large));
        Assert.Equal(200, await PutCompressedAsync(server.Api, "/collections/x", """{"vectors":{"size":2,"distance":"Dot"}}"""));
        Assert.Equal("x", (await server.Api.OkAsync("GET", "/collections")).GetProperty("collections")[0].GetProperty("name").GetString());
    }

    /// <summary>A client that keeps its connections must not find one closed behind its back after a refusal.</summary>
    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task The_request_after_a_body_that_is_too_large_is_answered(bool chunked, bool compressed)
    {
        await using var server = await Started.NewAsync(new GranaryHttpOptions { MaxRequestBytes = 10_000 });
        var large = new byte[50_000];
        new Random(1).NextBytes(large); // Does not shrink.
        for (var round = 0; round < 100; round++)
        {
            using var content = new ByteArrayContent(compressed ? await CompressAsync(large) : large);
            if (compressed)
                content.Headers.ContentEncoding.Add("gzip");
            using var request = new HttpRequestMessage(HttpMethod.Put, "/collections/x") { Content = content };
            request.Headers.TransferEncodingChunked = chunked;
            using (var refused = await server.Api.Client.SendAsync(request))
                Assert.Equal(HttpStatusCode.RequestEntityTooLarge, refused.StatusCode);
            Assert.Equal(404, (await server.Api.SendAsync("PATCH", "/collections/none", "{}")).Status);
        }
    }

    /// <summary>An application may serve more than this API: Kestrel's limit stays for that.</summary>
    [Fact]
    public async Task The_limit_is_of_this_api_alone()
    {
        await using var server = await Started.NewAsync(new GranaryHttpOptions());
        var large = $"{{\"vectors\":{{\"size\":2,\"distance\":\"Dot\"}}{new string(' ', 31_000_000)}}}";
        Assert.Equal(200, (await server.Api.SendAsync("PUT", "/collections/x", large)).Status);
        var services = new ServiceCollection().AddGranaryHttp(new GranaryHttpOptions());
        await using var provider = services.BuildServiceProvider();
        Assert.Equal(
            new KestrelServerLimits().MaxRequestBodySize,
            provider.GetRequiredService<IOptions<KestrelServerOptions>>().Value.Limits.MaxRequestBodySize);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    [InlineData("br")]
    public async Task A_body_that_does_not_decompress_is_refused(string encoding)
    {
        await using var server = await Started.NewAsync(new GranaryHttpOptions());
        for (var first = 0; first < 256; first += 15)
        {
            using var content = new ByteArrayContent([(byte)first, .. Enumerable.Repeat((byte)0xFF, 200)]);
            content.Headers.ContentEncoding.Add(encoding);
            using var response = await server.Api.Client.PutAsync("/collections/x", content);
            Assert.True((int)response.StatusCode == 400,
                $"{first}: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}");
        }
    }

    [Fact]
    public async Task Answers_are_limited()
    {
        await using var server = await Started.NewAsync(new GranaryHttpOptions { MaxResponseBytes = 100_000 });
        await server.Api.CreateSampleAsync("large");
        var body = new string('x', 60_000);
        await server.Api.OkAsync("POST", "/collections/large/points/payload?wait=true",
            $$"""{"payload":{"a":"{{body}}"},"points":[1,2]}""");
        await server.Api.OkAsync("POST", "/collections/large/points", """{"ids":[1]}""");
        await server.Api.RefusedAsync("POST", "/collections/large/points", """{"ids":[1,2]}""", 400,
            "larger than allowed (limit: 100000 bytes)");
        await server.Api.RefusedAsync("POST", "/collections/large/points/scroll", "{}", 400, "larger than allowed (limit: 100000 bytes)");
    }

    [Fact]
    public async Task Long_answers_are_compressed_for_those_who_accept_it()
    {
        await using var server = await Started.NewAsync(new GranaryHttpOptions());
        using var handler = new HttpClientHandler { AutomaticDecompression = DecompressionMethods.None };
        using var client = new HttpClient(handler) { BaseAddress = new Uri(server.Api.Url) };
        client.DefaultRequestHeaders.TryAddWithoutValidation("Accept-Encoding", "gzip");
        using var response = await client.GetAsync("/openapi.json");
        Assert.Equal("gzip", Assert.Single(response.Content.Headers.ContentEncoding));
        await using var text = new GZipStream(await response.Content.ReadAsStreamAsync(), CompressionMode.Decompress);
        using var document = await JsonDocument.ParseAsync(text);
        Assert.Equal("3.0.1", document.RootElement.GetProperty("openapi").GetString());
        Assert.True(document.RootElement.GetProperty("paths").TryGetProperty("/collections/{collection_name}/points/query", out _));
    }

    [Theory]
    [InlineData("gzip", true)]
    [InlineData("deflate, GZIP;q=0.5", true)]
    [InlineData("br;q=1.0, gzip; q=0.001", true)]
    [InlineData("gzip;q=0", false)]
    [InlineData("gzip; q=0.000, br", false)]
    [InlineData("identity", false)]
    [InlineData("x-gzipped", false)]
    [InlineData(null, false)]
    public async Task A_long_answer_is_compressed_as_the_weights_say_and_tells_caches_that_it_depends(string? accepted, bool compressed)
    {
        await using var server = await Started.NewAsync(new GranaryHttpOptions());
        using var handler = new HttpClientHandler { AutomaticDecompression = DecompressionMethods.None };
        using var client = new HttpClient(handler) { BaseAddress = new Uri(server.Api.Url) };
        if (accepted is not null)
            client.DefaultRequestHeaders.TryAddWithoutValidation("Accept-Encoding", accepted);
        using var response = await client.GetAsync("/openapi.json");
        Assert.Equal(compressed ? ["gzip"] : [], response.Content.Headers.ContentEncoding);
        Assert.Equal(["Accept-Encoding"], response.Headers.Vary);
        using var small = await client.GetAsync("/");
        Assert.Empty(small.Content.Headers.ContentEncoding);
    }

    [Fact]
    public async Task The_server_says_who_it_is_and_how_it_is()
    {
        await using var server = await Started.NewAsync(new GranaryHttpOptions());
        await server.Api.CreateSampleAsync("shown");
        var root = (await server.Api.SendAsync("GET", "/")).Json;
        Assert.Equal(["title", "version", "commit"], root.EnumerateObject().Select(static p => p.Name));
        Assert.Equal("qdrant - vector search engine", root.GetProperty("title").GetString());
        Assert.Equal(40, root.GetProperty("commit").GetString()!.Length);
        Assert.Equal("healthz check passed", (await server.Api.SendAsync("GET", "/livez/")).Text);
        Assert.Equal("all shards are ready", (await server.Api.SendAsync("GET", "/readyz")).Text);
        Assert.Equal("disabled", (await server.Api.OkAsync("GET", "/cluster")).GetProperty("status").GetString());
        Assert.Equal(1, (await server.Api.OkAsync("GET", "/telemetry")).GetProperty("collections").GetProperty(
            "number_of_collections").GetInt32());
        var metrics = (await server.Api.SendAsync("GET", "/metrics")).Text;
        Assert.Contains("# HELP app_info information about qdrant server\n", metrics, StringComparison.Ordinal);
        Assert.Contains("collections_total 1\n", metrics, StringComparison.Ordinal);
        Assert.Contains("collection_points{id=\"shown\"} 4\n", metrics, StringComparison.Ordinal);
        Assert.Contains("rest_responses_total{method=\"PUT\",endpoint=\"/collections/{collection_name}\",status=\"200\"} 1\n", metrics,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Browsers_of_any_origin_may_call()
    {
        await using var server = await Started.NewAsync(new GranaryHttpOptions());
        using var request = new HttpRequestMessage(HttpMethod.Get, "/collections");
        request.Headers.Add("Origin", "http://elsewhere.example");
        using var response = await server.Api.Client.SendAsync(request);
        Assert.Equal("*", Assert.Single(response.Headers.GetValues("Access-Control-Allow-Origin")));
    }

    private static async Task<int> PutCompressedAsync(ApiServer server, string path, string body)
    {
        using var content = new ByteArrayContent(await CompressAsync(Encoding.UTF8.GetBytes(body)));
        content.Headers.ContentEncoding.Add("gzip");
        using var response = await server.Client.PutAsync(path, content);
        return (int)response.StatusCode;
    }

    private static async Task<byte[]> CompressAsync(byte[] body)
    {
        using var compressed = new MemoryStream();
        await using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest, leaveOpen: true))
            await gzip.WriteAsync(body);
        return compressed.ToArray();
    }

    /// <summary>A server with settings of its own.</summary>
    private sealed class Started(ApiServer api) : IAsyncDisposable
    {
        public ApiServer Api { get; } = api;

        public static async Task<Started> NewAsync(GranaryHttpOptions options)
        {
            var server = new ApiServer(options);
            await server.InitializeAsync();
            return new Started(server);
        }

        public async ValueTask DisposeAsync() => await Api.DisposeAsync();
    }
}
