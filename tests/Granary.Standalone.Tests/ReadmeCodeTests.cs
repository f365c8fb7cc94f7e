using System.Text.Json;
using Granary.Client;
using Granary.Standalone.Tests.Hosting;
using Granary.Testing;

namespace Granary.Standalone.Tests;

/// <summary>
/// The .NET and JavaScript examples of the front page run as they are written, against a server that holds what the demo loads.
/// </summary>
public sealed class ReadmeCodeTests(ReadmeCodeTests.Demo demo) : IClassFixture<ReadmeCodeTests.Demo>
{
    private static readonly string Readme = File.ReadAllText(TestPaths.InRepository("README.md"));

    [Fact]
    public void The_dotnet_example_is_the_one_that_is_compiled()
    {
        var compiled = File.ReadAllLines(TestPaths.InRepository("tests/Granary.Standalone.Tests/ReadmeExample.cs")).Select(Bare).ToList();
        var example = Example("## From .NET").Select(Bare).Where(static line => !line.StartsWith("//", StringComparison.Ordinal)).ToList();
        Assert.True(example.Count > 10);
        var opening = example.FindIndex(static line => line.StartsWith("await using", StringComparison.Ordinal)) + 1;
        Assert.All(example[..opening], line => Assert.Contains(line, compiled));
        var from = compiled.IndexOf(example[opening]);
        Assert.Equal(example[opening..], compiled.GetRange(from, example.Count - opening));
        Assert.Contains("new GranaryHttpClient(new Uri(\"http://", string.Concat(Example("## From .NET")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_dotnet_example_finds_the_note_in_process()
    {
        // The example's folder is relative, that is, beside the tests.
        var data = Path.GetFullPath("./data");
        if (Directory.Exists(data))
            Directory.Delete(data, recursive: true);
        IsTheNote(await ReadmeExample.EmbeddedAsync());
        Directory.Delete(data, recursive: true);
    }

    [Fact]
    public async Task The_dotnet_example_finds_the_note_over_HTTP() => IsTheNote(await ReadmeExample.HttpAsync(demo.Address));

    [Fact]
    public async Task The_JavaScript_example_runs_as_it_is_written()
    {
        var example = string.Join('\n', Example("## From JavaScript"));
        Assert.Contains("'@qdrant/js-client-rest'", example, StringComparison.Ordinal);
        Assert.Contains("'http://127.0.0.1:6333'", example, StringComparison.Ordinal);

        // Only the names differ: the package is installed under its version's alias, and the port is a free one.
        var script = example.Replace("'@qdrant/js-client-rest'", "'qdrant-119'", StringComparison.Ordinal)
            .Replace("http://127.0.0.1:6333", demo.Address.GetLeftPart(UriPartial.Authority), StringComparison.Ordinal)
            + "\nconsole.log(JSON.stringify(points.map(p => p.payload.name)));";
        var (exit, output) = await NodeClients.RunAsync("--input-type=module", "--eval", script);
        Assert.True(exit == 0, output);
        var names = JsonSerializer.Deserialize<string[]>(output.Trim())!;
        Assert.Equal(5, names.Length);
        Assert.All(names, name => Assert.NotEmpty(name));
    }

    private static void IsTheNote(IReadOnlyList<Hit> hits)
    {
        var hit = Assert.Single(hits);
        Assert.Equal(new Index.PointId(1), hit.Id);
        Assert.Contains("Rain in the afternoon", hit.Payload!.ToString(), StringComparison.Ordinal);
    }

    /// <summary>The lines of the indented block below a heading, as they stand in a file.</summary>
    private static List<string> Example(string heading) =>
        [.. Readme.Split('\n').SkipWhile(line => line != heading).Skip(1)
            .TakeWhile(static line => !line.StartsWith("## ", StringComparison.Ordinal))
            .Where(static line => line.StartsWith("    ", StringComparison.Ordinal)).Select(static line => line[4..])];

    private static string Bare(string line) => line.Trim();

    /// <summary>A server on what the demo loaded.</summary>
    public sealed class Demo : IAsyncLifetime, IDisposable
    {
        private TemporaryFolder? _folder;
        private ServerProcess? _server;

        public Uri Address => _server!.Address;

        public async Task InitializeAsync()
        {
            _folder = new TemporaryFolder();
            var storage = $"file:{_folder.Path}/data";
            var demo = await ServerProcess.RunAsync("demo", "--exit", "--storage", storage, "--urls", "http://127.0.0.1:0");
            Assert.True(demo.ExitCode == 0, demo.Errors);
            _server = await ServerProcess.StartAsync(storage);
        }

        public Task DisposeAsync()
        {
            Dispose();
            return Task.CompletedTask;
        }

        public void Dispose()
        {
            _server?.Dispose();
            _folder?.Dispose();
            (_server, _folder) = (null, null);
        }
    }
}
