using System.Text;
using Granary.Index.Filters;

namespace Granary.Index.Tests.Filters;

public sealed class ValueSemanticsTests
{
    [Theory]
    [InlineData("2020-03-01T00:00:00Z", "2020-03-01T00:00:00Z")]
    [InlineData("2020-03-01T00:00:00-09:00", "2020-03-01T09:00:00Z")]
    [InlineData("2020-03-01 00:00:00-0900", "2020-03-01T09:00:00Z")]
    [InlineData("2020-03-01 00:00:00-09", "2020-03-01T09:00:00Z")]
    [InlineData("2020-03-01T00:00:00.123456Z", "2020-03-01T00:00:00.123456Z")]
    [InlineData("2020-03-01T00:00:00.12", "2020-03-01T00:00:00.12Z")]
    [InlineData("2020-03-01 00:00", "2020-03-01T00:00:00Z")]
    [InlineData("2020-03-01", "2020-03-01T00:00:00Z")]
    [InlineData("1969-12-31T23:59:59.9999999Z", "1969-12-31T23:59:59.999999Z")]
    public void Instants_are_read_in_Qdrants_forms(string text, string expected)
    {
        Assert.True(Instant.TryParse(text, out DateTimeOffset instant));
        Assert.Equal(expected, Instant.Format(instant));
    }

    [Theory]
    [InlineData("2020-03-01T00:00:00BAD")]
    [InlineData("2020-02-30")]
    [InlineData("2020-03-01T25:00:00Z")]
    [InlineData("2020-03-01Z")]
    [InlineData("2020-3-1")]
    [InlineData("0001-01-01T00:00:00+01:00")]
    [InlineData("2020-03-01T00:00:00.Z")]
    [InlineData("")]
    public void What_is_no_instant_is_refused(string text) => Assert.False(Instant.TryParse(text, out DateTimeOffset _));

    [Fact]
    public void Slices_follow_the_published_hash()
    {
        Assert.Equal(0xe849_e8bb_6ffe_2567UL, SliceHash.Of(new PointId(0UL)));
        Assert.Equal(0x0fc2_553f_0761_9dd3UL, SliceHash.Of(new PointId(42UL)));
        Assert.All(Enumerable.Range(0, 100), static id =>
            Assert.Single(Enumerable.Range(0, 7), slice => SliceHash.Contains(new SliceCondition(slice, 7), new PointId((ulong)id))));
    }

    [Fact]
    public void Areas_leave_out_their_borders_and_holes_and_boxes_cross_the_antimeridian()
    {
        var box = new GeoBoundingBoxCondition("p", new GeoPoint(170, 10), new GeoPoint(-170, -10));
        Assert.True(GeoTests.Contains(box, 179, 0));
        Assert.True(GeoTests.Contains(box, -179, 0));
        Assert.False(GeoTests.Contains(box, 0, 0));
        Assert.False(GeoTests.Contains(box, 170, 0));
        var polygon = new GeoPolygonCondition("p", Square(0, 10), [Square(4, 6)]);
        Assert.True(GeoTests.Contains(polygon, 1, 1));
        Assert.True(GeoTests.Contains(polygon, 3.9, 5));
        Assert.False(GeoTests.Contains(polygon, 5, 5));
        Assert.False(GeoTests.Contains(polygon, 4, 5));
        Assert.False(GeoTests.Contains(polygon, 0, 5));
        Assert.False(GeoTests.Contains(polygon, 11, 5));

        static System.Collections.Immutable.ImmutableArray<GeoPoint> Square(double from, double to) =>
            [new(from, from), new(from, to), new(to, to), new(to, from), new(from, from)];
    }

    [Theory]
    [InlineData(13.4050, 52.5200, 2.3522, 48.8566, 877_464)]
    [InlineData(179.5, 0, -179.5, 0, 111_195)]
    public void Distances_are_haversine(double x1, double y1, double x2, double y2, double metres) =>
        Assert.Equal(metres, GeoTests.Distance(new GeoPoint(x1, y1), x2, y2), 2.0);

    [Theory]
    [InlineData("""{"must":{"key":"v","match":{"value":1}}}""", new ulong[] { 0, 4 })]
    [InlineData("""{"must":{"key":"v","match":{"value":"1"}}}""", new ulong[] { 2 })]
    [InlineData("""{"must":{"key":"v","match":{"except":[1]}}}""", new ulong[] { 1, 2, 3, 4, 7 })]
    [InlineData("""{"must":{"key":"v","range":{"gte":1,"lt":2}}}""", new ulong[] { 0, 1, 4 })]
    [InlineData("""{"must":{"is_empty":{"key":"v"}}}""", new ulong[] { 5, 6, 8 })]
    [InlineData("""{"must":{"key":"v","is_empty":false}}""", new ulong[] { 0, 1, 2, 3, 4, 7 })]
    [InlineData("""{"must":{"is_null":{"key":"v"}}}""", new ulong[] { 5 })]
    [InlineData("""{"must":{"key":"v","is_null":true}}""", new ulong[] { 5, 7 })]
    [InlineData("""{"must":{"key":"v","is_null":false}}""", new ulong[] { 0, 1, 2, 3, 4, 6, 8 })]
    [InlineData("""{"must":{"key":"v","values_count":{"lt":1}}}""", new ulong[] { 5, 6, 8 })]
    [InlineData("""{"must":{"key":"v","values_count":{"gte":2}}}""", new ulong[] { 4, 7 })]
    [InlineData("""{"must":{"key":"v","match":{"value":1},"range":{"gt":1}}}""", new ulong[] { 0, 4 })]
    [InlineData("""{"must":[{"has_id":[1,4,99]},{"must_not":{"key":"v","match":{"value":1}}}]}""", new ulong[] { 1 })]
    [InlineData("""{"must":{"has_vector":"even"}}""", new ulong[] { 0, 2, 4, 6, 8 })]
    [InlineData("""{"must":{"has_vector":"none"}}""", new ulong[0])]
    [InlineData("{}", new ulong[] { 0, 1, 2, 3, 4, 5, 6, 7, 8 })]
    public void Conditions_mean_what_they_mean_in_Qdrant(string filter, ulong[] expected)
    {
        using var points = new PointBench();
        string[] values = ["1", "1.0", "\"1\"", "true", "[1,\"a\"]", "null", "[]", "[null,{}]"];
        for (var i = 0; i < values.Length; i++)
            points.Put((ulong)i, $"{{\"v\":{values[i]}}}");
        points.Put(8, "{}");
        Assert.Equal(expected, points.Select(Encoding.UTF8.GetBytes(filter) is var json ? FilterJson.Parse(json) : null!));
        foreach (var type in Enum.GetValues<PayloadIndexType>())
        {
            points.Create(new PayloadIndexSchema("v", type));
            Assert.Equal(expected, points.Select(filter));
        }
    }

    [Fact]
    public void A_nested_filter_holds_of_one_element()
    {
        using var points = new PointBench();
        points.Put(0, """{"diet":[{"food":"meat","likes":false},{"food":"leaves","likes":true}]}""");
        points.Put(1, """{"diet":[{"food":"meat","likes":true}]}""");
        const string Filter = """
            {"must":{"nested":{"key":"diet","filter":{"must":[
                {"key":"food","match":{"value":"meat"}},{"key":"likes","match":{"value":true}}]}}}}
            """;
        Assert.Equal([1], points.Select(Filter));
        points.Create(new PayloadIndexSchema("diet[].food", PayloadIndexType.Keyword));
        Assert.Equal([1], points.Select(Filter));
        Assert.Equal([], points.Select("""{"must":{"nested":{"key":"diet","filter":{"must":{"has_id":[1]}}}}}"""));
    }
}
