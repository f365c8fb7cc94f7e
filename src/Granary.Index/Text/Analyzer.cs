using System.Buffers;
using System.Globalization;
using System.Text;
using Granary.Index.Text.Tokens;

namespace Granary.Index.Text;

/// <summary>
/// Granary's own analysis. <c>word</c> and <c>multilingual</c> break by Unicode Standard Annex 29 and keep the segments that hold a letter
/// or a
/// digit; <c>whitespace</c> breaks at white space; <c>prefix</c> stores every prefix of a word. Then lower case, folding, stop words,
/// Snowball stemmer.
/// </summary>
public sealed class Analyzer : ITextAnalyzer
{
    /// <summary>Tokens longer than this are dropped, whatever the settings say.</summary>
    public const int LongestToken = 255;

    private readonly TermFilter _filter;
    private readonly int _minimum;
    private readonly int _maximum;
    private readonly bool _isPrefix;

    private Analyzer(AnalyzerSettings settings, TermFilter filter)
    {
        Settings = settings;
        _filter = filter;
        _isPrefix = settings.Tokenizer == "prefix";
        _minimum = settings.MinTokenLength ?? 1;
        _maximum = Math.Min(settings.MaxTokenLength ?? LongestToken, LongestToken);
    }

    /// <summary>The settings it was made from.</summary>
    public AnalyzerSettings Settings { get; }

    /// <summary>Makes the analyser of these settings.</summary>
    /// <exception cref="GranaryException">The tokenizer or the language is unknown; the message lists those known.</exception>
    public static Analyzer Create(AnalyzerSettings settings)
    {
        AnalyzerRules.CheckTokenizer(settings.Tokenizer);
        if (settings.Version != 1)
            throw GranaryException.Validation($"analyzer.version: {settings.Version} is not known; this build knows 1");
        var language = AnalyzerRules.Language(settings.Language);
        var stemming = AnalyzerRules.Language(settings.StemmerLanguage ?? settings.Language);
        var stemmer = settings.Stem && stemming != "none" ? AnalyzerRules.RequireStemmer(stemming) : null;
        IEnumerable<string> stopWords = settings.StopWords is { } own
            ? own.Select(word => settings.Lowercase ? word.ToLowerInvariant() : word)
            : language switch
            {
                "none" => [],
                "english" => StopWords.English,
                _ => StopWords.Find(language) ?? [],
            };

        // English has no accents of its own: folding first lets "resumés" and "resumes" meet. Other stemmers need theirs.
        var foldFirst = settings.AsciiFolding && (stemmer == null || stemming == "english");
        return new Analyzer(
            settings, new TermFilter(settings.Lowercase, foldFirst, settings.AsciiFolding && !foldFirst, stopWords, stemmer));
    }

    /// <inheritdoc/>
    public void Analyze(ReadOnlySpan<char> text, TextRole role, TermSink sink)
    {
        Span<char> small = stackalloc char[TermFilter.BufferFor(LongestToken)];
        if (Settings.Tokenizer == "whitespace")
        {
            for (var start = 0; start < text.Length;)
            {
                var end = start;
                while (end < text.Length && !char.IsWhiteSpace(text[end]))
                    end++;
                if (end > start)
                    Take(text[start..end], role, sink, small);
                start = end + 1;
            }

            return;
        }

        for (var start = 0; start < text.Length;)
        {
            var end = NextWord(text, start);
            var segment = text[start..end];
            if (HoldsLetterOrDigit(segment))
                Take(segment, role, sink, small);
            start = end;
        }
    }

    /// <summary>Most text is ASCII letters between spaces: that needs no tables.</summary>
    private static int NextWord(ReadOnlySpan<char> text, int start)
    {
        var end = start;
        while (end < text.Length && char.IsAsciiLetterOrDigit(text[end]))
            end++;
        if (end > start && (end == text.Length || text[end] is ' ' or '\n' or '-' or '(' or ')' or '/'))
            return end;
        return WordBreaks.Next(text, start);
    }

    private static bool HoldsLetterOrDigit(ReadOnlySpan<char> segment)
    {
        for (var i = 0; i < segment.Length; i++)
        {
            var c = segment[i];
            if (char.IsLetterOrDigit(c))
                return true;
            if (char.IsHighSurrogate(c) && i + 1 < segment.Length && Rune.TryCreate(c, segment[i + 1], out var rune)
                && (Rune.IsLetterOrDigit(rune) || Rune.GetUnicodeCategory(rune) == UnicodeCategory.OtherLetter))
            {
                return true;
            }
        }

        return false;
    }

    private void Take(ReadOnlySpan<char> token, TextRole role, TermSink sink, Span<char> buffer)
    {
        if (token.Length > LongestToken)
            return;
        var prefix = _isPrefix;
        if (!prefix && sink.TryRepeat(token))
            return;
        var given = TermFilter.CountCodePoints(token);
        if (given < _minimum || (given > _maximum && !prefix))
            return;

        char[]? rented = null;
        var cleaned = token;
        if (token.Contains('\u2019'))
        {
            // Snowball's algorithms know the straight apostrophe.
            rented = ArrayPool<char>.Shared.Rent(token.Length);
            token.Replace(rented, '\u2019', '\'');
            cleaned = rented.AsSpan(0, token.Length);
        }

        var length = _filter.Apply(cleaned, buffer);
        if (rented != null)
            ArrayPool<char>.Shared.Return(rented);
        if (prefix)
        {
            if (length > 0)
                AnalyzerRules.EmitPrefixes(buffer[..length], _minimum, _maximum, role, sink);
            return;
        }

        if (length > 0)
            sink.Add(buffer[..length]);
        sink.Remember(token, length > 0);
    }
}
