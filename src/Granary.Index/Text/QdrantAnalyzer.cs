using System.Text.Json;

namespace Granary.Index.Text;

/// <summary>Qdrant's tokenizers and token rules, for its text indexes and its <c>qdrant/bm25</c> documents.</summary>
public sealed class QdrantAnalyzer : ITextAnalyzer
{
    private QdrantAnalyzer(AnalyzerSettings settings) => Settings = settings;

    /// <summary>The settings it was made from.</summary>
    public AnalyzerSettings Settings { get; }

    /// <summary>Makes the analyser of these settings.</summary>
    /// <exception cref="GranaryException">The tokenizer or the language is unknown; the message lists those known.</exception>
    public static QdrantAnalyzer Create(AnalyzerSettings settings) => new(settings);

    /// <summary>
    /// The settings of a text index as Qdrant's clients write its parameters: <c>tokenizer</c>, <c>lowercase</c>,
    /// <c>ascii_folding</c>, <c>stopwords</c>, <c>stemmer</c>, <c>min_token_len</c>, <c>max_token_len</c>. Neither stop words nor a stemmer unless named.
    /// </summary>
    /// <exception cref="GranaryException">A member has a wrong type or value.</exception>
    public static AnalyzerSettings ParseIndexParameters(JsonElement parameters) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void Analyze(ReadOnlySpan<char> text, TextRole role, TermSink sink) => throw new NotImplementedException();
}
