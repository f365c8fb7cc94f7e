using Granary.Fuzzing;

namespace Granary.Http.Tests;

public sealed class FuzzTests(ApiServer server) : IClassFixture<ApiServer>
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Mutated_requests_are_answered_or_refused_and_nothing_else(int seed)
    {
        const int Count = 1500;
        var report = await new RequestFuzzer(server.Client, seed).RunAsync(Count);
        Assert.True(report.Failures.Count == 0, string.Join('\n', report.Failures.Take(10)));
        Assert.True(report.ParsedAsJson >= Count / 2, report.ToString());
        Assert.True(report.Accepted >= Count / 5, report.ToString());
    }
}
