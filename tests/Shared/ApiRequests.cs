using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Granary.Http.Tests;

/// <summary>
/// Requests to the REST API, whoever answers: the tests that need no more than this run against the standalone server and against a
/// cluster, each with an <c>ApiServer</c> of its own.
/// </summary>
public abstract class ApiRequests
{
    public HttpClient Client { get; protected set; } = new();

    public string Url { get; protected set; } = "";

    /// <summary>Sends a request and reads the answer, whatever its status.</summary>
    public async Task<Answer> SendAsync(string method, string path, string? body = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null)
            request.Content = new ByteArrayContent(
                Encoding.UTF8.GetBytes(body))
            { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        using var response = await Client.SendAsync(request);
        return new Answer((int)response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    /// <summary>Sends a request that must succeed and gives its result.</summary>
    public async Task<JsonElement> OkAsync(string method, string path, string? body = null)
    {
        var answer = await SendAsync(method, path, body);
        Assert.True(answer.Status == 200, $"{method} {path}: {answer.Status} {answer.Text}");
        Assert.Equal("ok", answer.Json.GetProperty("status").GetString());
        Assert.True(answer.Json.GetProperty("time").GetDouble() >= 0);
        return answer.Json.GetProperty("result");
    }

    /// <summary>Sends a request that must be refused.</summary>
    public async Task RefusedAsync(string method, string path, string? body, int status, string text)
    {
        var answer = await SendAsync(method, path, body);
        Assert.True(answer.Status == status, $"{method} {path}: {answer.Status} {answer.Text}");
        Assert.Equal(JsonValueKind.Null, answer.Json.GetProperty("result").ValueKind);
        Assert.Contains(text, answer.Json.GetProperty("status").GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    /// <summary>A collection of four small points with a vector each.</summary>
    public async Task CreateSampleAsync(string name)
    {
        await OkAsync("PUT", $"/collections/{name}", """{"vectors":{"size":4,"distance":"Dot"},"sparse_vectors":{"s":{}}}""");
        await OkAsync("PUT", $"/collections/{name}/points?wait=true", """
            {"points":[
              {"id":1,"vector":[1,0,0,0],"payload":{"city":"Berlin","price":10.5}},
              {"id":2,"vector":[0,1,0,0],"payload":{"city":["Berlin","London"],"price":11}},
              {"id":3,"vector":[0,0,1,0],"payload":{"city":"Moscow"}},
              {"id":"98a9a4b1-4ef2-46fb-8315-a97d874fe1d7","vector":[0.5,0.5,0,0]}]}
            """);
    }
}

/// <summary>What came back.</summary>
public sealed record Answer(int Status, string Text)
{
    public JsonElement Json => JsonElement.Parse(Text);
}
