using Granary.Client;
using Granary.Index;
using Granary.Standalone.Import;
using Granary.Standalone.Tests.Embeddings;
using Granary.Standalone.Tests.Hosting;
using Microsoft.AspNetCore.Http;

namespace Granary.Standalone.Tests.Import;

/// <summary>Imports whose texts are embedded by an OpenAI-compatible endpoint, here or in the server.</summary>
public sealed class ImportEmbeddingTests : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private OpenAiStub _stub = null!;

    private string[] Endpoint => ["--embeddings", "openai", "--embedding-url", _stub.BaseUrl.ToString(), "--embedding-model", "m"];

    public async Task InitializeAsync() => _stub = await OpenAiStub.StartAsync();

    public async Task DisposeAsync() => await _stub.DisposeAsync();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_text_the_endpoint_refuses_costs_its_own_vector_only_when_embedded_here()
    {
        _stub.Refused = "poison";
        var input = Lines(200, 13, 14, 150);
        var (code, output, errors) = await ServerProcess.RunAsync(
            ["import", input, "--collection", "c", "--storage", Storage, "--embed", "client", .. Endpoint]);
        Assert.Equal(1, code);
        var told = errors.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order().ToList();
        Assert.Equal(3, told.Count);
        Assert.All(told.Zip([13, 14, 150]), pair => Assert.StartsWith(
            $"{input}:{pair.Second}: imported without a vector: Embedding 1 text(s) failed: {_stub.BaseUrl}/embeddings answered 400: "
                + "an input is too long", pair.First, StringComparison.Ordinal));
        Assert.Contains("Imported 200 points", output, StringComparison.Ordinal);
        Assert.Contains("Skipped 0 records and 0 files; 0 texts without a vector, 3 more could not be embedded.", output,
            StringComparison.Ordinal);
        await using var client = await EmbeddedGranaryClient.OpenAsync(Storage);
        await AssertVectorsAsync(client, 200, 13, 14, 150);
    }

    [Fact]
    public async Task The_server_says_how_long_its_vectors_are_and_what_it_could_not_embed()
    {
        _stub.Refused = "poison";
        using var server = await ServerProcess.StartAsync("mem:", Endpoint);
        // The importer's own embedder, the built-in one, has 100 dimensions; the server's has two.
        for (var round = 0; round < 2; round++)
        {
            var (code, output, errors) = await ServerProcess.RunAsync(
                "import", Lines(100, 7), "--collection", "c", "--url", server.Address.ToString());
            Assert.Equal("", errors);
            Assert.Equal(1, code);
            Assert.Contains("0 texts without a vector, 1 more could not be embedded.", output, StringComparison.Ordinal);
        }

        await using var client = new GranaryHttpClient(server.Address);
        var config = await client.GetCollectionAsync("c");
        Assert.Equal(2, Assert.Single(config.Schema.Dense).Size);
        Assert.Equal("m", Assert.Single(config.Embeddings).Model);
        await AssertVectorsAsync(client, 100, 7);
    }

    [Fact]
    public async Task A_server_without_an_embedder_is_told_with_the_option_that_asks_for_one()
    {
        using var server = await ServerProcess.StartAsync("mem:", "--embeddings", "none");
        var url = server.Address.ToString();
        var (code, _, errors) = await ServerProcess.RunAsync("import", Lines(1), "--collection", "c", "--url", url);
        Assert.Equal(1, code);
        Assert.StartsWith("granary: --embed server: the server does not say what vectors it would compute (No embedding model", errors,
            StringComparison.Ordinal);
        Assert.EndsWith("take --embed client or none, or make the collection `c` first" + Environment.NewLine, errors,
            StringComparison.Ordinal);
        (code, _, errors) = await ServerProcess.RunAsync(
            "import", Lines(1), "--collection", "c", "--url", url, "--embed", "client", "--embeddings", "none");
        Assert.Equal((1, $"granary: --embed client needs an embedder, and --embeddings is `none`{Environment.NewLine}"), (code, errors));
        (code, _, _) = await ServerProcess.RunAsync("import", Lines(1), "--collection", "c", "--url", url, "--embed", "client");
        Assert.Equal(0, code);
    }

    [Fact]
    public async Task An_endpoint_that_refuses_the_key_ends_the_import_with_its_reason()
    {
        var lines = Lines(1_000);
        _stub.Override = context =>
        {
            var good = _stub.Requests.Count == 1;
            context.Response.StatusCode = good ? 200 : 401;
            return context.Response.WriteAsync(good
                ? """{"data":[{"index":0,"embedding":[1,2]}]}""" : """{"error":{"message":"no such key"}}""");
        };
        var (code, output, errors) = await ServerProcess.RunAsync(
            ["import", lines, "--collection", "c", "--storage", Storage, "--embed", "client", .. Endpoint]);
        Assert.Equal(1, code);
        Assert.EndsWith($"answered 401: no such key{Environment.NewLine}", errors, StringComparison.Ordinal);
        Assert.DoesNotContain("Imported", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_imported_is_summed_up_also_when_waiting_for_it_fails()
    {
        await using var inner = await EmbeddedGranaryClient.OpenAsync("mem:");
        var client = new RefusingClient(inner) { WaitFails = new GranaryException(ErrorKind.Unavailable, "the server went away") };
        using var output = new StringWriter();
        var options = new ImportOptions { Paths = [Lines(5)], Collection = "c", Embed = EmbedSide.None };
        var error = await Assert.ThrowsAsync<GranaryException>(
            () => ImportCommand.RunAsync(client, options, null, output, TextWriter.Null, default));
        Assert.Equal("the server went away", error.Message);
        Assert.StartsWith("Imported 5 points from 1 files (5 records)", output.ToString(), StringComparison.Ordinal);
    }

    private string Storage => $"file:{_folder.Path}/data";

    /// <summary>A file of so many lines; those numbers, from 1, hold a poisonous text.</summary>
    private string Lines(int count, params int[] poisonous) => _folder.File("lines.jsonl", string.Concat(Enumerable.Range(1, count)
        .Select(i => $"{{\"id\":{i},\"text\":\"{(poisonous.Contains(i) ? "poison" : "music")} number {i}\"}}\n")));

    private static async Task AssertVectorsAsync(IGranaryClient client, int count, params int[] without)
    {
        var ids = Enumerable.Range(1, count).Select(static i => new PointId((ulong)i)).ToList();
        var points = await client.RetrieveAsync("c", ids, withVectors: true);
        Assert.Equal(without, points.Where(static p => p.Vector("dense") is null).Select(static p => (int)p.Id.Number));
        Assert.Equal(count, points.Count);
    }
}
