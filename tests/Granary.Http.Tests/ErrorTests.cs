namespace Granary.Http.Tests;

public sealed class ErrorTests(ApiServer server) : IClassFixture<ApiServer>
{
    [Theory]
    [InlineData("PUT", "/collections/e", "{", 400, "Format error in JSON body: ")]
    [InlineData("PUT", "/collections/e", "[]", 400, "Format error in JSON body: ")]
    [InlineData("PUT", "/collections/e", """{"vectors":{"size":0,"distance":"Dot"}}""", 422,
        "vectors.size: value 0 invalid, must be from 1 to 65536")]
    [InlineData("PUT", "/collections/e", """{"vectors":{"size":4,"distance":"Far"}}""", 400, "unknown variant `Far`")]
    [InlineData("PUT", "/collections/e", """{"vectors":{"size":4}}""", 400, "missing field `distance`")]
    [InlineData("PUT", "/collections/e", """{"hnsw_config":{"ef_construct":0}}""", 422,
        "hnsw_config.ef_construct: value 0 invalid, must be from 4")]
    [InlineData("PUT", "/collections/e", """{"shard_number":0}""", 422, "shard_number: value 0 invalid")]
    [InlineData("PUT", "/collections/e", """{"shard_number":-1}""", 400, "shard_number: invalid type")]
    [InlineData("PUT", "/collections/e?timeout=0", "{}", 422, "timeout: value 0 invalid, must be 1 or larger")]
    [InlineData("PUT", "/collections/a%2Fb", "{}", 422, "collection_name")]
    [InlineData("GET", "/collections/none", null, 404, "Not found: Collection `none` doesn't exist!")]
    [InlineData("POST", "/collections/none/points/query", "{}", 404, "Not found: Collection `none` doesn't exist!")]
    [InlineData("POST", "/collections/aliases", """{"actions":[{"create_alias":{"collection_name":"none","alias_name":"x"}}]}""", 404,
        "doesn't exist")]
    public async Task What_is_wrong_with_collections_is_said(string method, string path, string? body, int status, string text) =>
        await server.RefusedAsync(method, path, body, status, text);

    [Theory]
    [InlineData("PUT", "points", """{"points":[{"id":1,"vector":[1,2,3]}]}""", 400, "Vector dimension error: expected dim: 4, got 3")]
    [InlineData("PUT", "points", """{"points":[{"id":1,"vector":[]}]}""", 422, "dense vector must not be empty")]
    [InlineData("PUT", "points", """{"points":[{"id":1,"vector":[1,2,3,1e39]}]}""", 400, "out of range")]
    [InlineData("PUT", "points", """{"points":[{"id":1,"vector":[1,2,3,NaN]}]}""", 400, "Format error in JSON body")]
    [InlineData("PUT", "points", """{"points":[{"id":"x","vector":[1,2,3,4]}]}""", 400, "value x is not a valid point ID")]
    [InlineData("PUT", "points", """{"points":[{"id":-5,"vector":[1,2,3,4]}]}""", 400, "value -5 is not a valid point ID")]
    [InlineData("PUT", "points", """{"points":[{"id":1.5,"vector":[1,2,3,4]}]}""", 400, "value 1.5 is not a valid point ID")]
    [InlineData("PUT", "points", """{"points":[{"vector":[1,2,3,4]}]}""", 400, "missing field `id`")]
    [InlineData("PUT", "points", """{"points":[{"id":1,"id":2,"vector":[1,2,3,4]}]}""", 400, "duplicate field `id`")]
    [InlineData("PUT", "points", """{"points":[{"id":1,"vector":{"x":[1,2,3,4]}}]}""", 400, "Not existing vector name error: x")]
    [InlineData("PUT", "points", """{"points":[{"id":1,"vector":{"s":{"indices":[1,1],"values":[1,2]}}}]}""", 422,
        "indices: Validation error: must be unique")]
    [InlineData("PUT", "points", """{"points":[{"id":1,"vector":{"s":{"indices":[1],"values":[1,2]}}}]}""", 422,
        "must be the same length as indices")]
    [InlineData("PUT", "points", """{"points":[{"id":1,"vector":[1,2,3,4],"payload":[]}]}""", 400, "expected a map")]
    [InlineData("PUT", "points", """{"batch":{"ids":[1,2],"vectors":[[1,2,3,4]]}}""", 422,
        "number of ids and vectors must be equal (2 != 1)")]
    [InlineData("PUT", "points", "{}", 400, "Invalid PointInsertOperations format")]
    [InlineData("PUT", "points?ordering=tidy", """{"points":[]}""", 400, "unknown variant `tidy`")]
    [InlineData("PUT", "points?wait=maybe", """{"points":[]}""", 400, "provided string was not `true` or `false`")]
    [InlineData("GET", "points/77", null, 404, "Not found: Point with id 77 does not exists!")]
    [InlineData("GET", "points/seven", null, 400, "Can not recognize \"seven\" as point id")]
    [InlineData("POST", "points/delete", "{}", 400, "PointsSelector")]
    [InlineData("POST", "points/payload", """{"payload":{"a":1}}""", 400, "Either list of point ids or filter must be provided")]
    [InlineData("POST", "points/vectors/delete", """{"points":[1],"vector":[]}""", 422, "vector")]
    [InlineData("POST", "points/query", """{"query":[1,2,3,4],"limit":0}""", 422, "limit: value 0 invalid, must be 1 or larger")]
    [InlineData("POST", "points/query", """{"query":[1,2,3]}""", 400, "Vector dimension error: expected dim: 4, got 3")]
    [InlineData("POST", "points/query", """{"query":{"what":1}}""", 400, "Expected some form of vector, id, or a type of query")]
    [InlineData("POST", "points/query", """{"query":[1,2,3,4],"params":{"hnsw_ef":0}}""", 422, "hnsw_ef")]
    [InlineData("POST", "points/query", """{"query":[1,2,3,4],"using":"none"}""", 400, "Not existing vector name error: none")]
    [InlineData("POST", "points/query", """{"query":[1,2,3,4],"filter":{"must":[{"key":"a"}]}}""", 422,
        "must be specified for the key 'a'")]
    [InlineData("POST", "points/query", """{"query":[1,2,3,4],"filter":{"must":5}}""", 400, "Format error in JSON body")]
    [InlineData("POST", "points/query?consistency=some", """{"query":[1,2,3,4]}""", 400, "consistency")]
    [InlineData("POST", "points/query", """{"prefetch":[{"query":[1,2,3,4]}]}""", 400,
        "Bad request: A query is needed to merge the prefetches")]
    [InlineData("POST", "points", """{"ids":[1],"with_vector":["none"]}""", 400, "Not existing vector name error: none")]
    [InlineData("POST", "points/scroll", """{"limit":0}""", 422, "limit: value 0 invalid, must be 1 or larger")]
    [InlineData("PUT", "index", """{"field_name":"a","field_schema":"colour"}""", 400, "unknown variant `colour`")]
    [InlineData("PUT", "vectors/s", """{"sparse":{}}""", 409, "already exists")]
    [InlineData("DELETE", "vectors/none", null, 400, "Not existing vector name error: none")]
    public async Task What_is_wrong_with_points_is_said(string method, string path, string? body, int status, string text)
    {
        var name = $"errors_{Guid.NewGuid():N}";
        await server.CreateSampleAsync(name);
        await server.RefusedAsync(method, $"/collections/{name}/{path}", body, status, text);
        Assert.Equal(4, (await server.OkAsync("POST", $"/collections/{name}/points/count", "{}")).GetProperty("count").GetInt32());
    }

    [Fact]
    public async Task Names_that_are_too_long_or_cannot_be_are_said_so_once()
    {
        foreach (var (section, settings) in new[] { ("vectors", """{"size":2,"distance":"Dot"}"""), ("sparse_vectors", "{}"),
            ("text", """{"path":"a"}""") })
        {
            var answer = await server.SendAsync("PUT", "/collections/names",
                $$$"""{"{{{section}}}":{"{{{new string('n', 201)}}}":{{{settings}}}}}""");
            Assert.Equal(422, answer.Status);
            Assert.Equal("Validation error in JSON body: [vectors: vector name must be at most 200 bytes long]",
                answer.Json.GetProperty("status").GetProperty("error").GetString());
        }

        await server.CreateSampleAsync("names_of");
        var alias = await server.SendAsync("POST", "/collections/aliases",
            """{"actions":[{"create_alias":{"collection_name":"names_of","alias_name":"a/b"}}]}""");
        Assert.Equal(422, alias.Status);
        Assert.Equal(1, alias.Text.Split("Validation error").Length - 1);
    }

    [Theory]
    [InlineData("""{"weighted_sum":{"weights":[1e39,1]}}""")]
    [InlineData("""{"rrf":{"weights":[1,-1e39]}}""")]
    [InlineData("""{"convex":{"weights":[1,1e39]}}""")]
    public async Task Weights_must_be_finite(string query)
    {
        var name = $"weights_{Guid.NewGuid():N}";
        await server.CreateSampleAsync(name);
        await server.RefusedAsync("POST", $"/collections/{name}/points/query",
            $$"""{"prefetch":[{"query":[1,0,0,0]},{"query":[0,1,0,0]}],"query":{{query}} }""", 400, "expected f32");
    }

    [Fact]
    public async Task One_bad_point_refuses_the_whole_batch()
    {
        await server.CreateSampleAsync("whole");
        await server.RefusedAsync("PUT", "/collections/whole/points?wait=true",
            """{"points":[{"id":8,"vector":[1,2,3,4]},{"id":9,"vector":[1]}]}""", 400, "expected dim: 4, got 1");
        Assert.Equal(404, (await server.SendAsync("GET", "/collections/whole/points/8")).Status);
    }

    [Fact]
    public async Task Invalid_UTF8_is_refused()
    {
        using var body = new ByteArrayContent([.. "{\"vectors\":\""u8, 0xC3, 0x28, .. "\"}"u8]);
        using var response = await server.Client.PutAsync("/collections/utf8", body);
        Assert.Equal(400, (int)response.StatusCode);
        Assert.Contains("invalid unicode", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deep_nesting_is_refused()
    {
        await server.CreateSampleAsync("deep");
        var deep = string.Concat(Enumerable.Repeat("{\"a\":", 200)) + "1" + new string('}', 200);
        await server.RefusedAsync("PUT", "/collections/deep/points", $$"""{"points":[{"id":1,"vector":[1,2,3,4],"payload":{{deep}}}]}""",
            400, "recursion limit");
        await server.RefusedAsync("POST", "/collections/deep/points/scroll", $$"""{"filter":{{deep}}}""", 400, "Format error in JSON body");
    }

    [Fact]
    public async Task Unknown_paths_and_methods_are_told_apart()
    {
        Assert.Equal(404, (await server.SendAsync("GET", "/nothing/here")).Status);
        Assert.Equal(405, (await server.SendAsync("PATCH", "/collections")).Status);
    }
}
