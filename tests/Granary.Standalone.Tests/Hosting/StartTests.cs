using System.Net;
using System.Net.Sockets;
using Granary.Client;
using Granary.Index;
using Granary.Standalone.Tests.Embeddings;

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

    [Theory]
    [InlineData("Unrecognized command or argument '--nonsense'.", "--nonsense")]
    [InlineData("Required argument missing for option: '--storage'.", "--storage")]
    [InlineData("Required argument missing for command: 'import'.", "import", "--collection", "c")]
    public async Task A_command_line_that_cannot_be_read_is_told_in_one_line_with_code_1(string error, params string[] arguments) =>
        AssertOneLine(await ServerProcess.RunAsync(arguments), error, "--help`");

    [Theory]
    [InlineData("--collection is needed")]
    [InlineData("--batch `0` must be a whole number from 1 to 10000", "--collection", "c", "--batch", "0")]
    [InlineData("--format `pdf` must be one of auto, jsonl, csv, text", "--collection", "c", "--format", "pdf")]
    [InlineData("--embed `here` must be one of server, client, none", "--collection", "c", "--embed", "here")]
    [InlineData("--chunk-overlap `60` must be at most half of --chunk-size 100", "--collection", "c", "--chunk-size", "100",
        "--chunk-overlap", "60")]
    [InlineData("--url `ftp://x` must begin with http:// or https://", "--collection", "c", "--url", "ftp://x")]
    [InlineData("--url and --storage exclude each other", "--collection", "c", "--url", "http://x", "--storage", "mem:")]
    public async Task An_import_that_contradicts_itself_is_told_in_one_line_with_code_1(string error, params string[] options) =>
        AssertOneLine(await ServerProcess.RunAsync(["import", "x", .. options]), error, "");

    [Theory]
    [InlineData("0.1.0", "--version")]
    [InlineData("--storage <VALUE>", "--help")]
    [InlineData("--chunk-overlap <VALUE>", "import", "--help")]
    public async Task Help_and_version_are_printed_with_code_0(string text, params string[] arguments)
    {
        var ended = await ServerProcess.RunAsync(arguments);
        Assert.Equal(("", 0), (ended.Errors, ended.ExitCode));
        Assert.Contains(text, ended.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_of_a_newer_format_is_refused_in_one_line()
    {
        using var folder = new TemporaryFolder();
        using (var server = await ServerProcess.StartAsync($"file:{folder.Path}/data"))
            await server.StopAsync();
        await File.WriteAllTextAsync($"{folder.Path}/data/format", "granary-folder 99\ncrc32c 9e62415d\n");
        AssertOneLine(await ServerProcess.RunAsync("--storage", $"file:{folder.Path}/data", "--urls", "http://127.0.0.1:0"),
            "data/format", "format version 99", "use a newer one");
    }

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
        Assert.Equal(warned ? "granary: only a read-only key is set, so nobody can write; writes need --api-key (GRANARY_API_KEY)\n" : "",
            await server.Errors);
    }

    [Fact]
    public async Task The_demo_takes_its_vectors_from_the_embedder_it_is_given_and_refuses_to_mix_two()
    {
        using var folder = new TemporaryFolder();
        await using var stub = await OpenAiStub.StartAsync();
        string[] common = ["demo", "--exit", "--storage", $"file:{folder.Path}/data", "--urls", "http://127.0.0.1:0"];
        string[] openai = ["--embeddings", "openai", "--embedding-url", stub.BaseUrl.ToString(), "--embedding-model", "m"];
        var demo = await ServerProcess.RunAsync([.. common, .. openai]);
        Assert.Equal("", demo.Errors);
        Assert.Equal(0, demo.ExitCode);
        Assert.Contains("5,000 points, 5,000 vectors linked, 0 texts without a vector", demo.Output, StringComparison.Ordinal);
        Assert.Equal(3, demo.Output.Split("fused score").Length - 1);
        var mixed = await ServerProcess.RunAsync(common);
        AssertOneLine((mixed.ExitCode, "", mixed.Errors), "embedder `m`", "the server has `builtin`");
    }

    [Fact]
    public async Task The_demo_without_an_embedder_is_refused_in_one_line()
    {
        using var folder = new TemporaryFolder();
        string[] common = ["demo", "--exit", "--storage", $"file:{folder.Path}/data", "--urls", "http://127.0.0.1:0"];
        AssertOneLine(await ServerProcess.RunAsync([.. common, "--embeddings", "none"]), "--embeddings `none`", "builtin or openai");
        AssertOneLine(await ServerProcess.RunAsync([.. common, "--embeddings", "openai", "--embedding-url", "http://127.0.0.1:1/v1"]),
            "127.0.0.1:1", "the demo needs the embedder");
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
