using System.Buffers;
using System.Collections.Frozen;
using System.Text;
using Granary.Index.Text.Stemming;

namespace Granary.Index.Text.Tokens;

/// <summary>What happens to a token on its way to being a term: case, folding, stop words, stemming, length limits.</summary>
internal sealed class TermFilter
{
    private readonly bool _lowercase;
    private readonly bool _foldFirst;
    private readonly bool _foldLast;
    private readonly bool _latinOnly;
    private readonly Stemmer? _stemmer;
    private readonly FrozenSet<string> _stopWords;
    private readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> _isStopWord;

    /// <param name="lowercase">Whether to lower-case.</param>
    /// <param name="foldFirst">Whether to fold before stop words and stemming.</param>
    /// <param name="foldLast">Whether to fold after stemming (for stemmers that know their language's accents).</param>
    /// <param name="stopWords">Terms to drop, compared after folding first and lower-casing.</param>
    /// <param name="stemmer">The stemmer, if any.</param>
    /// <param name="latinOnly">Whether folding leaves Greek and lone combining marks alone, as Lucene's ASCII folding does.</param>
    public TermFilter(
        bool lowercase, bool foldFirst, bool foldLast, IEnumerable<string> stopWords, Stemmer? stemmer, bool latinOnly = false)
    {
        _latinOnly = latinOnly;
        _lowercase = lowercase;
        _foldFirst = foldFirst;
        _foldLast = foldLast;
        _stemmer = stemmer;
        _stopWords = stopWords.ToFrozenSet(StringComparer.Ordinal);
        _isStopWord = _stopWords.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>Characters a buffer must hold to take any token of this length through.</summary>
    public static int BufferFor(int length) => (length * Folding.MaxExpansion) + Stem.Slack;

    /// <summary>
    /// Writes the term a token becomes into <paramref name="target"/> (of <see cref="BufferFor"/> characters) and returns its
    /// length; 0 when it is dropped.
    /// </summary>
    public int Apply(ReadOnlySpan<char> token, Span<char> target, bool dropStopWords = true)
    {
        var length = _foldFirst ? Fold(token, target) : Copy(token, target);
        if (_lowercase)
            length = Lower(target, length);
        if (length == 0 || (dropStopWords && _stopWords.Count > 0 && _isStopWord.Contains(target[..length])))
            return 0;
        if (_stemmer != null)
            length = _stemmer.StemInPlace(target, length);
        if (_foldLast && !IsAscii(target[..length]))
            length = FoldInPlace(target, length);
        return length;
    }

    /// <summary>How many code points a term has.</summary>
    public static int CountCodePoints(ReadOnlySpan<char> term)
    {
        var count = term.Length;
        foreach (var c in term)
        {
            if (char.IsLowSurrogate(c))
                count--;
        }

        return count;
    }

    private static bool IsAscii(ReadOnlySpan<char> text) => Ascii.IsValid(text);

    private int Fold(ReadOnlySpan<char> token, Span<char> target) =>
        IsAscii(token) ? Copy(token, target) : Folding.Fold(token, target, _latinOnly);

    private static int Copy(ReadOnlySpan<char> token, Span<char> target)
    {
        token.CopyTo(target);
        return token.Length;
    }

    private int FoldInPlace(Span<char> target, int length)
    {
        var rented = ArrayPool<char>.Shared.Rent(length);
        target[..length].CopyTo(rented);
        var folded = Folding.Fold(rented.AsSpan(0, length), target, _latinOnly);
        ArrayPool<char>.Shared.Return(rented);
        return folded;
    }

    private static int Lower(Span<char> text, int length)
    {
        var i = 0;
        while (i < length)
        {
            var c = text[i];
            if (char.IsAscii(c))
            {
                if (char.IsAsciiLetterUpper(c))
                    text[i] = (char)(c | 0x20);
            }
            else if (c == '\u0130')
            {
                // The one letter whose lower case is two characters.
                text[(i + 1)..length].CopyTo(text[(i + 2)..]);
                text[i++] = 'i';
                text[i] = '\u0307';
                length++;
            }
            else if (!char.IsSurrogate(c))
            {
                var final = c == 'Σ' && i > 0 && char.IsLetter(text[i - 1]) && (i + 1 == length || !char.IsLetter(text[i + 1]));
                text[i] = final ? 'ς' : char.ToLowerInvariant(c);
            }
            else if (i + 1 < length && Rune.TryCreate(c, text[i + 1], out var rune))
            {
                // Case pairs never leave their plane, so the encoded length stays.
                Rune.ToLowerInvariant(rune).EncodeToUtf16(text[i..]);
                i++;
            }

            i++;
        }

        return length;
    }
}
