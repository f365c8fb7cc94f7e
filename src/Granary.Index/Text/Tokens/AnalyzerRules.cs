using Granary.Index.Text.Stemming;

namespace Granary.Index.Text.Tokens;

/// <summary>What both analysers check and do alike.</summary>
internal static class AnalyzerRules
{
    private static readonly Dictionary<string, string> Codes = new(StringComparer.Ordinal)
    {
        ["ar"] = "arabic",
        ["az"] = "azerbaijani",
        ["eu"] = "basque",
        ["bn"] = "bengali",
        ["ca"] = "catalan",
        ["zh"] = "chinese",
        ["da"] = "danish",
        ["nl"] = "dutch",
        ["en"] = "english",
        ["fi"] = "finnish",
        ["fr"] = "french",
        ["de"] = "german",
        ["el"] = "greek",
        ["he"] = "hebrew",
        ["hi-en"] = "hinglish",
        ["hu"] = "hungarian",
        ["hy"] = "armenian",
        ["id"] = "indonesian",
        ["it"] = "italian",
        ["jp"] = "japanese",
        ["kk"] = "kazakh",
        ["ne"] = "nepali",
        ["no"] = "norwegian",
        ["pt"] = "portuguese",
        ["ro"] = "romanian",
        ["ru"] = "russian",
        ["sl"] = "slovene",
        ["es"] = "spanish",
        ["sv"] = "swedish",
        ["ta"] = "tamil",
        ["tg"] = "tajik",
        ["tr"] = "turkish",
    };

    /// <summary>The tokenizers both analysers know.</summary>
    public static readonly string[] Tokenizers = ["multilingual", "prefix", "whitespace", "word"];

    /// <summary>The name of a language given by name or two-letter code.</summary>
    public static string Language(string name)
    {
        var lower = name.ToLowerInvariant();
        return Codes.GetValueOrDefault(lower, lower);
    }

    public static void CheckTokenizer(string tokenizer)
    {
        if (!Tokenizers.Contains(tokenizer))
            throw GranaryException.Validation($"tokenizer: \"{tokenizer}\" is not known; known are {string.Join(", ", Tokenizers)}");
    }

    public static Stemmer RequireStemmer(string language) =>
        Stemmer.Find(language) ?? throw GranaryException.Validation(
            $"language: no stemmer for \"{language}\"; there are stemmers for {string.Join(", ", Stemmer.Languages)} (or \"none\")");

    /// <summary>A stored word gives its prefixes of min to max code points (the whole word at least); a query only its longest.</summary>
    public static void EmitPrefixes(ReadOnlySpan<char> word, int minimum, int maximum, TextRole role, TermSink sink)
    {
        var count = 0;
        for (var i = 0; i < word.Length; i++)
        {
            if (char.IsLowSurrogate(word[i]))
                continue;

            // Here word[..i] has count code points, and at least one follows.
            if (role == TextRole.Document ? count >= minimum && count <= maximum && count > 0 : count == maximum)
            {
                sink.Add(word[..i]);
                if (count == maximum)
                    return;
            }

            count++;
        }

        if (role == TextRole.Document || count >= minimum)
            sink.Add(word);
    }
}
