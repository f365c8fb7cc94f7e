namespace Granary.Index.Text.Stemming;

/// <summary>A word being stemmed in place, with the regions the Snowball algorithms speak of.</summary>
internal ref struct Stem(Span<char> buffer, int length)
{
    /// <summary>How many characters longer than the word the buffer must be.</summary>
    public const int Slack = 4;

    private readonly Span<char> _buffer = buffer;

    /// <summary>The word's length now.</summary>
    public int Length { get; private set; } = length;

    /// <summary>Start of R1: after the first non-vowel that follows a vowel.</summary>
    public int R1 { get; set; } = length;

    /// <summary>Start of R2: R1 of R1.</summary>
    public int R2 { get; set; } = length;

    /// <summary>Start of RV, as the language defines it.</summary>
    public int RV { get; set; } = length;

    public readonly ReadOnlySpan<char> Span => _buffer[..Length];

    public readonly ref char this[int index] => ref _buffer[index];

    /// <summary>Sets R1 and R2 by their usual definition.</summary>
    public void MarkRegions(string vowels)
    {
        R1 = After(0, vowels);
        R2 = After(R1, vowels);
    }

    /// <summary>The position after the first non-vowel that follows a vowel, from a start; the length when there is none.</summary>
    public readonly int After(int start, string vowels)
    {
        for (var i = start + 1; i < Length; i++)
        {
            if (!vowels.Contains(_buffer[i]) && vowels.Contains(_buffer[i - 1]))
                return i + 1;
        }

        return Length;
    }

    public readonly bool EndsWith(ReadOnlySpan<char> suffix) => Span.EndsWith(suffix);

    public readonly bool StartsWith(ReadOnlySpan<char> prefix) => Span.StartsWith(prefix);

    /// <summary>The longest of the suffixes the word ends with, or null; those beginning before <paramref name="from"/> do not
    /// count.</summary>
    public readonly string? Longest(string[] suffixes, int from = 0)
    {
        string? longest = null;
        foreach (var suffix in suffixes)
        {
            if (suffix.Length <= Length - from && suffix.Length > (longest?.Length ?? -1) && EndsWith(suffix))
                longest = suffix;
        }

        return longest;
    }

    /// <summary>Whether the last <paramref name="count"/> characters lie in the region that starts at <paramref name="region"/>.</summary>
    public readonly bool In(int region, int count) => Length - count >= region;

    /// <summary>Cuts the last characters off.</summary>
    public void Cut(int count) => Length -= count;

    /// <summary>Cuts a suffix off if the word ends with it and it lies in R2.</summary>
    public bool CutInR2(string suffix)
    {
        if (!EndsWith(suffix) || !In(R2, suffix.Length))
            return false;
        Cut(suffix.Length);
        return true;
    }

    /// <summary>Replaces the last <paramref name="count"/> characters.</summary>
    public void Replace(int count, ReadOnlySpan<char> with)
    {
        with.CopyTo(_buffer[(Length - count)..]);
        Length += with.Length - count;
    }

    /// <summary>Takes one character out.</summary>
    public void RemoveAt(int index)
    {
        _buffer[(index + 1)..Length].CopyTo(_buffer[index..]);
        Length--;
    }

    /// <summary>The character that is <paramref name="back"/> before the end (1 is the last); '\0' before the word.</summary>
    public readonly char Back(int back) => back <= Length ? _buffer[Length - back] : '\0';

    /// <summary>Whether any character of the first <paramref name="count"/> is one of these.</summary>
    public readonly bool AnyBefore(int count, ReadOnlySpan<char> characters) => _buffer[..count].ContainsAny(characters);
}
