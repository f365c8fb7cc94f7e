using System.Text;
using Granary.Index.Filters;

namespace Granary.Index.Tests.Filters;

public sealed class FilterJsonTests
{
    [Theory]
    [InlineData("""{"wrong":1}""", "unknown field `wrong`, expected one of `should`, `min_should`, `must`, `must_not`")]
    [InlineData("""{"must":[{"key":42,"match":{"value":1}}]}""", "Filter condition 'key' must be a string")]
    [InlineData("""{"must":[{"key":"a b","match":{"value":1}}]}""", "Invalid json path: 'a b'")]
    [InlineData("""{"must":[{"key":"a","match":{"value":1.5}}]}""", "MatchInterface")]
    [InlineData("""{"must":[{"key":"a","match":{"any":[1,"a"]}}]}""", "Mixed types")]
    [InlineData("""{"must":[{"key":"a","range":{"gte":"2014-01-01T00:00:00BAD"}}]}""", "'2014-01-01T00:00:00BAD' does not match accepted "
        + "datetime format (RFC3339)")]
    [InlineData("""{"must":[{"key":"a","geo_radius":{"center":{"lon":200,"lat":0},"radius":1}}]}""", "within [-180;180]")]
    [InlineData("""{"must":[{"key":"a","geo_polygon":{"exterior":{"points":[]}}}]}""", "the size must be at least 4, got 0")]
    [InlineData("""{"must":[{"has_id":[-1]}]}""", "is not a valid point ID")]
    [InlineData("""{"must":[{"other":1}]}""", "Expected some form of condition")]
    [InlineData("""{"must":[{"nested":{"key":"a"}}]}""", "missing field `filter`")]
    [InlineData("""{"must":7}""", "invalid value: 7")]
    [InlineData("""{"must":""", "not valid JSON")]
    public void What_is_no_filter_is_refused_with_the_reason(string json, string reason)
    {
        var error = Assert.Throws<GranaryException>(() => FilterJson.Parse(Encoding.UTF8.GetBytes(json)));
        Assert.Equal(ErrorKind.BadInput, error.Kind);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"must":[{"key":"a"}]}""")]
    [InlineData("""{"min_should":{"conditions":[],"min_count":0}}""")]
    [InlineData("""{"must":[{"slice":{"total":4,"index":4}}]}""")]
    public void Values_outside_their_limits_fail_validation(string json) =>
        Assert.Equal(ErrorKind.Validation, Assert.Throws<GranaryException>(() => FilterJson.Parse(Encoding.UTF8.GetBytes(json))).Kind);

    [Fact]
    public void Depth_is_limited_and_the_limit_is_named()
    {
        static byte[] Deep(int depth) => Encoding.UTF8.GetBytes(
            string.Concat(Enumerable.Repeat("{\"must\":[{\"nested\":{\"key\":\"a\",\"filter\":", depth - 1)) + "{}"
                + string.Concat(Enumerable.Repeat("}}]}", depth - 1)));
        var filter = FilterJson.Parse(Deep(FilterJson.MaxDepth));
        Assert.Equal(Deep(FilterJson.MaxDepth), FilterJson.ToUtf8(filter));
        Assert.Contains("64", Assert.Throws<GranaryException>(() => FilterJson.Parse(Deep(FilterJson.MaxDepth + 1))).Message,
            StringComparison.Ordinal);
        Assert.Contains("64", Assert.Throws<GranaryException>(() => FilterJson.Parse(Deep(1000))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"must":[{"key":"a","geo_polygon":{"exterior":{"points":[{"lon":0,"lat":0},{"lon":1,"lat":0},{"lon":1,"lat":1},"""
        + """{"lon":0,"lat":0}]}}}]}""")]
    [InlineData("""{"should":[{"key":"a.b[]","range":{"gte":"2014-01-01T00:00:00Z"}}]}""")]
    [InlineData("""{"must_not":[{"has_id":[1,"9f1c2d3e-0000-4000-8000-00000000000a"]},{"has_vector":"v"},{"slice":{"total":8,"index":3}}"""
        + """]}""")]
    [InlineData("""{"min_should":{"conditions":[{"key":"a","values_count":{"gt":1}},{"is_null":{"key":"b"}}],"min_count":2}}""")]
    public void A_canonical_filter_is_written_as_it_was_read(string json) =>
        Assert.Equal(json, Encoding.UTF8.GetString(FilterJson.ToUtf8(FilterJson.Parse(Encoding.UTF8.GetBytes(json)))));
}
