namespace Granary.Index.Text;

/// <summary>Granary's own analysis: Unicode word breaks (UAX 29), lower case, folding, stop words, Snowball stemmer.</summary>
public sealed class Analyzer : ITextAnalyzer
{
    private Analyzer(AnalyzerSettings settings) => Settings = settings;

    /// <summary>The settings it was made from.</summary>
    public AnalyzerSettings Settings { get; }

    /// <summary>Makes the analyser of these settings.</summary>
    /// <exception cref="GranaryException">The tokenizer or the language is unknown; the message lists those known.</exception>
    public static Analyzer Create(AnalyzerSettings settings) => new(settings);

    /// <inheritdoc/>
    public void Analyze(ReadOnlySpan<char> text, TextRole role, TermSink sink) => throw new NotImplementedException();
}
