namespace Granary.Index.Text;

/// <summary>Takes terms as an analyser finds them; the span is only valid during the call.</summary>
public abstract class TermSink
{
    /// <summary>Takes the next term.</summary>
    public abstract void Add(ReadOnlySpan<char> term);

    /// <summary>
    /// Takes the term of a token as the text has it, or leaves out a token that becomes none; false when it is not known what it becomes.
    /// </summary>
    internal virtual bool TryRepeat(ReadOnlySpan<char> token) => false;

    /// <summary>Says that a token became the term that was added last, or none.</summary>
    internal virtual void Remember(ReadOnlySpan<char> token, bool isTerm)
    {
    }
}

/// <summary>Which side of a search a text is on; only the <c>prefix</c> tokenizer treats them differently.</summary>
public enum TextRole : byte
{
    /// <summary>The text is stored.</summary>
    Document = 0,

    /// <summary>The text is searched for.</summary>
    Query = 1,
}

/// <summary>Turns text into terms, in the order of the text. Thread-safe.</summary>
public interface ITextAnalyzer
{
    /// <summary>Gives the terms of a text to a sink.</summary>
    void Analyze(ReadOnlySpan<char> text, TextRole role, TermSink sink);

    /// <summary>Appends the terms of a stored text.</summary>
    void Analyze(ReadOnlySpan<char> text, List<string> terms) => Analyze(text, TextRole.Document, new ListSink(terms));

    /// <summary>Appends the terms of a query.</summary>
    void AnalyzeQuery(ReadOnlySpan<char> text, List<string> terms) => Analyze(text, TextRole.Query, new ListSink(terms));

    private sealed class ListSink(List<string> terms) : TermSink
    {
        public override void Add(ReadOnlySpan<char> term) => terms.Add(term.ToString());
    }
}
