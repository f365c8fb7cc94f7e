using System.Diagnostics;
using System.Globalization;
using Granary.Http.Hosting;

namespace Granary.Http.Tests;

public sealed class ApiStateTests
{
    private const string Query = "/collections/{collection_name}/points/query";
    private readonly ApiState _state = new(new GranaryHttpOptions());

    [Fact]
    public void Collections_counted_already_are_counted_on_when_there_is_room_for_no_more()
    {
        for (var i = 0; i < 10_500; i++)
            Count("POST", Query, 200, "c" + i.ToString(CultureInfo.InvariantCulture));
        Assert.Equal(10_000, _state.ByCollection.Count);
        Count("POST", Query, 200, "c0");
        Assert.Equal(2, _state.ByCollection[("POST", Query, 200, "c0")].Count);
        Assert.Equal(10_501, _state.Responses[("POST", Query, 200)].Count);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(429)]
    public void Names_made_up_by_callers_are_not_remembered(int status)
    {
        Count("POST", Query, status, "made up");
        Assert.Empty(_state.ByCollection);
        Assert.Equal(1, _state.Responses[("POST", Query, status)].Count);
    }

    [Fact]
    public void A_deleted_collection_is_forgotten()
    {
        Count("POST", Query, 200, "gone");
        Count("POST", Query, 200, "stays");
        Count("DELETE", "/collections/{collection_name}", 200, "gone");
        Assert.Equal("stays", Assert.Single(_state.ByCollection.Keys).Collection);
    }

    private void Count(string method, string endpoint, int status, string collection) =>
        _state.Count(method, endpoint, status, Stopwatch.GetTimestamp(), collection);
}
