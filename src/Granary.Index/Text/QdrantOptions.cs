using System.Collections.Immutable;
using System.Text.Json;
using Granary.Index.Text.Stemming;
using Granary.Index.Text.Tokens;

namespace Granary.Index.Text;

/// <summary>Reads the text options of Qdrant's API, shared by text indexes and BM25 documents.</summary>
internal static class QdrantOptions
{
    private static readonly string[] SnowballLanguages =
    [
        "arabic", "armenian", "danish", "dutch", "english", "finnish", "french", "german", "greek", "hungarian", "italian", "norwegian",
        "portuguese", "romanian", "russian", "spanish", "swedish", "tamil", "turkish",
    ];

    /// <summary>The stemmer Qdrant takes by default for a language; null where it has none.</summary>
    /// <exception cref="GranaryException">Qdrant has one and this build has not: other terms than the caller expects would be worse than
    /// an error.</exception>
    public static Stemmer? FindStemmer(string language)
    {
        var name = AnalyzerRules.Language(language);
        return SnowballLanguages.Contains(name) ? AnalyzerRules.RequireStemmer(name) : null;
    }

    /// <summary>The stop words Qdrant takes by default for a language; null where it has none.</summary>
    public static string[]? FindStopWords(string language) => StopWords.Find(AnalyzerRules.Language(language));

    /// <summary>Reads the analysis settings of an options object.</summary>
    /// <param name="options">The object.</param>
    /// <param name="language">The language when <c>language</c> is absent; <c>none</c> for neither stop words nor stemmer.</param>
    /// <param name="prefix">What error messages begin with.</param>
    public static AnalyzerSettings Parse(JsonElement options, string language, string prefix)
    {
        if (options.ValueKind != JsonValueKind.Object)
            throw GranaryException.BadInput($"{prefix}expected an object, found {Describe(options)}");
        var tokenizer = OptionalString(options, "tokenizer", prefix) ?? "word";
        if (!AnalyzerRules.Tokenizers.Contains(tokenizer))
            throw GranaryException.BadInput(
                $"{prefix}unknown variant `{tokenizer}`, expected one of `prefix`, `whitespace`, `word`, `multilingual`");
        if (language != "none")
            language = OptionalString(options, "language", prefix) ?? language;
        var settings = new AnalyzerSettings
        {
            Tokenizer = tokenizer,
            Language = language,
            Lowercase = OptionalBool(options, "lowercase", prefix) ?? true,
            AsciiFolding = OptionalBool(options, "ascii_folding", prefix) ?? false,
            Stem = language != "none",
            MinTokenLength = OptionalLength(options, "min_token_len", prefix),
            MaxTokenLength = OptionalLength(options, "max_token_len", prefix),
        };
        if (options.TryGetProperty("stemmer", out var stemmer) && stemmer.ValueKind != JsonValueKind.Null)
            settings = ParseStemmer(settings, stemmer, prefix);
        if (options.TryGetProperty("stopwords", out var stopWords) && stopWords.ValueKind != JsonValueKind.Null)
            settings = settings with { StopWords = ParseStopWords(stopWords, prefix) };
        return settings;
    }

    /// <summary>An optional number member.</summary>
    public static double? OptionalNumber(JsonElement options, string name, string prefix)
    {
        if (!options.TryGetProperty(name, out var value))
            return null;
        return value.ValueKind == JsonValueKind.Number
            ? value.GetDouble()
            : throw GranaryException.BadInput($"{prefix}{name}: invalid type: {Describe(value)}, expected f64");
    }

    private static AnalyzerSettings ParseStemmer(AnalyzerSettings settings, JsonElement stemmer, string prefix)
    {
        if (stemmer.ValueKind == JsonValueKind.Object && stemmer.TryGetProperty("type", out var type)
            && type.ValueKind == JsonValueKind.String)
        {
            if (type.ValueEquals("none"))
                return settings with { Stem = false };
            if (type.ValueEquals("snowball") && stemmer.TryGetProperty("language", out var language)
                && language.ValueKind == JsonValueKind.String)
            {
                var name = AnalyzerRules.Language(language.GetString()!);
                if (SnowballLanguages.Contains(name))
                {
                    AnalyzerRules.RequireStemmer(name);
                    return settings with { Stem = true, StemmerLanguage = name };
                }
            }
        }

        throw GranaryException.BadInput($"{prefix}stemmer: data did not match any variant of untagged enum StemmingAlgorithm");
    }

    private static ImmutableArray<string> ParseStopWords(JsonElement value, string prefix)
    {
        var words = ImmutableArray.CreateBuilder<string>();
        if (value.ValueKind == JsonValueKind.String)
        {
            AddLanguage(value);
        }
        else if (value.ValueKind == JsonValueKind.Object)
        {
            foreach (var (name, add) in new (string, Action<JsonElement>)[] { ("languages", AddLanguage), ("custom", AddWord) })
            {
                if (!value.TryGetProperty(name, out var list) || list.ValueKind == JsonValueKind.Null)
                    continue;
                if (list.ValueKind != JsonValueKind.Array)
                    throw Mismatch();
                foreach (var item in list.EnumerateArray())
                    add(item);
            }
        }
        else
        {
            throw Mismatch();
        }

        return words.ToImmutable();

        void AddLanguage(JsonElement item) =>
            words.AddRange(
                item.ValueKind == JsonValueKind.String && FindStopWords(item.GetString()!) is { } list ? list : throw Mismatch());

        void AddWord(JsonElement item) => words.Add(item.ValueKind == JsonValueKind.String ? item.GetString()! : throw Mismatch());

        GranaryException Mismatch() =>
            GranaryException.BadInput($"{prefix}stopwords: data did not match any variant of untagged enum StopwordsInterface");
    }

    private static string? OptionalString(JsonElement options, string name, string prefix) =>
        !options.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null ? null
        : value.ValueKind == JsonValueKind.String ? value.GetString()
        : throw GranaryException.BadInput($"{prefix}{name}: invalid type: {Describe(value)}, expected a string");

    private static bool? OptionalBool(JsonElement options, string name, string prefix) =>
        !options.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null ? null
        : value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean()
        : throw GranaryException.BadInput($"{prefix}{name}: invalid type: {Describe(value)}, expected a boolean");

    private static int? OptionalLength(JsonElement options, string name, string prefix)
    {
        if (!options.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null)
            return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetUInt64(out var length))
            return (int)Math.Min(length, int.MaxValue);
        throw GranaryException.BadInput($"{prefix}{name}: invalid type: {Describe(value)}, expected usize");
    }

    private static string Describe(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => $"string {value.GetRawText()}",
        JsonValueKind.Number => $"number `{value.GetRawText()}`",
        JsonValueKind.True or JsonValueKind.False => $"boolean `{value.GetRawText()}`",
        JsonValueKind.Array => "sequence",
        JsonValueKind.Object => "map",
        _ => "null",
    };
}
