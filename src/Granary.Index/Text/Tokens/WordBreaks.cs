using System.Text;

namespace Granary.Index.Text.Tokens;

/// <summary>Word boundaries of Unicode Standard Annex 29, revision 41 (rules WB1 to WB999).</summary>
internal static class WordBreaks
{
    private static readonly byte[] Basic = FillBasicPlane();

    /// <summary>The class of a code point, with <see cref="WordBreakClass.Pictographic"/> as a flag.</summary>
    public static WordBreakClass ClassOf(int codePoint)
    {
        if (codePoint < 0x10000)
            return (WordBreakClass)Basic[codePoint];
        var pairs = WordBreakRanges.Pairs;
        int low = 0, high = (pairs.Length / 2) - 1;
        while (low <= high)
        {
            var middle = (low + high) >> 1;
            var first = pairs[2 * middle];
            if (codePoint < first >> 8)
                high = middle - 1;
            else if (codePoint > pairs[(2 * middle) + 1])
                low = middle + 1;
            else
                return (WordBreakClass)(first & 0xFF);
        }

        return WordBreakClass.Other;
    }

    /// <summary>The end of the segment that starts at <paramref name="start"/>: the next boundary after it.</summary>
    public static int Next(ReadOnlySpan<char> text, int start)
    {
        var position = start;
        var raw = Read(text, ref position);
        var previous = raw & ~WordBreakClass.Pictographic; // The class of the last code point that WB4 does not attach.
        var beforePrevious = WordBreakClass.Other; // The class before it, for WB7 and WB11.
        var last = raw; // The code point just before the boundary in question.
        var flags = previous == WordBreakClass.RegionalIndicator ? 1 : 0;
        while (position < text.Length)
        {
            var after = position;
            var current = Read(text, ref after);
            var kind = current & ~WordBreakClass.Pictographic;
            var lastKind = last & ~WordBreakClass.Pictographic;
            if (lastKind == WordBreakClass.CR && kind == WordBreakClass.LF)
            {
                // WB3
            }
            else if (IsLineBreak(lastKind) || IsLineBreak(kind))
            {
                return position; // WB3a, WB3b
            }
            else if (lastKind == WordBreakClass.Zwj && (current & WordBreakClass.Pictographic) != 0)
            {
                // WB3c
            }
            else if (lastKind == WordBreakClass.WSegSpace && kind == WordBreakClass.WSegSpace)
            {
                // WB3d
            }
            else if (kind is WordBreakClass.Extend or WordBreakClass.Format or WordBreakClass.Zwj)
            {
                last = current; // WB4: attached, and transparent to the rules below.
                position = after;
                continue;
            }
            else if (!Joins(beforePrevious, previous, kind, flags, text, after))
            {
                return position;
            }

            flags = kind == WordBreakClass.RegionalIndicator ? flags + 1 : 0;
            beforePrevious = previous;
            previous = kind;
            last = current;
            position = after;
        }

        return text.Length;
    }

    private static bool Joins(
        WordBreakClass beforePrevious, WordBreakClass previous, WordBreakClass kind, int flags, ReadOnlySpan<char> text, int after)
    {
        var letterBefore = IsLetter(previous);
        if (letterBefore && IsLetter(kind))
            return true; // WB5
        if (letterBefore && IsMidLetter(kind) && IsLetter(Following(text, after)))
            return true; // WB6
        if (IsLetter(beforePrevious) && IsMidLetter(previous) && IsLetter(kind))
            return true; // WB7
        if (previous == WordBreakClass.HebrewLetter)
        {
            if (kind == WordBreakClass.SingleQuote)
                return true; // WB7a
            if (kind == WordBreakClass.DoubleQuote && Following(text, after) == WordBreakClass.HebrewLetter)
                return true; // WB7b
        }

        if (beforePrevious == WordBreakClass.HebrewLetter && previous == WordBreakClass.DoubleQuote && kind == WordBreakClass.HebrewLetter)
            return true; // WB7c
        if (kind == WordBreakClass.Numeric)
        {
            if (previous == WordBreakClass.Numeric || letterBefore)
                return true; // WB8, WB9
            if (beforePrevious == WordBreakClass.Numeric && IsMidNumber(previous))
                return true; // WB11
        }

        if (previous == WordBreakClass.Numeric)
        {
            if (IsLetter(kind))
                return true; // WB10
            if (IsMidNumber(kind) && Following(text, after) == WordBreakClass.Numeric)
                return true; // WB12
        }

        if (previous == WordBreakClass.Katakana && kind == WordBreakClass.Katakana)
            return true; // WB13
        if (kind == WordBreakClass.ExtendNumLet)
            return letterBefore || previous is WordBreakClass.Numeric or WordBreakClass.Katakana or WordBreakClass.ExtendNumLet; // WB13a
        if (previous == WordBreakClass.ExtendNumLet)
            return IsLetter(kind) || kind is WordBreakClass.Numeric or WordBreakClass.Katakana; // WB13b
        return previous == WordBreakClass.RegionalIndicator && kind == WordBreakClass.RegionalIndicator && (flags & 1) == 1; // WB15, WB16
    }

    /// <summary>The class of the next code point that WB4 does not attach.</summary>
    private static WordBreakClass Following(ReadOnlySpan<char> text, int position)
    {
        while (position < text.Length)
        {
            var kind = Read(text, ref position) & ~WordBreakClass.Pictographic;
            if (kind is not (WordBreakClass.Extend or WordBreakClass.Format or WordBreakClass.Zwj))
                return kind;
        }

        return WordBreakClass.Other;
    }

    private static WordBreakClass Read(ReadOnlySpan<char> text, ref int position)
    {
        var c = text[position];
        if (!char.IsSurrogate(c))
        {
            position++;
            return (WordBreakClass)Basic[c];
        }

        Rune.DecodeFromUtf16(text[position..], out var rune, out var consumed);
        position += consumed;
        return ClassOf(rune.Value);
    }

    private static bool IsLineBreak(WordBreakClass kind) => kind is WordBreakClass.CR or WordBreakClass.LF or WordBreakClass.Newline;

    private static bool IsLetter(WordBreakClass kind) => kind is WordBreakClass.ALetter or WordBreakClass.HebrewLetter;

    private static bool IsMidLetter(WordBreakClass kind) =>
        kind is WordBreakClass.MidLetter or WordBreakClass.MidNumLet or WordBreakClass.SingleQuote;

    private static bool IsMidNumber(WordBreakClass kind) =>
        kind is WordBreakClass.MidNum or WordBreakClass.MidNumLet or WordBreakClass.SingleQuote;

    private static byte[] FillBasicPlane()
    {
        var classes = new byte[0x10000];
        var pairs = WordBreakRanges.Pairs;
        for (var i = 0; i < pairs.Length; i += 2)
        {
            for (var c = pairs[i] >> 8; c <= pairs[i + 1] && c < classes.Length; c++)
                classes[c] = (byte)(pairs[i] & 0xFF);
        }

        return classes;
    }
}
