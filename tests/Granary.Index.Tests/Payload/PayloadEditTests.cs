using System.Text;
using Granary.Index.Payload;

namespace Granary.Index.Tests.Payload;

public sealed class PayloadEditTests
{
    private const string Nested = """{"a":1,"b":{"c":123,"e":{"f":[1,2,3],"g":7,"i":[{"j":1,"k":2},{"j":3,"k":4}]}}}""";

    [Theory]
    [InlineData("""{"a":1,"b":2}""", """{"b":3,"c":4}""", null, """{"a":1,"b":3,"c":4}""")]
    [InlineData("""{"a":1,"b":2}""", """{"b":null}""", null, """{"a":1}""")]
    [InlineData("", """{"b":1.0}""", null, """{"b":1.0}""")]
    [InlineData("""{"a":{"b":1}}""", """{"c":2}""", "a", """{"a":{"b":1,"c":2}}""")]
    [InlineData("""{"a":5}""", """{"c":2}""", "a.d.e", """{"a":{"d":{"e":{"c":2}}}}""")]
    [InlineData("""{"a":[{"x":1},{"x":2}]}""", """{"y":3}""", "a[]", """{"a":[{"x":1,"y":3},{"x":2,"y":3}]}""")]
    [InlineData("""{"a":[{"x":1},{"x":2}]}""", """{"y":3}""", "a[1]", """{"a":[{"x":1},{"x":2,"y":3}]}""")]
    [InlineData("""{"a":[{"x":1}]}""", """{"y":3}""", "a[7]", """{"a":[{"x":1}]}""")]
    [InlineData("""{"a":7}""", """{"y":3}""", "a[]", """{"a":[]}""")]
    public void Set_merges_members(string payload, string patch, string? key, string expected) =>
        Assert.Equal(expected, Text(PayloadEdit.Set(Utf8(payload), Utf8(patch), key is null ? null : JsonPath.Parse(key))));

    [Theory]
    [InlineData("a", """{"b":{"c":1,"d":[1,{"e":2,"f":3}]}}""")]
    [InlineData("b.d[].e", """{"a":0,"b":{"c":1,"d":[1,{"f":3}]}}""")]
    [InlineData("b.d[]", """{"a":0,"b":{"c":1,"d":[]}}""")]
    [InlineData("b.d[1]", """{"a":0,"b":{"c":1,"d":[1,{"e":2,"f":3}]}}""")]
    [InlineData("b.d[1].f", """{"a":0,"b":{"c":1,"d":[1,{"e":2}]}}""")]
    [InlineData("x.y", """{"a":0,"b":{"c":1,"d":[1,{"e":2,"f":3}]}}""")]
    public void Delete_removes_what_a_path_names_but_no_element_by_number(string key, string expected) =>
        Assert.Equal(expected, Text(PayloadEdit.Delete(Utf8("""{"a":0,"b":{"c":1,"d":[1,{"e":2,"f":3}]}}"""), [JsonPath.Parse(key)])));

    [Theory]
    [InlineData("a,b.e.f", """{"a":1,"b":{"e":{"f":[1,2,3]}}}""")]
    [InlineData("b.e.i[].j", """{"b":{"e":{"i":[{"j":1},{"j":3}]}}}""")]
    [InlineData("b.e.i.j", """{"b":{"e":{"i":[]}}}""")]
    [InlineData("b.e.i[0].j", """{"b":{"e":{"i":[]}}}""")]
    public void Projection_keeps_what_is_included(string paths, string expected) =>
        Assert.Equal(expected, Text(PayloadEdit.Project(Utf8(Nested), Paths(paths), [])));

    [Theory]
    [InlineData("a,b.e", """{"b":{"c":123}}""")]
    [InlineData("a,b.c,b.e.g,b.e.i[].k", """{"b":{"e":{"f":[1,2,3],"i":[{"j":1},{"j":3}]}}}""")]
    [InlineData("b.e.f[0]", Nested)]
    public void Projection_drops_what_is_excluded(string paths, string expected) =>
        Assert.Equal(expected, Text(PayloadEdit.Project(Utf8(Nested), [], Paths(paths))));

    [Fact]
    public void RefusesAPathAndAPatchThatAreTooDeepTogetherWhateverThePayload()
    {
        var key = JsonPath.Parse(string.Join('.', Enumerable.Repeat("a", 63)));
        Assert.NotEmpty(PayloadEdit.Set("{}"u8, "{\"b\":1}"u8, key));
        Assert.Equal(ErrorKind.BadInput, Assert.Throws<GranaryException>(() => PayloadEdit.Set("{}"u8, "{\"b\":[]}"u8, key)).Kind);
        var nowhere = JsonPath.Parse("a[0]" + string.Concat(Enumerable.Repeat(".b", 61)));
        Assert.Equal(ErrorKind.BadInput, Assert.Throws<GranaryException>(() => PayloadEdit.Set("{}"u8, "{\"b\":[]}"u8, nowhere)).Kind);
    }

    [Fact]
    public void AWildcardThatWouldMakeAPayloadOfGigabytesIsRefusedBeforeItIsBuilt()
    {
        var payload = Encoding.UTF8.GetBytes($$"""{"a":[{{string.Join(',', Enumerable.Repeat("{}", 300_000))}}],"b":[]}""");
        var patch = Encoding.UTF8.GetBytes($$"""{"text":"{{new string('x', 1000)}}"}""");
        var error = Assert.Throws<GranaryException>(() => PayloadEdit.Set(payload, patch, JsonPath.Parse("a[]")));
        Assert.Equal(ErrorKind.BadInput, error.Kind);
        Assert.EndsWith($"may become longer than {PayloadEdit.MaxBytes} by {patch.Length} bytes in 300000 places.", error.Message);
        // As many places as there are.
        Assert.Equal(payload.Length + patch.Length - 2, PayloadEdit.Set(payload, patch, JsonPath.Parse("a[7]")).Length);
        Assert.Equal(payload.Length, PayloadEdit.Set(payload, patch, JsonPath.Parse("b[]")).Length);
        Assert.Equal(payload.Length + patch.Length + 5, PayloadEdit.Set(payload, patch, JsonPath.Parse("c")).Length);
    }

    [Fact]
    public void Text_of_numbers_and_strings_is_kept_and_duplicate_keys_end_as_the_last()
    {
        const string Payload = """{ "big" : 123456789012345678901234567890 , "one" : 1.0, "e": 1E2, "s": "\u0041é\ud83d\ude00", "d": 1,"""
            + """ "d": [ {"x":1,"x":2} ] }""";
        Assert.Equal(
            """{"big":123456789012345678901234567890,"one":1.0,"e":1E2,"s":"\u0041é\ud83d\ude00","d":[{"x":2}]}""",
            Text(PayloadEdit.Normalize(Utf8(Payload))));
        Assert.Equal("""{"a":2}""", Text(PayloadEdit.Normalize(Utf8("""{"a":1,"\u0061":2}"""))));
    }

    [Theory]
    [InlineData("[1]")]
    [InlineData("{\"a\":}")]
    [InlineData("{\"a\":1e999}")]
    [InlineData("{\"a\":\"\\ud800\"}")]
    [InlineData("{} 1")]
    [InlineData("")]
    public void What_is_no_payload_is_refused(string json) =>
        Assert.Equal(ErrorKind.BadInput, Assert.Throws<GranaryException>(() => PayloadEdit.Normalize(Utf8(json))).Kind);

    [Fact]
    public void Depth_is_limited_when_read_and_when_merged()
    {
        static string Deep(int depth) => string.Concat(Enumerable.Repeat("{\"a\":", depth - 1)) + "{}" + new string('}', depth - 1);
        PayloadEdit.Normalize(Utf8(Deep(PayloadEdit.MaxDepth)));
        Assert.Contains("64", Assert.Throws<GranaryException>(() => PayloadEdit.Normalize(Utf8(Deep(PayloadEdit.MaxDepth + 1)))).Message,
            StringComparison.Ordinal);
        var error = Assert.Throws<GranaryException>(
            () => PayloadEdit.Set(Utf8("{}"), Utf8(Deep(PayloadEdit.MaxDepth)), JsonPath.Parse("k")));
        Assert.Contains("64", error.Message, StringComparison.Ordinal);
    }

    private static JsonPath[] Paths(string paths) => [.. paths.Split(',').Select(JsonPath.Parse)];

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    private static string Text(byte[] utf8) => Encoding.UTF8.GetString(utf8);
}
