using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Granary.Http.Hosting;
using Granary.Http.Json;

namespace Granary.Http.Tests.Json;

public sealed class JsonCursorTests
{
    [Theory]
    [InlineData("""{"a":1,"b":[true,null,{"c":"d"}]}""")]
    [InlineData("""{ "a" : "\u00e4\ud83d\ude00\n\"" }""")]
    [InlineData("""{}""")]
    [InlineData("""{"a":-0.5e-7}""")]
    public void A_payload_is_taken_as_it_stands(string json) => Assert.Equal(json, Payload(json));

    [Fact]
    public void Null_is_no_payload() => Assert.Equal("", Payload("null"));

    [Theory]
    [InlineData("""{"a":1,"a":2}""", """{"a":2}""")]
    [InlineData("""{"b":{"x":1,"y":2,"x":3}}""", """{"b":{"x":3,"y":2}}""")]
    [InlineData("""{"\u0061":1,"a":2}""", """{"a":2}""")]
    public void Of_a_key_named_twice_the_last_one_counts(string json, string expected) =>
        Assert.True(JsonElement.DeepEquals(JsonElement.Parse(expected), JsonElement.Parse(Payload(json))));

    [Theory]
    [InlineData("[]", "expected a map")]
    [InlineData("1", "expected a map")]
    [InlineData("{", "EOF")]
    [InlineData("""{"a"}""", "expected `:`")]
    [InlineData("""{"a":1,}""", "trailing comma")]
    [InlineData("""{"a":01}""", "invalid number")]
    [InlineData("""{"a":1e999}""", "number out of range")]
    [InlineData("""{"a":"\ud800"}""", "surrogate")]
    [InlineData("""{"a":"\udc00\ud800"}""", "surrogate")]
    [InlineData("""{"a":"\x"}""", "invalid escape")]
    [InlineData("{\"a\":\"\u0001\"}", "control character")]
    [InlineData("""{"a":"b}""", "EOF while parsing a string")]
    [InlineData("""{"a":nul}""", "expected ident")]
    [InlineData("""{"a":1 "b":2}""", "expected `,` or `}`")]
    public void What_is_no_JSON_object_is_refused_with_its_place(string json, string expected)
    {
        var error = Assert.Throws<ApiException>(() => Payload(json));
        Assert.Equal(400, error.Status);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Contains("at line 1 column", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Depth_is_limited()
    {
        Assert.NotEmpty(Payload(Nested(JsonCursor.MaxDepth)));
        Assert.Contains("recursion limit", Assert.Throws<ApiException>(() => Payload(Nested(JsonCursor.MaxDepth + 1))).Message,
            StringComparison.Ordinal);
        static string Nested(int depth) => string.Concat(Enumerable.Repeat("{\"a\":", depth - 1)) + "{}" + new string('}', depth - 1);
    }

    [Fact]
    public void The_reader_agrees_with_the_runtime_on_what_is_JSON() =>
        Prop.ForAll(Gen.ArrayOf(Gen.Elements("{}[]\",:\\ue1aZ0-.\n ntrfalse\u00e4".ToCharArray())).ToArbitrary(), static characters =>
        {
            var json = Encoding.UTF8.GetBytes("{\"k\":" + new string(characters) + "}");
            Assert.Equal(Accepted(() => JsonElement.Parse(json)), Accepted(() => Payload(Encoding.UTF8.GetString(json))));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(20_000));

    [Fact]
    public void Payloads_come_back_with_the_same_content() =>
        Prop.ForAll<Dictionary<NonNull<string>, int>, string>(static (members, text) =>
        {
            var json = JsonSerializer.Serialize(members.ToDictionary(static m => m.Key.Get, m => new { number = m.Value, text }));
            Assert.True(JsonElement.DeepEquals(JsonElement.Parse(json), JsonElement.Parse(Payload(json))));
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("[1,2,3]", 3)]
    [InlineData("[ 1 , 2 ]", 2)]
    [InlineData("[]", 0)]
    [InlineData("[1,2,3,4,5]", 5)]
    public void Floats_are_counted_to_the_end_of_their_array(string json, int expected)
    {
        var cursor = new JsonCursor(Encoding.UTF8.GetBytes(json));
        Assert.Equal(expected, cursor.ReadFloats(new byte[12]));
        cursor.End();
    }

    [Theory]
    [InlineData("[1,]")]
    [InlineData("[1 2]")]
    [InlineData("[1")]
    [InlineData("[NaN]")]
    [InlineData("[1e39]")]
    [InlineData("[\"1\"]")]
    [InlineData("[null]")]
    public void What_is_no_finite_number_is_refused_in_a_vector(string json) =>
        Assert.Throws<ApiException>(() => new JsonCursor(Encoding.UTF8.GetBytes(json)).ReadFloats(new byte[16]));

    private static string Payload(string json)
    {
        var cursor = new JsonCursor(Encoding.UTF8.GetBytes(json));
        cursor.ReadPayload(out var payload);
        var text = Encoding.UTF8.GetString(payload);
        cursor.End();
        return text;
    }

    private static bool Accepted(Action action)
    {
        try
        {
            action();
            return true;
        }
        catch (Exception e) when (e is ApiException or JsonException)
        {
            return false;
        }
    }
}
