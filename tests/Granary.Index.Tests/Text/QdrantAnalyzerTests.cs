using System.Text.Json;
using Granary.Index.Text;

namespace Granary.Index.Tests.Text;

public sealed class QdrantAnalyzerTests
{
    [Theory]
    [InlineData("""{"tokenizer":"whitespace","lowercase":false}""", "hello World", "hello World")]
    [InlineData("""{"tokenizer":"word","lowercase":false}""", "hello, world! Привет, мир!", "hello world Привет мир")]
    [InlineData("""{"tokenizer":"word"}""", "hello, world! Привет, мир! it's foo_bar", "hello world привет мир it s foo bar")]
    [InlineData("""{"tokenizer":"prefix","min_token_len":1,"max_token_len":4}""", "hello, мир!", "h he hel hell м ми мир")]
    [InlineData("""{"tokenizer":"word","ascii_folding":true}""", "ação CAFÉ", "acao cafe")]
    [InlineData("""{"tokenizer":"word","ascii_folding":false}""", "ação", "ação")]
    [InlineData("""{"tokenizer":"word","stopwords":{"languages":["english"],"custom":["Hello"]}}""", "hello the world", "world")]
    [InlineData("""{"tokenizer":"word","stopwords":"en"}""", "this and that mouse", "mouse")]
    [InlineData("""{"tokenizer":"word","stemmer":{"type":"snowball","language":"english"}}""", "running the tests", "run the test")]
    [InlineData("""{"tokenizer":"word","min_token_len":3,"max_token_len":4}""", "ab abc abcd abcde", "abc abcd")]
    [InlineData("""{"tokenizer":"multilingual"}""", "What's being used within Qdrant's code", "what s being used within qdrant s code")]
    public void Documents_are_tokenised_as_by_qdrant(string parameters, string text, string expected)
    {
        ITextAnalyzer analyzer = QdrantAnalyzer.Create(Parse(parameters));
        var terms = new List<string>();
        analyzer.Analyze(text, terms);
        Assert.Equal(expected, string.Join(' ', terms));
    }

    [Theory]
    [InlineData("""{"tokenizer":"prefix"}""", 255, 1)]
    [InlineData("""{"tokenizer":"prefix","min_token_len":10,"max_token_len":100000}""", 255, 10)]
    [InlineData("""{"tokenizer":"prefix","min_token_len":300}""", 300, 300)]
    [InlineData("""{"tokenizer":"prefix","max_token_len":20}""", 20, 1)]
    public void The_prefixes_of_a_long_word_end_and_queries_find_the_longest(string parameters, int longest, int shortest)
    {
        ITextAnalyzer analyzer = QdrantAnalyzer.Create(Parse(parameters));
        var terms = new List<string>();
        analyzer.Analyze(new string('a', 5_000), terms);
        Assert.Equal(Enumerable.Range(shortest, longest - shortest + 1), terms.Select(t => t.Length));
        var query = new List<string>();
        analyzer.AnalyzeQuery(new string('a', 4_000), query);
        Assert.Equal([new string('a', longest)], query);
    }

    [Fact]
    public void A_prefix_query_keeps_stop_words_and_only_the_longest_prefix()
    {
        ITextAnalyzer analyzer = QdrantAnalyzer.Create(Parse("""{"tokenizer":"prefix","max_token_len":4,"stopwords":"english"}"""));
        var terms = new List<string>();
        analyzer.AnalyzeQuery("the hello, мир!", terms);
        Assert.Equal(["the", "hell", "мир"], terms);
    }

    [Theory]
    [InlineData("""{"tokenizer":"ngram"}""", "ngram")]
    [InlineData("""{"lowercase":"yes"}""", "lowercase")]
    [InlineData("""{"stopwords":"klingon"}""", "stopwords")]
    [InlineData("""{"stemmer":{"type":"snowball","language":"klingon"}}""", "stemmer")]
    [InlineData("""{"min_token_len":-1}""", "min_token_len")]
    [InlineData("[]", "object")]
    public void Wrong_parameters_are_named(string parameters, string named) =>
        Assert.Contains(named, Assert.Throws<GranaryException>(() => Parse(parameters)).Message, StringComparison.Ordinal);

    private static AnalyzerSettings Parse(string parameters)
    {
        using var document = JsonDocument.Parse(parameters);
        return QdrantAnalyzer.ParseIndexParameters(document.RootElement);
    }
}
