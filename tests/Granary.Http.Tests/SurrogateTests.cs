namespace Granary.Http.Tests;

/// <summary>Half a surrogate pair, or a number no double can hold, is refused wherever it stands in a body.</summary>
public sealed class SurrogateTests(ApiServer server) : IClassFixture<ApiServer>
{
    [Theory]
    [InlineData("PUT", "/collections/half", """{"\ud800":1}""")]
    [InlineData("PUT", "/collections/half", """{"vectors":{"\ud800":{"size":4,"distance":"Dot"}}}""")]
    [InlineData("PUT", "/collections/half", """{"sparse_vectors":{"\udc00":{}}}""")]
    [InlineData("PUT", "/collections/half", """{"vectors":{"size":4,"distance":"Dot","datatype":"\ud800"}}""")]
    [InlineData("PUT", "/collections/half", """{"metadata":{"a":"\ud800"}}""")]
    [InlineData("PUT", "/collections/half", """{"text":{"\ud800":{"path":"a"}}}""")]
    [InlineData("PATCH", "/collections/whole", """{"vectors":{"\ud800":{}}}""")]
    [InlineData("PATCH", "/collections/whole", """{"sparse_vectors":{"\ud800":{}}}""")]
    [InlineData("POST", "/collections/aliases", """{"actions":[{"create_alias":{"collection_name":"\ud800","alias_name":"b"}}]}""")]
    [InlineData("PUT", "/collections/whole/points", """{"points":[{"id":1,"vector":{"\ud800":[1,2,3,4]}}]}""")]
    [InlineData("PUT", "/collections/whole/points", """{"points":[{"id":1,"vector":{"x":{"\ud800":1}}}]}""")]
    [InlineData("PUT", "/collections/whole/points", """{"points":[{"id":1,"vector":{"text":"\ud800","model":"qdrant/bm25"}}]}""")]
    [InlineData("PUT", "/collections/whole/points", """{"points":[],"update_filter":{"must":[{"key":"\ud800","is_null":true}]}}""")]
    [InlineData("POST", "/collections/whole/points/payload", """{"payload":{"\ud800":1},"points":[1]}""")]
    [InlineData("POST", "/collections/whole/points/payload", """{"payload":{"a":1},"points":[1],"key":"\ud800"}""")]
    [InlineData("POST", "/collections/whole/points/payload/delete", """{"keys":["\ud800"],"points":[1]}""")]
    [InlineData("POST", "/collections/whole/points/delete", """{"filter":{"\ud800":[]}}""")]
    [InlineData("POST", "/collections/whole/points/scroll", """{"order_by":{"key":"price","start_from":"\ud800"}}""")]
    [InlineData("POST", "/collections/whole/points/scroll", """{"with_payload":["\ud800"]}""")]
    [InlineData("POST", "/collections/whole/points/count", """{"filter":{"must":[{"key":"city","match":{"value":"\ud800"}}]}}""")]
    [InlineData("POST", "/collections/whole/points/query",
        """{"prefetch":{"query":[1,0,0,0]},"query":{"formula":"$score","defaults":{"\ud800":1}}}""")]
    [InlineData("POST", "/collections/whole/points/query", """{"query":{"\ud800":1}}""")]
    [InlineData("POST", "/collections/whole/points/query", """{"query":[1,0,0,0],"using":"\ud800"}""")]
    [InlineData("PUT", "/collections/whole/index",
        """{"field_name":"a","field_schema":{"type":"text","stopwords":{"languages":["\ud800"]}}}""")]
    [InlineData("PUT", "/collections/whole/index", """{"field_name":"a","field_schema":{"type":"text","stemmer":{"type":"\ud800"}}}""")]
    [InlineData("POST", "/collections/whole/facet", """{"key":"\ud800"}""")]
    public async Task Half_a_surrogate_pair_is_refused(string method, string path, string body)
    {
        await EnsureAsync();
        await server.RefusedAsync(method, path, body, 400, "lone surrogate in hex escape");
    }

    [Theory]
    [InlineData("PUT", "/collections/half", """{"metadata":{"a":1e999}}""")]
    [InlineData("POST", "/collections/whole/points/count", """{"filter":{"must":[{"key":"price","range":{"gt":-1e999}}]}}""")]
    public async Task A_number_beyond_all_doubles_is_refused(string method, string path, string body)
    {
        await EnsureAsync();
        await server.RefusedAsync(method, path, body, 400, "number out of range");
    }

    private async Task EnsureAsync()
    {
        if (!(await server.OkAsync("GET", "/collections/whole/exists")).GetProperty("exists").GetBoolean())
            await server.CreateSampleAsync("whole");
    }
}
