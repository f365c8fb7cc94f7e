using Granary.Index.Filters;
using Granary.Index.Search;
using Granary.Index.Tests.Filters;
using Granary.Index.Text;

namespace Granary.Index.Tests.Payload;

public sealed class PayloadIndexesTests
{
    [Theory]
    [InlineData(PayloadIndexType.Integer, "[3,1]", "2", "\"x\"")]
    [InlineData(PayloadIndexType.Float, "[3.0,1]", "2", "null")]
    public void Slots_come_in_the_order_of_every_value(PayloadIndexType type, string first, string second, string third)
    {
        using var points = new PointBench();
        points.Put(0, $"{{\"v\":{first}}}");
        points.Create(new PayloadIndexSchema("v", type));
        points.Put(1, $"{{\"v\":{second}}}");
        points.Put(2, $"{{\"v\":{third}}}");
        points.Reload();
        Assert.True(points.Indexes.TryOrder("v", false, null, out var rising));
        Assert.Equal([0, 1, 0], rising.Select(static e => e.Slot));
        Assert.True(points.Indexes.TryOrder("v", true, new OrderValue(2.5, 0, false), out var falling));
        Assert.Equal([1, 0], falling.Select(static e => e.Slot));
        Assert.True(points.Indexes.TryOrder("v", false, new OrderValue(2, 2, true), out var from));
        Assert.Equal([1, 0], from.Select(static e => e.Slot));
    }

    [Fact]
    public void Instants_are_ordered_by_microseconds()
    {
        using var points = new PointBench();
        points.Create(new PayloadIndexSchema("t", PayloadIndexType.Datetime));
        points.Put(0, """{"t":"2020-01-01T00:00:00+01:00"}""");
        points.Put(1, """{"t":"2019-12-31T22:59:59.999999Z"}""");
        Assert.True(points.Indexes.TryOrder("t", false, null, out var entries));
        Assert.Equal([(1, 1577833199999999L), (0, 1577833200000000L)], entries.Select(static e => (e.Slot, e.Value.Integer)));
    }

    [Fact]
    public void Values_are_counted_for_facets()
    {
        using var points = new PointBench();
        foreach (var (path, type) in new[] { ("k", PayloadIndexType.Keyword), ("i", PayloadIndexType.Integer), ("b", PayloadIndexType.Bool),
            ("u", PayloadIndexType.Uuid) })
            points.Create(new PayloadIndexSchema(path, type));
        points.Put(0, """{"k":["x","y","x"],"i":5,"b":true,"u":"9f1c2d3e-0000-4000-8000-00000000000a"}""");
        points.Put(1, """{"k":"x","i":[5,6],"b":false,"u":"no"}""");
        points.Delete(9, true);
        Assert.Equal([(MatchValue.Of("x"), 2), (MatchValue.Of("y"), 1)], Facet("k"));
        Assert.Equal([(MatchValue.Of(5), 2), (MatchValue.Of(6), 1)], Facet("i"));
        Assert.Equal([(MatchValue.Of(false), 1), (MatchValue.Of(true), 1)], Facet("b"));
        Assert.Equal([(MatchValue.Of("9f1c2d3e-0000-4000-8000-00000000000a"), 1)], Facet("u"));
        Assert.Equal(1, points.Indexes.PointCounts["u"]);
        Assert.True(points.Indexes.Drop("u"));
        Assert.False(points.Indexes.TryFacet("u", out _));

        List<(MatchValue, int)> Facet(string path)
        {
            Assert.True(points.Indexes.TryFacet(path, out var entries));
            return [.. entries.Select(static e => (e.Value, e.Slots.Count())).OrderBy(static e => e.Value.Text, StringComparer.Ordinal)
                .ThenBy(static e => e.Value.Integer)];
        }
    }

    [Fact]
    public void Match_compares_tokens_with_and_without_a_text_index()
    {
        using var points = new PointBench();
        points.Put(0, """{"t":"The quick brown Fox"}""");
        points.Put(1, """{"t":["quick","brown"]}""");
        points.Put(2, """{"t":"brown quick"}""");
        Check();
        points.Create(new PayloadIndexSchema("t", PayloadIndexType.Text) { Phrase = true });
        Check();
        points.Reload();
        Check();

        void Check()
        {
            Assert.Equal([0, 2], points.Select("""{"must":{"key":"t","match":{"text":"QUICK brown"}}}"""));
            Assert.Equal([0], points.Select("""{"must":{"key":"t","match":{"phrase":"quick BROWN"}}}"""));
            Assert.Equal([0, 1, 2], points.Select("""{"must":{"key":"t","match":{"text_any":"quick cat"}}}"""));
            Assert.Equal([], points.Select("""{"must":{"key":"t","match":{"text":"qui"}}}"""));
            Assert.Equal([], points.Select("""{"must":{"key":"t","match":{"text":"  "}}}"""));
        }
    }

    [Fact]
    public void An_index_with_default_parameters_has_the_analyser_of_fields_without_an_index()
    {
        var parameters = System.Text.Json.JsonDocument.Parse("{}").RootElement;
        Assert.Equal(QdrantAnalyzer.IndexDefault.Settings, QdrantAnalyzer.ParseIndexParameters(parameters));
    }

    [Fact]
    public void A_text_index_with_an_analyser_of_its_own_decides_what_a_token_is()
    {
        using var points = new PointBench();
        points.Put(0, """{"t":"The quick-brown Fox"}""");
        const string Word = """{"must":{"key":"t","match":{"text":"quick"}}}""";
        Assert.Equal([0], points.Select(Word));
        points.Create(new PayloadIndexSchema("t", PayloadIndexType.Text)
        {
            Analyzer = new AnalyzerSettings { Tokenizer = "whitespace", Language = "none", Stem = false },
        });
        Assert.Equal([], points.Select(Word));
        Assert.Equal([0], points.Select("""{"must":{"key":"t","match":{"text":"QUICK-brown"}}}"""));
    }
}
