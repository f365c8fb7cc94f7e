using System.Text.Json;

namespace Granary.Http.Tests;

/// <summary>Every family of endpoints, once through.</summary>
public sealed class EndpointTests(ApiServer server) : IClassFixture<ApiServer>
{
    [Fact]
    public async Task A_collection_is_shown_with_what_was_declared_and_with_defaults()
    {
        await server.OkAsync("PUT", "/collections/declared", """
            {"vectors":{"a":{"size":3,"distance":"Cosine","on_disk":false,"hnsw_config":{"m":20}}},
            "sparse_vectors":{"s":{"modifier":"idf"}},
             "shard_number":2,"hnsw_config":{"m":10},"optimizers_config":{"indexing_threshold":77},"metadata":{"owner":"tests"},
             "text":{"t":{"path":"body","k1":1.5}},"indexing":{"mode":"synchronous"}}
            """);
        var config = (await server.OkAsync("GET", "/collections/declared")).GetProperty("config");
        Assert.Equal(20, config.GetProperty("params").GetProperty("vectors").GetProperty("a").GetProperty("hnsw_config").GetProperty(
            "m").GetInt32());
        Assert.Equal(2, config.GetProperty("params").GetProperty("shard_number").GetInt32());
        Assert.Equal("idf", config.GetProperty("params").GetProperty("sparse_vectors").GetProperty("s").GetProperty(
            "modifier").GetString());
        Assert.Equal(10, config.GetProperty("hnsw_config").GetProperty("m").GetInt32());
        Assert.Equal(100, config.GetProperty("hnsw_config").GetProperty("ef_construct").GetInt32());
        Assert.Equal(77, config.GetProperty("optimizer_config").GetProperty("indexing_threshold").GetInt32());
        Assert.Equal("tests", config.GetProperty("metadata").GetProperty("owner").GetString());
        Assert.Equal(1.5, config.GetProperty("text").GetProperty("t").GetProperty("k1").GetDouble());
        Assert.Equal("synchronous", config.GetProperty("indexing").GetProperty("mode").GetString());
        await server.OkAsync("PATCH", "/collections/declared", """
            {"metadata":{"owner":null,"x":1},"hnsw_config":{"ef_construct":50},"vectors":{"a":{"on_disk":true}}}
            """);
        config = (await server.OkAsync("GET", "/collections/declared")).GetProperty("config");
        Assert.True(config.GetProperty("params").GetProperty("vectors").GetProperty("a").GetProperty("on_disk").GetBoolean());
        Assert.Equal("""{"x":1}""", config.GetProperty("metadata").GetRawText());
        Assert.Equal(50, config.GetProperty("hnsw_config").GetProperty("ef_construct").GetInt32());
    }

    [Fact]
    public async Task A_text_field_is_queried_by_its_name()
    {
        await server.OkAsync("PUT", "/collections/texts", """{"vectors":{"size":2,"distance":"Dot"},"text":{"body":{"path":"body"}}}""");
        await server.OkAsync("PUT", "/collections/texts/points?wait=true", """
            {"points":[{"id":1,"payload":{"body":"the quick brown fox"}},{"id":2,"vector":[1,0],"payload":{"body":"a slow green turtle"}}]}
            """);
        var hits = (await server.OkAsync("POST", "/collections/texts/points/query",
            """{"query":{"text":"foxes","model":""},"using":"body"}""".Replace(",\"model\":\"\"", "",
                StringComparison.Ordinal))).GetProperty("points");
        Assert.Equal(1, Assert.Single(hits.EnumerateArray()).GetProperty("id").GetInt32());
        var both = await server.OkAsync("POST", "/collections/texts/points/query", """
            {"prefetch":[{"query":{"text":"turtle"},"using":"body"},{"query":[1,0]}],"query":{"rrf":{"k":60}},
             "explain":true,"with_payload":["body"]}
            """);
        var first = both.GetProperty("points")[0];
        Assert.Equal(2, first.GetProperty("id").GetInt32());
        Assert.Equal(0, first.GetProperty("legs")[0].GetProperty("rank").GetInt32());
        foreach (var fusion in new[] { """{"fusion":"convex"}""", """{"convex":{}}""", """{"convex":{"weights":[2,1],"feedback":0}}""" })
        {
            var fused = await server.OkAsync("POST", "/collections/texts/points/query",
                $$"""{"prefetch":[{"query":{"text":"turtle"},"using":"body"},{"query":[1,0]}],"query":{{fusion}} }""");
            Assert.Equal(2, fused.GetProperty("points")[0].GetProperty("id").GetInt32());
            Assert.Equal(1f, fused.GetProperty("points")[0].GetProperty("score").GetSingle());
        }

        await server.RefusedAsync("POST", "/collections/texts/points/query",
            """{"prefetch":[{"query":[1,0]}],"query":{"convex":{"feedback":17}}}""", 422, "feedback");
    }

    [Fact]
    public async Task Our_own_calls_wait_rebuild_and_tell()
    {
        await server.CreateSampleAsync("own");
        Assert.True((await server.OkAsync("POST", "/collections/own/wait?timeout=60")).GetBoolean());
        Assert.True((await server.OkAsync("POST", "/collections/own/rebuild")).GetBoolean());
        var status = await server.OkAsync("GET", "/collections/own/status");
        Assert.Equal(4, status.GetProperty("points").GetInt64());
        Assert.Equal(0, status.GetProperty("partitions")[0].GetProperty("failed").GetInt64());
        Assert.Equal(JsonValueKind.Object,
            (await server.OkAsync("GET", "/collections/own/optimizations")).GetProperty("summary").ValueKind);
    }

    [Fact]
    public async Task Strict_mode_limits_requests()
    {
        await server.CreateSampleAsync("strict");
        await server.OkAsync("PATCH", "/collections/strict",
            """{"strict_mode_config":{"enabled":true,"max_query_limit":3,"unindexed_filtering_retrieve":false,"upsert_max_batchsize":1}"""
                + """}""");
        await server.RefusedAsync("POST", "/collections/strict/points/query", """{"query":[1,0,0,0],"limit":4}""", 400,
            "Limit exceeded 4 > 3 for \"limit\"");
        const string Filter = """{"filter":{"must":[{"key":"city","match":{"value":"Berlin"}}]},"limit":3}""";
        await server.RefusedAsync("POST", "/collections/strict/points/scroll", Filter, 400,
            "Index required but not found for \"city\" of one of the following types: [keyword, uuid]");
        await server.OkAsync("PUT", "/collections/strict/index?wait=true", """{"field_name":"city","field_schema":"keyword"}""");
        Assert.Equal(2, (await server.OkAsync("POST", "/collections/strict/points/scroll", Filter)).GetProperty("points").GetArrayLength());
        await server.RefusedAsync("PUT", "/collections/strict/points", """{"points":[{"id":5},{"id":6}]}""", 400,
            "Limit exceeded 2 > 1 for \"upsert limit\"");
    }

    [Fact]
    public async Task Update_mode_and_filter_decide_which_points_change()
    {
        await server.CreateSampleAsync("modes");
        await server.OkAsync("PUT", "/collections/modes/points?wait=true",
            """{"update_mode":"insert_only","points":[{"id":1,"vector":[9,9,9,9]},{"id":7,"vector":[7,7,7,7]}]}""");
        await server.OkAsync("PUT", "/collections/modes/points?wait=true",
            """{"points":[{"id":2,"vector":[8,8,8,8]},{"id":8,"vector":[8,8,8,8]}],"update_mode":"update_only"}""");
        await server.OkAsync("PUT", "/collections/modes/points?wait=true", """
            {"points":[{"id":3,"vector":[6,6,6,6]}],"update_filter":{"must":[{"key":"city","match":{"value":"Nowhere"}}]}}
            """);
        var points = await server.OkAsync("POST", "/collections/modes/points", """{"ids":[1,2,3,7,8],"with_vector":true}""");
        Assert.Equal([(1, 1f), (2, 8f), (3, 0f), (7, 7f)],
            points.EnumerateArray().Select(static p => (p.GetProperty("id").GetInt32(), p.GetProperty("vector")[0].GetSingle())));
    }

    [Fact]
    public async Task A_named_vector_is_added_and_dropped()
    {
        await server.CreateSampleAsync("named");
        await server.OkAsync("PUT", "/collections/named/vectors/more?wait=true", """{"dense":{"size":2,"distance":"Cosine"}}""");
        await server.OkAsync("PUT", "/collections/named/points/vectors?wait=true", """{"points":[{"id":1,"vector":{"more":[3,4]}}]}""");
        var vector = (await server.OkAsync("GET", "/collections/named/points/1")).GetProperty("vector");
        Assert.Equal(0.6f, vector.GetProperty("more")[0].GetSingle(), 1e-6f);
        await server.OkAsync("DELETE", "/collections/named/vectors/more?wait=true");
        Assert.Equal(JsonValueKind.Array, (await server.OkAsync("GET", "/collections/named/points/1")).GetProperty("vector").ValueKind);
    }

    [Fact]
    public async Task Distances_between_sampled_points_are_told()
    {
        await server.CreateSampleAsync("matrix");
        var pairs = (await server.OkAsync("POST", "/collections/matrix/points/search/matrix/pairs", """{"limit":1}""")).GetProperty(
            "pairs");
        Assert.Equal(4, pairs.GetArrayLength());
        var offsets = await server.OkAsync("POST", "/collections/matrix/points/search/matrix/offsets", """{"limit":1}""");
        Assert.Equal(4, offsets.GetProperty("ids").GetArrayLength());
        Assert.Equal([0, 1, 2, 3], offsets.GetProperty("offsets_row").EnumerateArray().Select(static o => o.GetInt32()));
    }

    [Fact]
    public async Task Snapshots_are_listed_as_none_and_not_made()
    {
        await server.CreateSampleAsync("snapshots");
        Assert.Equal(0, (await server.OkAsync("GET", "/collections/snapshots/snapshots")).GetArrayLength());
        await server.RefusedAsync("POST", "/collections/snapshots/snapshots", null, 501, "not supported");
    }
}
