using Granary.Index.Text;

namespace Granary.Index.Tests.Text;

public sealed class AnalyzerTests
{
    [Theory]
    [InlineData("The quick Brown-Foxes can't jump 32.3 feet, right?", "quick brown fox can't jump 32.3 feet right")]
    [InlineData("Résumés and naïve cafés: ÅNGSTRÖM", "resum naiv cafe angstrom")]
    [InlineData("Porter\u2019s foo_bar e.g. x", "porter foo_bar e.g x")]
    [InlineData("日本 テスト 2024", "日 本 テスト 2024")]
    [InlineData("!!! ... --- ", "")]
    [InlineData("", "")]
    public void English_is_broken_folded_stopped_and_stemmed(string text, string expected) =>
        Assert.Equal(expected, Join(Analyzer.Create(new AnalyzerSettings()), text));

    [Theory]
    [InlineData("german", "Die Häuser und Gärten", "haus gart")]
    [InlineData("french", "Les élèves étudiaient", "elev etudi")]
    [InlineData("russian", "Мы читали книги", "чита книг")]
    [InlineData("es", "canciones", "cancion")]
    [InlineData("none", "The Cafés", "the cafes")]
    public void Other_languages_keep_their_accents_until_they_are_stemmed(string language, string text, string expected) =>
        Assert.Equal(expected, Join(Analyzer.Create(new AnalyzerSettings { Language = language }), text));

    [Theory]
    [InlineData("word", "Ab cde fghij", "cde fghij")]
    [InlineData("whitespace", "Ab c-d-e", "c-d-e")]
    [InlineData("prefix", "abcde", "abc abcd abcde")]
    public void Tokenizers_honour_the_shortest_length(string tokenizer, string text, string expected) =>
        Assert.Equal(expected, Join(Analyzer.Create(new() { Tokenizer = tokenizer, Language = "none", MinTokenLength = 3 }), text));

    [Fact]
    public void A_prefix_query_is_its_longest_prefix()
    {
        ITextAnalyzer analyzer = Analyzer.Create(new() { Tokenizer = "prefix", Language = "none", MaxTokenLength = 4 });
        var terms = new List<string>();
        analyzer.AnalyzeQuery("hello мир", terms);
        Assert.Equal(["hell", "мир"], terms);
    }

    [Fact]
    public void Own_stop_words_replace_the_languages()
    {
        var analyzer = Analyzer.Create(new() { StopWords = ["Fox"], Stem = false });
        Assert.Equal("the dog", Join(analyzer, "The fox dog"));
    }

    [Fact]
    public void An_unknown_language_is_named_with_those_known()
    {
        var error = Assert.Throws<GranaryException>(() => Analyzer.Create(new() { Language = "klingon" }));
        Assert.Contains("klingon", error.Message, StringComparison.Ordinal);
        Assert.Contains("english", error.Message, StringComparison.Ordinal);
        Assert.Throws<GranaryException>(() => Analyzer.Create(new() { Tokenizer = "ngram" }));
    }

    [Fact]
    public void Overlong_tokens_and_lone_surrogates_do_no_harm()
    {
        var analyzer = Analyzer.Create(new());
        Assert.Equal("end", Join(analyzer, new string('x', 300) + " end"));
        Assert.Equal("end", Join(analyzer, "\uD800 end"));
        Assert.Equal(new string('ß', 255).Replace("ß", "ss", StringComparison.Ordinal), Join(analyzer, new string('ß', 255)));
    }

    [Fact]
    public void Case_is_lowered_beyond_ascii()
    {
        var analyzer = Analyzer.Create(new() { Language = "none", AsciiFolding = false });
        Assert.Equal("привет ñandú 𐐨 ὀδυσσεύς", Join(analyzer, "ПРИВЕТ ÑANDÚ 𐐀 ὈΔΥΣΣΕΎΣ"));
    }

    private static string Join(ITextAnalyzer analyzer, string text)
    {
        var terms = new List<string>();
        analyzer.Analyze(text, terms);
        return string.Join(' ', terms);
    }
}
