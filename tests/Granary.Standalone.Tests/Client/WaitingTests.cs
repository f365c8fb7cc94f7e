using System.Net;
using System.Text;
using Granary.Client;
using Granary.Index;

namespace Granary.Standalone.Tests.Client;

/// <summary>Waiting over HTTP, against a server that says how long linking still takes.</summary>
public sealed class WaitingTests
{
    [Theory]
    [InlineData(100, null, "30,30,30")]
    [InlineData(100, 300, "30,30,30")]
    [InlineData(100, 70, "30,30,10")]
    [InlineData(20, null, "10,10,10")]
    [InlineData(-1, null, "30,30,30")]
    public async Task It_asks_in_pieces_shorter_than_a_call_until_all_is_linked(int callSeconds, int? limit, string asked)
    {
        using var server = new Linking(3);
        await using var client = server.Client(callSeconds);
        Assert.True(await client.WaitAsync("c", limit is { } seconds ? TimeSpan.FromSeconds(seconds) : null));
        Assert.Equal(asked, string.Join(',', server.Asked));
    }

    [Theory]
    [InlineData(0, "1")]
    [InlineData(30, "30")]
    [InlineData(59.5, "30,30")]
    public async Task It_gives_up_once_the_limit_is_waited_out(double limit, string asked)
    {
        using var server = new Linking(int.MaxValue);
        await using var client = server.Client(100);
        Assert.False(await client.WaitAsync("c", TimeSpan.FromSeconds(limit)));
        Assert.Equal(asked, string.Join(',', server.Asked));
    }

    [Fact]
    public async Task A_server_that_fails_is_no_reason_to_go_on_waiting()
    {
        using var server = new Linking(int.MaxValue) { Status = HttpStatusCode.ServiceUnavailable };
        await using var client = server.Client(100);
        Assert.Equal(ErrorKind.Unavailable, (await Assert.ThrowsAsync<GranaryException>(() => client.WaitAsync("c"))).Kind);
        Assert.Single(server.Asked);
    }

    /// <summary>Answers that the time limit passed until the n-th question.</summary>
    private sealed class Linking(int questions) : HttpMessageHandler
    {
        public List<int> Asked { get; } = [];

        public HttpStatusCode Status { get; init; } = HttpStatusCode.RequestTimeout;

        public GranaryHttpClient Client(int callSeconds) => new(new HttpClient(this, disposeHandler: false)
        {
            BaseAddress = new Uri("http://server/"),
            Timeout = callSeconds < 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(callSeconds),
        });

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Assert.Equal("/collections/c/wait", request.RequestUri!.AbsolutePath);
            Asked.Add(int.Parse(request.RequestUri.Query["?timeout=".Length..], System.Globalization.CultureInfo.InvariantCulture));
            var linked = Asked.Count == questions;
            return Task.FromResult(new HttpResponseMessage(linked ? HttpStatusCode.OK : Status)
            {
                Content = new StringContent(
                    linked ? """{"result":true,"status":"ok"}""" : """{"status":{"error":"not yet"}}""", Encoding.UTF8, "application/json"),
            });
        }
    }
}
