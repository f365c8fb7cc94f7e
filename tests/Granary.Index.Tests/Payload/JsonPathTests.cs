using Granary.Index.Payload;

namespace Granary.Index.Tests.Payload;

public sealed class JsonPathTests
{
    [Theory]
    [InlineData(".a")]
    [InlineData("[]")]
    [InlineData("[3]")]
    public void RefusesMoreStepsThanAPayloadHasLevels(string step)
    {
        Assert.True(JsonPath.TryParse("a" + string.Concat(Enumerable.Repeat(step, 63)), out var longest));
        Assert.Equal(JsonPath.MaxSteps, longest.Items.Length);
        Assert.False(JsonPath.TryParse("a" + string.Concat(Enumerable.Repeat(step, 64)), out _));
        Assert.False(JsonPath.TryParse("a" + string.Concat(Enumerable.Repeat(step, 100_000)), out _));
    }

    [Theory]
    [InlineData("a", "a")]
    [InlineData("a.b", "a.b")]
    [InlineData("a[].b", "a[].b")]
    [InlineData("foo[1][50].bar-baz[].\"qux[.]quux\"", "foo[1][50].bar-baz[].\"qux[.]quux\"")]
    [InlineData("\"plain\"", "plain")]
    [InlineData("\"\"", "\"\"")]
    [InlineData("größe_1", "größe_1")]
    public void A_path_is_read_and_written(string text, string canonical) => Assert.Equal(canonical, JsonPath.Parse(text).ToString());

    [Theory]
    [InlineData("")]
    [InlineData(".a")]
    [InlineData("a.")]
    [InlineData("a b")]
    [InlineData("[0]")]
    [InlineData("a[-1]")]
    [InlineData("a[")]
    [InlineData("a[x]")]
    [InlineData("\"a")]
    [InlineData("a]")]
    [InlineData("\"a\"b")]
    public void What_is_no_path_is_refused_in_Qdrants_words(string text) =>
        Assert.Equal($"Invalid json path: '{text}'", Assert.Throws<GranaryException>(() => JsonPath.Parse(text)).Message);
}
