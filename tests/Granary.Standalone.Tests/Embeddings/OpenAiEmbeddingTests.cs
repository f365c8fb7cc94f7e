using System.Net;
using Granary.Embeddings;
using Microsoft.AspNetCore.Http;

namespace Granary.Standalone.Tests.Embeddings;

public sealed class OpenAiEmbeddingTests : IAsyncLifetime
{
    private OpenAiStub _stub = null!;

    public async Task InitializeAsync() => _stub = await OpenAiStub.StartAsync();

    public async Task DisposeAsync() => await _stub.DisposeAsync();

    [Fact]
    public async Task Texts_go_out_in_batches_and_come_back_in_order_with_blank_ones_left_empty()
    {
        using var generator = Generator(options => options with { BatchSize = 2, ApiKey = "secret", Dimensions = 2 });
        var vectors = await generator.GenerateAsync(["a", "  ", "bbb", "cc", ""]);
        Assert.Equal([1f, 0f], vectors[0].Vector.ToArray());
        Assert.True(vectors[1].Vector.IsEmpty);
        Assert.Equal([3f, 1f], vectors[2].Vector.ToArray());
        Assert.Equal([2f, 0f], vectors[3].Vector.ToArray());
        Assert.True(vectors[4].Vector.IsEmpty);
        Assert.Equal(2, _stub.Requests.Count);
        Assert.Equal("Bearer secret", _stub.Authorization);
        Assert.Equal("m", _stub.Requests[0].GetProperty("model").GetString());
        Assert.Equal(2, _stub.Requests[0].GetProperty("dimensions").GetInt32());
    }

    [Fact]
    public async Task A_refusal_tells_address_status_and_the_endpoints_own_words()
    {
        _stub.Override = static async context =>
        {
            context.Response.StatusCode = 429;
            await context.Response.WriteAsync("""{"error":{"message":"You exceeded your quota","type":"insufficient_quota"}}""");
        };
        using var generator = Generator();
        var error = await Assert.ThrowsAsync<EmbeddingEndpointException>(() => generator.GenerateAsync(["a"]));
        Assert.Equal(HttpStatusCode.TooManyRequests, error.StatusCode);
        Assert.True(error.IsTransient);
        Assert.Equal($"{_stub.BaseUrl}/embeddings answered 429: You exceeded your quota", error.Message);
    }

    [Theory]
    [InlineData("<html>hello</html>", "not an embeddings list")]
    [InlineData("""{"data":[]}""", "0 embeddings for 1 texts")]
    [InlineData("""{"data":[{"index":7,"embedding":[1]}]}""", "no usable embedding at index 7 of 1")]
    [InlineData("""{"data":[{"index":0,"embedding":[]}]}""", "no usable embedding at index 0 of 1")]
    public async Task Nonsense_is_an_error_and_never_a_vector(string body, string expected)
    {
        _stub.Override = context => context.Response.WriteAsync(body);
        using var generator = Generator();
        var error = await Assert.ThrowsAsync<EmbeddingEndpointException>(() => generator.GenerateAsync(["a"]));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.False(error.IsTransient);
    }

    [Fact]
    public async Task An_endpoint_that_does_not_answer_runs_into_the_time_limit()
    {
        _stub.Override = static context => new TaskCompletionSource().Task.WaitAsync(context.RequestAborted);
        using var generator = Generator(static options => options with { Timeout = TimeSpan.FromMilliseconds(100) });
        var error = await Assert.ThrowsAsync<TimeoutException>(() => generator.GenerateAsync(["a"]));
        Assert.Contains("did not answer within 0.1 s", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_caller_who_cancels_gets_cancellation_and_no_time_limit()
    {
        using var stop = new CancellationTokenSource();
        _stub.Override = async context =>
        {
            await stop.CancelAsync();
            context.Abort();
        };
        using var generator = Generator();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => generator.GenerateAsync(["a"], null, stop.Token));
    }

    [Fact]
    public async Task Nobody_there_is_told_with_the_address()
    {
        var url = _stub.BaseUrl;
        await _stub.DisposeAsync();
        using var generator = new OpenAiEmbeddingGenerator(new OpenAiOptions { BaseUrl = url, Model = "m" });
        var error = await Assert.ThrowsAsync<EmbeddingEndpointException>(() => generator.GenerateAsync(["a"]));
        Assert.StartsWith($"{url}/embeddings cannot be reached: ", error.Message, StringComparison.Ordinal);
        Assert.Null(error.StatusCode);
    }

    private OpenAiEmbeddingGenerator Generator(Func<OpenAiOptions, OpenAiOptions>? change = null)
    {
        var options = new OpenAiOptions { BaseUrl = _stub.BaseUrl, Model = "m" };
        return new OpenAiEmbeddingGenerator(change?.Invoke(options) ?? options);
    }
}
