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
}
