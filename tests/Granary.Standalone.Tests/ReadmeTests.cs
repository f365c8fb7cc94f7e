using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Granary.Client;
using Granary.Index;
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

    [Fact]
    public async Task The_imports_of_the_front_page_run_as_they_are_written()
    {
        var readme = await File.ReadAllTextAsync(TestPaths.InRepository("README.md"));
        var examples = Import().Matches(readme).Select(static m => m.Groups["arguments"].Value.Split(' ')).ToList();
        Assert.Equal(2, examples.Count);
        using var folder = new TemporaryFolder();
        folder.File("notes/garden.md", "# Garden\n\nThe roses bloom in June. Water them in the evening.\n");
        folder.File("notes/deep/kitchen.txt", "Bread needs flour, water, salt and time.\n");
        folder.File("more.jsonl", "{\"id\": 1, \"text\": \"Rain in the afternoon\"}\n{\"id\": 2, \"text\": \"A music player\"}\n");
        await using (var table = new GZipStream(File.Create(Path.Combine(folder.Path, "table.csv.gz")), CompressionMode.Compress))
            await table.WriteAsync("id,text\n3,The train leaves at noon\n"u8.ToArray());

        // Into a server: where it listens is the only thing that is not as written.
        using var server = await ServerProcess.StartAsync("mem:");
        await RunAsync(examples[0], new Dictionary<string, string> { ["GRANARY_IMPORT_URL"] = server.Address.ToString() });
        await using (var client = new GranaryHttpClient(server.Address))
            await AssertImportedAsync(client);

        // Straight into a folder, which a server then serves.
        await RunAsync(examples[1], new Dictionary<string, string>());
        await using (var client = await EmbeddedGranaryClient.OpenAsync($"file:{folder.Path}/granary-data"))
            await AssertImportedAsync(client);

        async Task RunAsync(string[] arguments, Dictionary<string, string> environment)
        {
            var (code, output, errors) = await ServerProcess.RunInAsync(folder.Path, environment, arguments);
            Assert.Equal(("", 0), (errors, code));
            Assert.Contains("Imported 5 points from 4 files", output, StringComparison.Ordinal);
        }

        static async Task AssertImportedAsync(IGranaryClient client)
        {
            Assert.Equal(5, await client.CountAsync("notes"));
            var hits = await client.HybridAsync("notes", new HybridQuery("bad weather, rain") { VectorName = "dense", Limit = 1 });
            Assert.Equal(new PointId(1), hits[0].Id);
        }
    }

    [GeneratedRegex(@"^    dotnet run -c Release --project src/Granary\.Standalone -- (?<arguments>import .+?) *(#.*)?$",
        RegexOptions.Multiline)]
    private static partial Regex Import();

    [GeneratedRegex(@"curl -s localhost:6333(?<path>/\S+) -H 'content-type: application/json' -d "
        + @"'(?<body>.+?)'\n", RegexOptions.Singleline)]
    private static partial Regex Curl();
}
