using System.Text;
using System.Text.Json;
using Granary.Index.Sparse;

namespace Granary.Index.Tests.Sparse;

public sealed class Bm25DocumentTests
{
    private const string Plain = """{"tokenizer":"whitespace","stemmer":{"type":"none"},"stopwords":{},"avg_len":5}""";

    [Theory]
    [InlineData("", 0u, 0u)]
    [InlineData("", 1u, 0x514E28B7u)]
    [InlineData("test", 0u, 0xBA6BD213u)]
    [InlineData("Hello, world!", 0u, 0xC0363E43u)]
    [InlineData("The quick brown fox jumps over the lazy dog", 0u, 0x2E4FF723u)]
    public void Hashes_are_those_published_for_murmur3(string text, uint seed, uint expected) =>
        Assert.Equal(expected, Murmur3.Hash(Encoding.UTF8.GetBytes(text), seed));

    [Fact]
    public void A_dimension_is_the_absolute_value_of_the_signed_hash() =>
        Assert.Equal((uint)-unchecked((int)0xBA6BD213u), Bm25Document.Dimension("test"));

    [Fact]
    public void A_documents_weight_follows_the_formula()
    {
        var vector = Create(Plain).EmbedDocument("the cat sat on the");
        Assert.Equal(4, vector.Indices.Length);
        Assert.Equal(1.375f, vector.Values[Array.IndexOf(vector.Indices, Bm25Document.Dimension("the"))], 1e-6f);
        Assert.Equal(vector.Indices.Order(), vector.Indices);
    }

    [Fact]
    public void A_query_weighs_each_distinct_token_one()
    {
        var vector = Create(Plain).EmbedQuery("foo bar foo baz bar");
        Assert.Equal(3, vector.Indices.Length);
        Assert.All(vector.Values, value => Assert.Equal(1f, value));
    }

    [Fact]
    public void The_defaults_stem_and_drop_stop_words()
    {
        Assert.Single(Bm25Document.Default.EmbedDocument("running run").Indices);
        Assert.Empty(Bm25Document.Default.EmbedDocument("I am you are he she it we they").Indices);
        Assert.Equal(2, Create("""{"stemmer":{"type":"none"},"stopwords":{}}""").EmbedDocument("running run").Indices.Length);
        Assert.Equal(2, Create("""{"language":"none"}""").EmbedDocument("the run").Indices.Length);
    }

    [Theory]
    [InlineData("""{"k":-1}""", "BM25 k1 must be finite and >= 0, got -1")]
    [InlineData("""{"b":1.5}""", "BM25 b must be finite and in [0.0, 1.0], got 1.5")]
    [InlineData("""{"avg_len":0}""", "BM25 avg_doc_len must be finite and > 0, got 0")]
    [InlineData("""{"k":"much"}""", "Invalid BM25 config: k: invalid type: string \"much\", expected f64")]
    public void Wrong_options_are_refused(string options, string message) =>
        Assert.Equal(message, Assert.Throws<GranaryException>(() => Create(options)).Message);

    [Theory]
    [InlineData("qdrant/bm25", true)]
    [InlineData("Qdrant/BM25", true)]
    [InlineData("BM25", true)]
    [InlineData("minilm", false)]
    public void The_models_name_is_not_case_sensitive(string model, bool known) => Assert.Equal(known, Bm25Document.IsModel(model));

    private static Bm25Document Create(string options)
    {
        using var document = JsonDocument.Parse(options);
        return Bm25Document.Create(document.RootElement);
    }
}
