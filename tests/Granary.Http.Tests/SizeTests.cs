using System.Text;

namespace Granary.Http.Tests;

/// <summary>Small requests may not ask for boundless work or memory.</summary>
public sealed class SizeTests(ApiServer server) : IClassFixture<ApiServer>
{
    [Fact]
    public async Task A_payload_for_many_points_is_refused_where_it_would_make_too_large_a_batch()
    {
        await server.CreateSampleAsync("copies");
        var payload = new string('x', 2 << 20);
        var ids = string.Join(',', Enumerable.Range(1, 140));
        await server.RefusedAsync("POST", "/collections/copies/points/payload?wait=true",
            $$"""{"payload":{"a":"{{payload}}"},"points":[{{ids}}]}""", 400, "the limit is 268435456 bytes");
        await server.RefusedAsync("POST", "/collections/copies/points/payload/delete?wait=true",
            $$"""{"keys":["{{payload}}"],"points":[{{ids}}]}""", 400, "the limit is 268435456 bytes");
        await server.OkAsync("POST", "/collections/copies/points/payload?wait=true",
            $$"""{"payload":{"a":"{{payload}}"},"points":[1,2,3]}""");
    }

    [Fact]
    public async Task Ids_asked_for_twice_are_answered_once()
    {
        await server.CreateSampleAsync("twice");
        var found = await server.OkAsync("POST", "/collections/twice/points", """{"ids":[2,1,2,2,1]}""");
        Assert.Equal([2, 1], found.EnumerateArray().Select(static p => p.GetProperty("id").GetInt32()));
    }

    [Theory]
    [InlineData("query", """{"limit":1}""")]
    [InlineData("search", """{"vector":[1,0,0,0],"limit":1}""")]
    public async Task Batches_of_queries_are_limited(string path, string query)
    {
        var name = "many_" + path;
        await server.CreateSampleAsync(name);
        await server.RefusedAsync("POST", $"/collections/{name}/points/{path}/batch", Searches(query, 10_001), 422,
            "searches: more than 10000 queries in a batch");
        Assert.Equal(20,
            (await server.OkAsync("POST", $"/collections/{name}/points/{path}/batch", Searches(query, 20))).GetArrayLength());
    }

    private static string Searches(string query, int count)
    {
        var body = new StringBuilder("{\"searches\":[");
        for (var i = 0; i < count; i++)
            body.Append(i == 0 ? "" : ",").Append(query);
        return body.Append("]}").ToString();
    }
}
