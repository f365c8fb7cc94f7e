using Granary.Collections;
using Granary.Index;

namespace Granary.Http.Tests;

/// <summary>Collections made in the process, whose maker declared nothing, are shown and changed over HTTP like any other.</summary>
public sealed class UndeclaredCollectionTests(ApiServer server) : IClassFixture<ApiServer>
{
    [Theory]
    [InlineData("", """{"size":4,"distance":"Dot","hnsw_config":{"m":7}}""")]
    [InlineData("named", """{"named":{"size":4,"distance":"Dot","hnsw_config":{"m":7}}}""")]
    public async Task A_patch_of_a_vector_is_taken(string vector, string shown)
    {
        var name = await CreateAsync(vector);
        var change = $$"""{"{{vector}}":{"hnsw_config":{"m":7} } }""";
        await server.OkAsync("PATCH", $"/collections/{name}", $$"""{"vectors":{{change}} }""");
        Assert.Equal(7, (await server.Database.GetCollectionAsync(name)).Config.Schema.Dense[0].Hnsw.M);
        var parameters = (await server.OkAsync("GET", $"/collections/{name}")).GetProperty("config").GetProperty("params");
        Assert.Equal(shown, parameters.GetProperty("vectors").GetRawText());
        Assert.Equal("""{"terms":{"modifier":"idf"}}""", parameters.GetProperty("sparse_vectors").GetRawText());
    }

    [Fact]
    public async Task A_patch_of_a_sparse_vector_is_taken()
    {
        var name = await CreateAsync("");
        await server.OkAsync("PATCH", $"/collections/{name}", """{"sparse_vectors":{"terms":{"modifier":"none"}}}""");
        Assert.False((await server.Database.GetCollectionAsync(name)).Config.Schema.Sparse[0].Idf);
    }

    [Fact]
    public async Task Vectors_come_and_go()
    {
        var name = await CreateAsync("");
        await server.OkAsync("PUT", $"/collections/{name}/vectors/more?wait=true", """{"dense":{"size":2,"distance":"Cosine"}}""");
        Assert.Equal("""{"":{"size":4,"distance":"Dot"},"more":{"size":2,"distance":"Cosine"}}""", await VectorsAsync());
        await server.OkAsync("DELETE", $"/collections/{name}/vectors/more?wait=true");
        Assert.Equal("""{"":{"size":4,"distance":"Dot"}}""", await VectorsAsync());

        async Task<string> VectorsAsync()
        {
            var config = (await server.OkAsync("GET", $"/collections/{name}")).GetProperty("config");
            return config.GetProperty("params").GetProperty("vectors").GetRawText();
        }
    }

    [Fact]
    public async Task Queries_of_too_many_prefetches_are_refused_with_the_limit()
    {
        var name = await CreateAsync("");
        var prefetches = string.Join(',', Enumerable.Repeat("""{"query":[1,0,0,0]}""", 1_025));
        await server.RefusedAsync("POST", $"/collections/{name}/points/query",
            $$$"""{"prefetch":[{{{prefetches}}}],"query":{"fusion":"rrf"}}""", 422,
            "prefetch: 1025 prefetches invalid, a query may have at most 1024, nested ones included");
        var nested = """{"query":[1,0,0,0]}""";
        for (var depth = 1; depth < 70; depth++)
            nested = $$$"""{"prefetch":{{{nested}}},"query":[1,0,0,0]}""";
        await server.RefusedAsync("POST", $"/collections/{name}/points/query", nested, 400,
            "prefetches depth 65 exceeds max depth 64");
    }

    private async Task<string> CreateAsync(string vector)
    {
        var name = $"undeclared_{Guid.NewGuid():N}";
        await server.Database.CreateCollectionAsync(name, new CollectionConfig
        {
            Schema = new IndexSchema
            {
                Dense = [new DenseVectorSchema(vector, 4, Distance.Dot)],
                Sparse = [new SparseVectorSchema("terms", true)],
            },
        });
        return name;
    }
}
