using System.Text;
using System.Text.Json;
using Granary.Index.Text.Tokens;

namespace Granary.Index.Text;

/// <summary>
/// Qdrant's tokenizers and token rules, for its text indexes and its <c>qdrant/bm25</c> documents: <c>word</c> breaks at whatever is not
/// alphanumeric, <c>prefix</c> stores the prefixes of such words, <c>whitespace</c> breaks at white space. <c>multilingual</c> breaks by
/// UAX 29:
/// Chinese and Japanese become single characters where Qdrant cuts words by dictionary.
/// </summary>
public sealed class QdrantAnalyzer : ITextAnalyzer
{
    private const int StackLimit = 256;

    // Code points of the longest prefix stored, unless words as short are not stored at all: the prefixes of a word take memory by the
    // square of its length.
    private const int LongestPrefix = 255;
    private readonly TermFilter _filter;
    private readonly int _minimum;
    private readonly int _maximum;

    private QdrantAnalyzer(AnalyzerSettings settings, TermFilter filter)
    {
        Settings = settings;
        _filter = filter;
        _minimum = settings.MinTokenLength ?? 0;
        _maximum = settings.MaxTokenLength ?? int.MaxValue;
    }

    /// <summary>The analyser of a text index with default parameters: words, lower-cased, and nothing else.</summary>
    public static QdrantAnalyzer IndexDefault { get; } = Create(new AnalyzerSettings
    {
        Language = "none",
        Stem = false,
        AsciiFolding = false,
    });

    /// <summary>The settings it was made from.</summary>
    public AnalyzerSettings Settings { get; }

    /// <summary>Makes the analyser of these settings. Languages without a stop word list have none; null stop words are the language's
    /// own.</summary>
    /// <exception cref="GranaryException">The tokenizer is unknown, or the language has no stemmer here; the message lists those
    /// known.</exception>
    public static QdrantAnalyzer Create(AnalyzerSettings settings)
    {
        AnalyzerRules.CheckTokenizer(settings.Tokenizer);
        var stemmer = settings.Stem ? QdrantOptions.FindStemmer(settings.StemmerLanguage ?? settings.Language) : null;
        IEnumerable<string> stopWords = settings.StopWords is { } own ? own : QdrantOptions.FindStopWords(settings.Language) ?? [];
        if (settings.Lowercase)
            stopWords = stopWords.Select(word => word.ToLowerInvariant());
        var multilingual = settings.Tokenizer == "multilingual";
        return new QdrantAnalyzer(
            settings,
            new TermFilter(
                settings.Lowercase || multilingual, settings.AsciiFolding || multilingual, false, stopWords, stemmer, !multilingual));
    }

    /// <summary>
    /// The settings of a text index as Qdrant's clients write its parameters: <c>tokenizer</c>, <c>lowercase</c>,
    /// <c>ascii_folding</c>, <c>stopwords</c>, <c>stemmer</c>, <c>min_token_len</c>, <c>max_token_len</c>. Neither stop words nor a
    /// stemmer unless named.
    /// </summary>
    /// <exception cref="GranaryException">A member has a wrong type or value.</exception>
    public static AnalyzerSettings ParseIndexParameters(JsonElement parameters) => QdrantOptions.Parse(parameters, "none", string.Empty);

    /// <inheritdoc/>
    public void Analyze(ReadOnlySpan<char> text, TextRole role, TermSink sink)
    {
        switch (Settings.Tokenizer)
        {
            case "whitespace":
                for (var start = 0; start < text.Length;)
                {
                    var end = start;
                    while (end < text.Length && !char.IsWhiteSpace(text[end]))
                        end++;
                    Take(text[start..end], role, sink);
                    start = end + 1;
                }

                break;
            case "multilingual":
                AnalyzeSegments(text, role, sink);
                break;
            default:
                AnalyzeWords(text, role, sink);
                break;
        }
    }

    private void AnalyzeWords(ReadOnlySpan<char> text, TextRole role, TermSink sink)
    {
        var start = 0;
        for (var i = 0; i < text.Length;)
        {
            var width = 1;
            bool inside;
            if (char.IsAscii(text[i]))
            {
                inside = char.IsAsciiLetterOrDigit(text[i]);
            }
            else
            {
                Rune.DecodeFromUtf16(text[i..], out var rune, out width);
                inside = Alphabetic.IsAlphanumeric(rune);
            }

            if (!inside)
            {
                Take(text[start..i], role, sink);
                start = i + width;
            }

            i += width;
        }

        Take(text[start..], role, sink);
    }

    private void AnalyzeSegments(ReadOnlySpan<char> text, TextRole role, TermSink sink)
    {
        for (var start = 0; start < text.Length;)
        {
            var end = WordBreaks.Next(text, start);
            var segment = text[start..end];
            foreach (var range in segment.SplitAny('\'', '\u2019', '_', '.', ':'))
            {
                var part = segment[range];
                if (HasAlphabetic(part))
                    Take(part, role, sink);
            }

            start = end;
        }
    }

    private static bool HasAlphabetic(ReadOnlySpan<char> text)
    {
        foreach (var rune in text.EnumerateRunes())
        {
            if (Alphabetic.IsAlphabetic(rune))
                return true;
        }

        return false;
    }

    private void Take(ReadOnlySpan<char> token, TextRole role, TermSink sink)
    {
        if (token.IsEmpty)
            return;
        var prefix = Settings.Tokenizer == "prefix";
        var size = TermFilter.BufferFor(token.Length);
        var buffer = token.Length <= StackLimit ? stackalloc char[TermFilter.BufferFor(StackLimit)] : new char[size];

        // A prefix being typed may look like a stop word: queries keep it.
        var length = _filter.Apply(token, buffer, !(prefix && role == TextRole.Query));
        if (length == 0)
            return;
        var term = buffer[..length];
        var count = TermFilter.CountCodePoints(term);
        if (count < _minimum)
            return;
        if (prefix)
            AnalyzerRules.EmitPrefixes(
                term, Settings.MinTokenLength ?? 1, Math.Min(_maximum, Math.Max(_minimum, LongestPrefix)), role, sink);
        else if (count <= _maximum)
            sink.Add(term);
    }
}
