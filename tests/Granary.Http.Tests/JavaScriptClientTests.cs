using Granary.Testing;

namespace Granary.Http.Tests;

/// <summary>Qdrant's own JavaScript clients against the server, through Node.</summary>
public sealed class JavaScriptClientTests(ApiServer server) : IClassFixture<ApiServer>
{
    [Theory]
    [InlineData("qdrant-118")]
    [InlineData("qdrant-119")]
    public async Task The_client_works_unchanged(string module)
    {
        var (exit, output) = await NodeClients.RunAsync("run.mjs", server.Url, module);
        Assert.True(exit == 0, output);
        Assert.DoesNotContain("FAILED", output, StringComparison.Ordinal);
    }
}
