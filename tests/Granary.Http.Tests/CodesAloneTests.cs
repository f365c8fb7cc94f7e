using System.Globalization;
using System.Text.Json;
using Granary.Client;

namespace Granary.Http.Tests;

/// <summary><c>"storage": "int8"</c>, as docs/qdrant-compatibility.md describes it.</summary>
public sealed class CodesAloneTests : IAsyncLifetime
{
    private const int Size = 24;
    private const int Points = 300;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("granary-codes");
    private ApiServer _server = null!;

    public async Task InitializeAsync() => _server = await OpenAsync();

    public async Task DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData("Cosine")]
    [InlineData("Dot")]
    [InlineData("Euclid")]
    public async Task Codes_are_searched_and_decoded_codes_returned_after_a_restart_too(string distance)
    {
        var name = distance.ToLowerInvariant();
        var vectors = Vectors();
        await CreateAsync(name, distance);
        var config = await _server.OkAsync("GET", $"/collections/{name}/config");
        Assert.Contains("\"int8\"", config.GetRawText(), StringComparison.Ordinal);
        await UpsertAsync(name, vectors);
        Assert.True((await _server.OkAsync("POST", $"/collections/{name}/wait?timeout=60")).GetBoolean());

        var decoded = await VectorsAsync(name);
        for (var i = 0; i < vectors.Length; i++)
            AssertDecodes(vectors[i], decoded[i], distance == "Cosine");
        var scores = await ScoresAsync(name, vectors, exact: false);
        foreach (var (id, score) in await ScoresAsync(name, vectors, exact: true))
            Assert.Equal(score, scores[id]);
        if (distance != "Dot")
            Assert.Equal(7, distance == "Euclid" ? scores.MinBy(pair => pair.Value).Key : scores.MaxBy(pair => pair.Value).Key);

        await _server.DisposeAsync();
        _server = await OpenAsync();
        Assert.Equal(decoded, await VectorsAsync(name));
        Assert.Equal(scores, await ScoresAsync(name, vectors, exact: false));
    }

    [Fact]
    public async Task A_decoded_vector_written_again_gives_the_same_codes()
    {
        await CreateAsync("again", "Cosine");
        await UpsertAsync("again", Vectors());
        var decoded = await VectorsAsync("again");
        await UpsertAsync("again", decoded);
        Assert.Equal(decoded, await VectorsAsync("again"));
    }

    [Fact]
    public async Task A_storage_that_is_not_known_is_refused() => await _server.RefusedAsync(
        "PUT", "/collections/unknown", """{"vectors":{"size":4,"distance":"Dot","storage":"int4"}}""", 400, "storage");

    private static void AssertDecodes(float[] sent, float[] decoded, bool unit)
    {
        var norm = unit ? Math.Sqrt(sent.Sum(value => (double)value * value)) : 1;
        var step = sent.Max(Math.Abs) / norm / 127;
        var most = unit ? 0.75 : 0.5001;
        for (var i = 0; i < sent.Length; i++)
        {
            // Brought to unit length once more, a decoded vector moves by a little more than half a step.
            Assert.InRange(decoded[i], (sent[i] / norm) - (step * most), (sent[i] / norm) + (step * most));
        }

        if (unit)
            Assert.Equal(1, Math.Sqrt(decoded.Sum(value => (double)value * value)), 1e-5);
        Assert.NotEqual(sent, decoded);
    }

    private static float[][] Vectors()
    {
        var random = new Random(5);
        return [.. Enumerable.Range(0, Points).Select(_ =>
            Enumerable.Range(0, Size).Select(_ => (random.NextSingle() * 8) - 4).ToArray())];
    }

    private static string Text(float[] vector) =>
        "[" + string.Join(',', vector.Select(value => value.ToString("R", CultureInfo.InvariantCulture))) + "]";

    private async Task<ApiServer> OpenAsync()
    {
        var server = new ApiServer(new GranaryHttpOptions(), storage: async () =>
            await GranaryStorage.OpenAsync($"file:{_folder.FullName}"));
        await server.InitializeAsync();
        return server;
    }

    private async Task CreateAsync(string name, string distance) => await _server.OkAsync("PUT", $"/collections/{name}",
        $$"""{"vectors":{"size":{{Size}},"distance":"{{distance}}","storage":"int8"},"hnsw_config":{"full_scan_points":10} }""");

    private async Task UpsertAsync(string name, float[][] vectors)
    {
        var points = vectors.Select((vector, id) => $$"""{"id":{{id}},"vector":{{Text(vector)}} }""");
        var body = $$"""{"points":[{{string.Join(',', points)}}]}""";
        await _server.OkAsync("PUT", $"/collections/{name}/points?wait=true", body);
    }

    private async Task<float[][]> VectorsAsync(string name)
    {
        var page = await _server.OkAsync("POST", $"/collections/{name}/points/scroll", """{"limit":1000,"with_vector":true}""");
        return [.. page.GetProperty("points").EnumerateArray().OrderBy(point => point.GetProperty("id").GetInt32())
            .Select(point => point.GetProperty("vector").Deserialize<float[]>()!)];
    }

    private async Task<Dictionary<int, double>> ScoresAsync(string name, float[][] vectors, bool exact)
    {
        var exactly = exact ? "true" : "false";
        var body = $$"""{"query":{{Text(vectors[7])}},"params":{"hnsw_ef":400,"exact":{{exactly}} },"limit":5}""";
        var answer = await _server.OkAsync("POST", $"/collections/{name}/points/query", body);
        return answer.GetProperty("points").EnumerateArray().ToDictionary(
            point => point.GetProperty("id").GetInt32(), point => point.GetProperty("score").GetDouble());
    }
}
