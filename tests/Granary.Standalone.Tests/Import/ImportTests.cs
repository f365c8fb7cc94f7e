using Granary.Client;
using Granary.Index;
using Granary.Standalone.Import;
using Granary.Standalone.Tests.Hosting;

namespace Granary.Standalone.Tests.Import;

public sealed class ImportTests
{
    [Fact]
    public async Task Files_of_every_kind_go_into_one_collection_and_importing_again_changes_nothing()
    {
        using var folder = new TemporaryFolder();
        folder.File("in/a.jsonl", "{\"id\":1,\"text\":\"music player for the terminal\"}\n{\"id\":2,\"text\":\"network monitor\"}\n");
        folder.File("in/b.csv", "id,text\n3,text editor\n");
        folder.File("in/deep/c.md", "# Title\n\nA document about gardens. It has two sentences.\n");
        folder.File("in/ignored.png", "binary");
        var storage = $"file:{folder.Path}/data";
        for (var round = 0; round < 2; round++)
        {
            var (code, output, errors) =
                await ServerProcess.RunAsync("import", $"{folder.Path}/in", "--collection", "c", "--storage", storage);
            Assert.Equal("", errors);
            Assert.Equal(0, code);
            Assert.Contains("Imported 4 points from 3 files (4 records)", output, StringComparison.Ordinal);
        }

        await using var client = await EmbeddedGranaryClient.OpenAsync(storage);
        Assert.Equal(4, await client.CountAsync("c"));
        var hits = await client.HybridAsync("c", new HybridQuery("listen to music") { VectorName = "dense", Limit = 1 });
        Assert.Equal(new PointId(1), hits[0].Id);
    }

    [Fact]
    public async Task Ids_come_from_the_place_below_the_folder_wherever_it_lies()
    {
        using var folder = new TemporaryFolder();
        foreach (var root in new[] { "here", "there/deeper" })
        {
            folder.File($"{root}/a.jsonl", "{\"text\":\"one\"}\n{\"text\":\"two\"}\n");
            folder.File($"{root}/deep/a.jsonl", "{\"text\":\"three\"}\n");
            folder.File($"{root}/deep/b.md", "Four.\n");
        }

        var storage = $"file:{folder.Path}/data";
        foreach (var root in new[] { "here", "there/deeper" })
            Assert.Equal(0, (await ServerProcess.RunAsync(
                "import", $"{folder.Path}/{root}", "--collection", "c", "--storage", storage)).ExitCode);
        await using (var client = await EmbeddedGranaryClient.OpenAsync(storage))
            Assert.Equal(4, await client.CountAsync("c"));

        // Two inputs of one name in one import are two sources all the same.
        var both = await ServerProcess.RunAsync("import", $"{folder.Path}/here", $"{folder.Path}/there/deeper", "--collection", "d",
            "--storage", storage);
        Assert.Equal(0, both.ExitCode);
        await using (var client = await EmbeddedGranaryClient.OpenAsync(storage))
            Assert.Equal(8, await client.CountAsync("d"));
    }

    [Fact]
    public async Task As_many_lines_as_go_in_are_points_in_the_server()
    {
        const int Lines = 4_000;
        using var folder = new TemporaryFolder();
        using var server = await ServerProcess.StartAsync($"file:{folder.Path}/data");
        var input = folder.File("lines.jsonl",
            string.Concat(Enumerable.Range(0, Lines).Select(static i => $"{{\"text\":\"line {i}\"}}\n")));
        var table = folder.File("rows.csv", "text\n" + string.Concat(Enumerable.Range(0, Lines).Select(static i => $"row {i}\n")));
        var (code, output, errors) = await ServerProcess.RunAsync(
            "import", input, table, "--collection", "c", "--embed", "none", "--url", server.Address.ToString().TrimEnd('/'));
        Assert.Equal("", errors);
        Assert.Equal(0, code);
        Assert.Contains("Imported 8,000 points from 2 files (8,000 records)", output, StringComparison.Ordinal);
        await using var client = new GranaryHttpClient(server.Address);
        Assert.Equal(2 * Lines, await client.CountAsync("c"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Long_fields_are_split_where_a_chunk_size_is_given_and_kept_whole_where_not(bool given)
    {
        using var folder = new TemporaryFolder();
        var text = string.Join(' ', Enumerable.Range(0, 20).Select(static i => $"This is sentence number {i} of a long text."));
        var lines = folder.File("a.jsonl", $"{{\"id\":1,\"text\":\"{text}\",\"kind\":\"x\"}}\n{{\"id\":2,\"text\":\"short\"}}\n");
        var rows = folder.File("b.csv", $"id,text,kind\n3,{text},y\n");
        string[] size = given ? ["--chunk-size", "200", "--chunk-overlap", "0"] : [];
        for (var round = 0; round < 2; round++)
        {
            var ended = await ServerProcess.RunAsync(
                ["import", lines, rows, "--collection", "c", "--embed", "none", "--storage", $"file:{folder.Path}/data", .. size]);
            Assert.Equal(("", 0), (ended.Errors, ended.ExitCode));
        }

        await using var client = await EmbeddedGranaryClient.OpenAsync($"file:{folder.Path}/data");
        var points = (await client.ScrollAsync("c", new Collections.ScrollRequest { Limit = 100 })).Points;
        if (!given)
        {
            Assert.Equal([1, 2, 3], points.Select(static p => (int)p.Id.Number));
            return;
        }

        Assert.Equal("short", points.Single(static p => p.Id == new PointId(2)).Payload!.Text("text"));
        foreach (var kind in new[] { "x", "y" })
        {
            var chunks = points.Where(p => p.Payload!.Text("kind") == kind).OrderBy(static p => (int)p.Payload!.ToJson()["chunk"]!)
                .ToList();
            Assert.All(chunks, static p => Assert.InRange(p.Payload!.Text("text")!.Length, 1, 200));
            Assert.Equal(text, string.Join(' ', chunks.Select(static p => p.Payload!.Text("text"))));
        }
    }

    [Fact]
    public async Task Bad_lines_and_files_are_told_and_skipped_and_the_exit_code_says_so()
    {
        using var folder = new TemporaryFolder();
        var input = folder.File("a.jsonl", "{\"text\":\"good\"}\nbad\n{\"text\":\"good too\"}\n");
        var missing = Path.Combine(folder.Path, "missing.csv");
        var (code, output, errors) =
            await ServerProcess.RunAsync("import", input, missing, "--collection", "c", "--storage", $"file:{folder.Path}/data");
        Assert.Equal(1, code);
        Assert.Contains($"{input}:2: ", errors, StringComparison.Ordinal);
        Assert.Contains($"{missing}: there is no such file", errors, StringComparison.Ordinal);
        Assert.Contains("Skipped 1 records and 1 files", output, StringComparison.Ordinal);
        Assert.Contains("Imported 2 points", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Texts_are_embedded_here_when_asked_and_the_collection_needs_no_rule()
    {
        using var folder = new TemporaryFolder();
        var input = folder.File("a.jsonl", "{\"id\":1,\"text\":\"music player\"}\n{\"id\":2,\"text\":\"qqzzxx\"}\n");
        var (code, output, _) = await ServerProcess.RunAsync(
            "import", input, "--collection", "c", "--storage", $"file:{folder.Path}/data", "--embed", "client");
        Assert.Equal(0, code);
        Assert.Contains("1 texts without a vector", output, StringComparison.Ordinal);
        await using var client = await EmbeddedGranaryClient.OpenAsync($"file:{folder.Path}/data");
        Assert.Empty((await client.GetCollectionAsync("c")).Embeddings);
        Assert.Equal(100, (await client.RetrieveAsync("c", [new PointId(1)], withVectors: true))[0].Vector("dense")!.Length);
    }

    [Fact]
    public async Task A_failed_batch_is_tried_three_times_and_then_point_by_point_so_that_only_the_bad_one_is_left_out()
    {
        using var folder = new TemporaryFolder();
        var input = folder.File("a.jsonl",
            string.Concat(Enumerable.Range(1, 20).Select(static i => $"{{\"id\":{i},\"text\":\"{(i == 13 ? "poison" : "fine")}\"}}\n")));
        await using var inner = await EmbeddedGranaryClient.OpenAsync("mem:");
        var client = new RefusingClient(inner);
        var complaints = new StringWriter();
        var report = new ImportReport(complaints);
        var options = new ImportOptions { Paths = [input], Collection = "c", Embed = EmbedSide.None, Parallel = 1, BatchSize = 20 };
        await new ImportPipeline(client, options, null, report).RunAsync([new InputFile(input, InputFormat.JsonLines)], default);
        Assert.Equal(19, await inner.CountAsync("c"));
        Assert.Equal((19, 1), (report.Points, report.Skipped));
        Assert.Equal($"{input}:13: poison refused{Environment.NewLine}", complaints.ToString());
        Assert.Equal(3, client.Batches);
    }

    [Fact]
    public async Task A_server_that_is_gone_ends_the_import_with_its_reason()
    {
        using var folder = new TemporaryFolder();
        var input = folder.File("a.jsonl", "{\"text\":\"x\"}\n");
        var (code, _, errors) = await ServerProcess.RunAsync("import", input, "--collection", "c", "--url", "http://127.0.0.1:1");
        Assert.Equal(1, code);
        Assert.Contains("granary: http://127.0.0.1:1/ cannot be reached", errors, StringComparison.Ordinal);
    }
}
