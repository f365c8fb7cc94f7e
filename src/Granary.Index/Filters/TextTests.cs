using System.Text;
using Granary.Index.Payload;
using Granary.Index.Text;

namespace Granary.Index.Filters;

/// <summary>A string begins with a text, byte for byte.</summary>
internal sealed class PrefixTest(string text) : ValueTest
{
    private readonly byte[] _text = Encoding.UTF8.GetBytes(text);

    protected override bool TestOne(ReadOnlySpan<byte> value) => JsonScan.IsString(value) && TextOf(value).StartsWith(_text);
}

/// <summary>A string holds all tokens of a text, one, or all in a row.</summary>
internal sealed class TokenTest : ValueTest
{
    private readonly ITextAnalyzer _analyzer;
    private readonly TextMatchMode _mode;
    private readonly int[] _borders;

    public TokenTest(MatchTextCondition condition, ITextAnalyzer analyzer)
    {
        (_analyzer, _mode) = (analyzer, condition.Mode);
        _analyzer.AnalyzeQuery(condition.Text, Tokens);
        if (_mode != TextMatchMode.Phrase)
            Tokens = [.. Tokens.Distinct(StringComparer.Ordinal)];
        _borders = _mode == TextMatchMode.Phrase ? Borders(Tokens) : [];
    }

    /// <summary>The query's tokens; without any nothing matches.</summary>
    public List<string> Tokens { get; } = [];

    protected override bool TestOne(ReadOnlySpan<byte> value)
    {
        if (!JsonScan.IsString(value) || Tokens.Count == 0)
            return false;
        MatchSink sink = _mode == TextMatchMode.Phrase
            ? new PhraseSink(Tokens, _borders) : new SetSink(Tokens, _mode == TextMatchMode.All ? Tokens.Count : 1);
        _analyzer.Analyze(JsonScan.GetString(value), TextRole.Document, sink);
        return sink.Found;
    }

    /// <summary>Of every beginning of the phrase, how many tokens begin and end it (Knuth, Morris and Pratt, 1977).</summary>
    private static int[] Borders(List<string> tokens)
    {
        var borders = new int[tokens.Count];
        for (var i = 1; i < borders.Length; i++)
        {
            var length = borders[i - 1];
            while (length > 0 && tokens[i] != tokens[length])
                length = borders[length - 1];
            borders[i] = tokens[i] == tokens[length] ? length + 1 : 0;
        }

        return borders;
    }

    private abstract class MatchSink : TermSink
    {
        public bool Found { get; protected set; }
    }

    private sealed class SetSink(List<string> tokens, int wanted) : MatchSink
    {
        private readonly bool[] _seen = new bool[tokens.Count];
        private int _count;

        public override void Add(ReadOnlySpan<char> term)
        {
            for (var i = 0; i < _seen.Length && !Found; i++)
            {
                if (_seen[i] || !term.SequenceEqual(tokens[i]))
                    continue;
                _seen[i] = true;
                Found = ++_count == wanted;
                return;
            }
        }
    }

    private sealed class PhraseSink(List<string> tokens, int[] borders) : MatchSink
    {
        private int _length;

        public override void Add(ReadOnlySpan<char> term)
        {
            if (Found)
                return;
            while (_length > 0 && !term.SequenceEqual(tokens[_length]))
                _length = borders[_length - 1];
            if (term.SequenceEqual(tokens[_length]))
                _length++;
            Found = _length == tokens.Count;
        }
    }
}
