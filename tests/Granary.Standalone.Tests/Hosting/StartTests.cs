using System.Net;
using System.Net.Sockets;
using Granary.Client;
using Granary.Index;

namespace Granary.Standalone.Tests.Hosting;

public sealed class StartTests
{
    [Theory]
    [InlineData("file")]
    [InlineData("sqlite")]
    public async Task A_server_stops_on_SIGTERM_with_code_0_and_keeps_what_it_had(string scheme)
    {
        using var folder = new TemporaryFolder();
        using (var server = await ServerProcess.StartAsync($"{scheme}:{folder.Path}/data"))
        {
            await using var client = new GranaryHttpClient(server.Address);
            await client.CreateCollectionAsync("c", new()
            {
                Schema = new IndexSchema { Dense = [new DenseVectorSchema("", 2, Distance.Dot)] },
            });
            await client.UpsertAsync("c", [new Point(new PointId(1), [1f, 2f])]);
            Assert.Equal(0, await server.StopAsync());
        }

        using (var server = await ServerProcess.StartAsync($"{scheme}:{folder.Path}/data"))
        {
            await using var client = new GranaryHttpClient(server.Address);
            Assert.Equal(1, await client.CountAsync("c"));
        }
    }

    [Fact]
    public async Task A_folder_in_use_is_told_in_one_line_with_code_1()
    {
        using var folder = new TemporaryFolder();
        using var server = await ServerProcess.StartAsync($"file:{folder.Path}/data");
        var second = await ServerProcess.RunAsync("--storage", $"file:{folder.Path}/data", "--urls", "http://127.0.0.1:0");
        AssertOneLine(second, "data", "process");
    }

    [Fact]
    public async Task A_port_in_use_is_told_in_one_line_with_code_1()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        AssertOneLine(await ServerProcess.RunAsync("--storage", "mem:", "--urls", $"http://127.0.0.1:{port}"), $"http://127.0.0.1:{port}",
            "in use");
    }

    [Theory]
    [InlineData("--storage", "redis:x", "redis:", "mem:, file:PATH, sqlite:PATH")]
    [InlineData("--durability", "never", "--durability `never`", "process, disk")]
    [InlineData("--storage", "file:/dev/null/x", "/dev/null", "")]
    public async Task A_bad_option_is_told_in_one_line_with_code_1(string option, string value, string named, string known) =>
        AssertOneLine(await ServerProcess.RunAsync(option, value), named, known);

    [Fact]
    public async Task A_folder_that_is_no_storage_or_damaged_is_told_in_one_line_with_code_1()
    {
        using var folder = new TemporaryFolder();
        using (var server = await ServerProcess.StartAsync($"file:{folder.Path}"))
            await server.StopAsync();
        foreach (var file in Directory.EnumerateFiles(folder.Path))
            await File.WriteAllTextAsync(file, "not what was written here");
        AssertOneLine(await ServerProcess.RunAsync("--storage", $"file:{folder.Path}", "--urls", "http://127.0.0.1:0"), folder.Path, "");
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("all", false)]
    public async Task A_read_only_key_alone_is_warned_about(string key, bool warned)
    {
        using var server = await ServerProcess.StartAsync("mem:", "--read-only-api-key", "look", "--api-key", key);
        Assert.Equal(0, await server.StopAsync());
        Assert.Equal(warned ? "granary: only a read-only key is set, so nobody can write; writes need --api-key (GRANARY_API_KEY)\n" : "", await server.Errors);
    }

    [Fact]
    public async Task The_demo_answers_three_queries_and_loads_only_once()
    {
        using var folder = new TemporaryFolder();
        string[] arguments = ["demo", "--exit", "--storage", $"file:{folder.Path}/data", "--urls", "http://127.0.0.1:0"];
        var first = await ServerProcess.RunAsync(arguments);
        Assert.Equal("", first.Errors);
        Assert.Equal(0, first.ExitCode);
        Assert.Contains("5,000 points", first.Output, StringComparison.Ordinal);
        Assert.Equal(3, first.Output.Split("fused score").Length - 1);

        var second = await ServerProcess.RunAsync(arguments);
        Assert.Equal(0, second.ExitCode);
        Assert.Contains("is there already; nothing was loaded", second.Output, StringComparison.Ordinal);
        Assert.Equal(3, second.Output.Split("fused score").Length - 1);
    }

    private static void AssertOneLine((int ExitCode, string Output, string Errors) ended, params string[] named)
    {
        Assert.Equal(1, ended.ExitCode);
        Assert.Equal("", ended.Output);
        Assert.Single(ended.Errors.TrimEnd('\n').Split('\n'));
        Assert.StartsWith("granary: ", ended.Errors, StringComparison.Ordinal);
        Assert.All(named, text => Assert.Contains(text, ended.Errors, StringComparison.Ordinal));
    }
}
