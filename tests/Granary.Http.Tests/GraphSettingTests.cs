namespace Granary.Http.Tests;

/// <summary>What a request changes of the graphs, seen from within the process.</summary>
public sealed class GraphSettingTests(ApiServer server) : IClassFixture<ApiServer>
{
    [Fact]
    public async Task Changed_graph_settings_are_applied()
    {
        await server.OkAsync("PUT", "/collections/graphs", """
            {"vectors":{"a":{"size":2,"distance":"Dot"},"b":{"size":2,"distance":"Dot","hnsw_config":{"m":6}}},
             "optimizers_config":{"indexing_threshold":0},"hnsw_config":{"m":10}}
            """);
        Assert.Equal([(10, 200), (6, 200)], await GraphsAsync());
        await server.OkAsync("PUT", "/collections/graphs/points?wait=true",
            """{"points":[{"id":1,"vector":{"a":[1,2],"b":[1,2]}},{"id":2,"vector":{"a":[2,1],"b":[2,1]}}]}""");
        await server.OkAsync("PATCH", "/collections/graphs", """{"hnsw_config":{"m":20,"ef_construct":50}}""");
        Assert.Equal([(20, 50), (6, 50)], await GraphsAsync());
        await server.OkAsync("PATCH", "/collections/graphs", """{"vectors":{"b":{"hnsw_config":{"m":7}}}}""");
        Assert.Equal([(20, 50), (7, 50)], await GraphsAsync());
        await server.OkAsync("PATCH", "/collections/graphs", """{"optimizers_config":{"indexing_threshold":0}}""");
        await server.OkAsync("PUT", "/collections/graphs/vectors/c?wait=true", """{"dense":{"size":2,"distance":"Dot"}}""");
        Assert.Equal([(20, 50), (7, 50), (20, 50)], await GraphsAsync());
        Assert.True((await server.OkAsync("POST", "/collections/graphs/wait?timeout=60")).GetBoolean());
        var hits = await server.OkAsync("POST", "/collections/graphs/points/query", """{"query":[1,2],"using":"b","limit":1}""");
        Assert.Equal(1, hits.GetProperty("points")[0].GetProperty("id").GetInt32());

        Assert.Equal([false, false, false], await OnDiskAsync());
        await server.OkAsync("PATCH", "/collections/graphs", """{"vectors":{"b":{"on_disk":true}}}""");
        await server.OkAsync("PUT", "/collections/graphs/vectors/d?wait=true",
            """{"dense":{"size":2,"distance":"Dot","on_disk":true}}""");
        Assert.Equal([false, true, false, true], await OnDiskAsync());

        async Task<IEnumerable<bool>> OnDiskAsync() =>
            (await server.Database.GetCollectionAsync("graphs")).Config.Schema.Dense.Select(static v => v.OnDisk);

        async Task<IEnumerable<(int M, int EfConstruct)>> GraphsAsync() =>
            (await server.Database.GetCollectionAsync("graphs")).Config.Schema.Dense.Select(static v => (v.Hnsw.M, v.Hnsw.EfConstruct));
    }
}
