using System.Text;
using Granary.Index.Payload;
using Granary.Index.Text;

namespace Granary.Index.Filters;

/// <summary>A string contains, or begins with, a text byte for byte: what <c>match</c> means where the field has no text index.</summary>
internal sealed class SubstringTest : ValueTest
{
    private readonly byte[][] _texts;
    private readonly bool _prefix;

    public SubstringTest(MatchTextCondition condition)
    {
        _prefix = condition.Mode == TextMatchMode.Prefix;
        var texts = condition.Mode == TextMatchMode.Any
            ? condition.Text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
            : [condition.Text];
        _texts = [.. texts.Select(Encoding.UTF8.GetBytes)];
    }

    protected override bool TestOne(ReadOnlySpan<byte> value)
    {
        if (!JsonScan.IsString(value))
            return false;
        var stored = TextOf(value);
        foreach (var text in _texts)
        {
            if (_prefix ? stored.StartsWith(text) : stored.IndexOf(text) >= 0)
                return true;
        }

        return false;
    }
}

/// <summary>A string holds all tokens of a text, one, or all in a row: what <c>match</c> means where the field has a text index.</summary>
internal sealed class TokenTest : ValueTest
{
    private readonly ITextAnalyzer _analyzer;
    private readonly TextMatchMode _mode;

    public TokenTest(MatchTextCondition condition, ITextAnalyzer analyzer)
    {
        (_analyzer, _mode) = (analyzer, condition.Mode);
        _analyzer.AnalyzeQuery(condition.Text, Tokens);
        if (_mode != TextMatchMode.Phrase)
            Tokens = [.. Tokens.Distinct(StringComparer.Ordinal)];
    }

    /// <summary>The query's tokens; without any nothing matches.</summary>
    public List<string> Tokens { get; } = [];

    protected override bool TestOne(ReadOnlySpan<byte> value)
    {
        if (!JsonScan.IsString(value) || Tokens.Count == 0)
            return false;
        var stored = new List<string>();
        _analyzer.Analyze(JsonScan.GetString(value), stored);
        return _mode switch
        {
            TextMatchMode.All => Tokens.All(new HashSet<string>(stored, StringComparer.Ordinal).Contains),
            TextMatchMode.Any => stored.Exists(Tokens.Contains),
            _ => HasPhrase(stored),
        };
    }

    private bool HasPhrase(List<string> stored)
    {
        for (var start = 0; start + Tokens.Count <= stored.Count; start++)
        {
            var same = 0;
            while (same < Tokens.Count && stored[start + same] == Tokens[same])
                same++;
            if (same == Tokens.Count)
                return true;
        }

        return false;
    }
}
