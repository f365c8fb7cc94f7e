namespace Granary.Index.Text.Stemming;

/// <summary>Steps of the standard suffixes that Spanish, Portuguese and Italian share.</summary>
internal static class RomanceSuffixes
{
    /// <summary>
    /// Cuts <c>amente</c>, and in R2 what made the adjective: <c>iv</c> (and <c>at</c> before it), <c>os</c>, <c>ic</c> or the language's
    /// own ending.
    /// </summary>
    public static void CutAdverb(ref Stem word, string own)
    {
        word.Cut("amente".Length);
        if (word.CutInR2("iv"))
            word.CutInR2("at");
        else if (!word.CutInR2("os") && !word.CutInR2("ic"))
            word.CutInR2(own);
    }

    /// <summary>
    /// Cuts the suffix of a quality (<c>idad</c>, <c>idade</c>, <c>ità</c>), and in R2 <c>abil</c>, <c>ic</c> or <c>iv</c>.
    /// </summary>
    public static void CutQuality(ref Stem word, int suffix)
    {
        word.Cut(suffix);
        if (!word.CutInR2("abil") && !word.CutInR2("ic"))
            word.CutInR2("iv");
    }
}
