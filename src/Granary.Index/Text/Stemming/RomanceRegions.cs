namespace Granary.Index.Text.Stemming;

/// <summary>The region RV as Spanish, Portuguese and Italian define it.</summary>
internal static class RomanceRegions
{
    /// <summary>
    /// If the second letter is a consonant, RV begins after the next vowel; if the first two are vowels, after the next consonant;
    /// otherwise after the third letter.
    /// </summary>
    public static int RV(Stem word, string vowels)
    {
        if (word.Length < 3)
            return word.Length;
        if (!vowels.Contains(word[1]))
            return AfterNext(word, 2, true, vowels);
        return vowels.Contains(word[0]) ? AfterNext(word, 2, false, vowels) : 3;
    }

    private static int AfterNext(Stem word, int from, bool vowel, string vowels)
    {
        for (var i = from; i < word.Length; i++)
        {
            if (vowels.Contains(word[i]) == vowel)
                return i + 1;
        }

        return word.Length;
    }
}
