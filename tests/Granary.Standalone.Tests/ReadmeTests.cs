using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Granary.Standalone.Tests.Hosting;

namespace Granary.Standalone.Tests;

public sealed partial class ReadmeTests
{
    [Fact]
    public async Task The_query_of_the_front_page_runs_as_it_is_written()
    {
        var readme = await File.ReadAllTextAsync(TestPaths.InRepository("README.md"));
        var example = Curl().Match(readme);
        Assert.True(example.Success);
        using var folder = new TemporaryFolder();
        var storage = $"file:{folder.Path}/data";
        Assert.Equal(0, (await ServerProcess.RunAsync("demo", "--exit", "--storage", storage, "--urls", "http://127.0.0.1:0")).ExitCode);
        using var server = await ServerProcess.StartAsync(storage);
        using var http = new HttpClient();
        using var body = new StringContent(example.Groups["body"].Value, Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync(new Uri(server.Address, example.Groups["path"].Value), body);
        using var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        Assert.Equal("ok", json.RootElement.GetProperty("status").GetString());
        Assert.Equal(5, json.RootElement.GetProperty("result").GetProperty("points").GetArrayLength());
    }

    [GeneratedRegex(@"curl -s localhost:6333(?<path>/\S+) -H 'content-type: application/json' -d "
        + @"'(?<body>.+?)'\n", RegexOptions.Singleline)]
    private static partial Regex Curl();
}
