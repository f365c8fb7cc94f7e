namespace Granary.Index.Text.Stemming;

/// <content>Standard suffixes and verb endings (steps 1, 2a and 2b).</content>
internal sealed partial class FrenchStemmer
{
    private static readonly string[] ResidualSuffixes = ["ion", "ier", "ière", "Ier", "Ière", "e"];

    private static readonly string[] Standard =
    [
        "ance", "iqUe", "isme", "able", "iste", "eux", "ances", "iqUes", "ismes", "ables", "istes", "atrice", "ateur", "ation", "atrices",
        "ateurs", "ations", "logie", "logies", "usion", "ution", "usions", "utions", "ence", "ences", "ement", "ements", "ité", "ités",
        "if",
        "ive", "ifs", "ives", "eaux", "aux", "euse", "euses", "issement", "issements", "amment", "emment", "ment", "ments",
    ];

    private static readonly string[] VerbsI =
    [
        "îmes", "ît", "îtes", "i", "ie", "ies", "ir", "ira", "irai", "iraIent", "irais", "irait", "iras", "irent", "irez", "iriez",
        "irions",
        "irons", "iront", "is", "issaIent", "issais", "issait", "issant", "issante", "issantes", "issants", "isse", "issent", "isses",
        "issez",
        "issiez", "issions", "issons", "it",
    ];

    private static readonly string[] Verbs =
    [
        "ions", "é", "ée", "ées", "és", "èrent", "er", "era", "erai", "eraIent", "erais", "erait", "eras", "erez", "eriez", "erions",
        "erons",
        "eront", "ez", "iez", "âmes", "ât", "âtes", "a", "ai", "aIent", "ais", "ait", "ant", "ante", "antes", "ants", "as", "asse",
        "assent",
        "asses", "assiez", "assions",
    ];

    private static bool StandardSuffix(ref Stem word)
    {
        if (word.Longest(Standard) is not { } suffix)
            return false;
        var inR1 = word.In(word.R1, suffix.Length);
        var inR2 = word.In(word.R2, suffix.Length);
        switch (suffix)
        {
            case "atrice" or "ateur" or "ation" or "atrices" or "ateurs" or "ations":
                if (!inR2)
                    return false;
                word.Cut(suffix.Length);
                CutOrReplace(ref word, "ic", "iqU");
                return true;
            case "logie" or "logies":
                return inR2 && Replace(ref word, suffix, "log");
            case "usion" or "ution" or "usions" or "utions":
                return inR2 && Replace(ref word, suffix, "u");
            case "ence" or "ences":
                return inR2 && Replace(ref word, suffix, "ent");
            case "ement" or "ements":
                if (!word.In(word.RV, suffix.Length))
                    return false;
                word.Cut(suffix.Length);
                BeforeEment(ref word);
                return true;
            case "ité" or "ités":
                if (!inR2)
                    return false;
                word.Cut(suffix.Length);
                if (word.EndsWith("abil"))
                    CutOrReplace(ref word, "abil", "abl");
                else if (word.EndsWith("ic"))
                    CutOrReplace(ref word, "ic", "iqU");
                else if (word.EndsWith("iv") && word.In(word.R2, 2))
                    word.Cut(2);
                return true;
            case "if" or "ive" or "ifs" or "ives":
                if (!inR2)
                    return false;
                word.Cut(suffix.Length);
                if (word.EndsWith("at") && word.In(word.R2, 2))
                {
                    word.Cut(2);
                    CutOrReplace(ref word, "ic", "iqU");
                }

                return true;
            case "eaux":
                word.Cut(1);
                return true;
            case "aux":
                return inR1 && Replace(ref word, suffix, "al");
            case "euse" or "euses":
                return inR2 ? Replace(ref word, suffix, string.Empty) : inR1 && Replace(ref word, suffix, "eux");
            case "issement" or "issements":
                return inR1 && word.Back(suffix.Length + 1) is var before && before != '\0' && !Vowels.Contains(before)
                    && Replace(ref word, suffix, string.Empty);
            case "amment" or "emment" when word.In(word.RV, suffix.Length):
                // Changed, but a verb ending may follow.
                word.Replace(suffix.Length, suffix == "amment" ? "ant" : "ent");
                return false;
            case "ment" or "ments" when word.In(word.RV, suffix.Length + 1) && Vowels.Contains(word.Back(suffix.Length + 1)):
                word.Cut(suffix.Length);
                return false;
            case "amment" or "emment" or "ment" or "ments":
                return false;
            default:
                return inR2 && Replace(ref word, suffix, string.Empty);
        }
    }

    private static void BeforeEment(ref Stem word)
    {
        if (word.EndsWith("iv"))
        {
            if (!word.In(word.R2, 2))
                return;
            word.Cut(2);
            if (word.EndsWith("at") && word.In(word.R2, 2))
                word.Cut(2);
        }
        else if (word.EndsWith("eus"))
        {
            if (word.In(word.R2, 3))
                word.Cut(3);
            else if (word.In(word.R1, 3))
                word.Replace(1, "x");
        }
        else if (word.EndsWith("abl") || word.EndsWith("iqU"))
        {
            if (word.In(word.R2, 3))
                word.Cut(3);
        }
        else if (word.EndsWith("ièr") || word.EndsWith("Ièr"))
        {
            if (word.In(word.RV, 3))
                word.Replace(3, "i");
        }
    }

    private static bool VerbWithI(ref Stem word)
    {
        if (word.Longest(VerbsI, word.RV) is not { } suffix || !word.In(word.RV, suffix.Length + 1))
            return false;
        var before = word.Back(suffix.Length + 1);
        if (Vowels.Contains(before) || before == 'H')
            return false;
        word.Cut(suffix.Length);
        return true;
    }

    private static bool OtherVerb(ref Stem word)
    {
        if (word.Longest(Verbs, word.RV) is not { } suffix)
            return false;
        if (suffix == "ions")
        {
            if (!word.In(word.R2, 4))
                return false;
            word.Cut(4);
            return true;
        }

        word.Cut(suffix.Length);
        if (suffix[0] is 'â' or 'a' && word.Back(1) == 'e' && word.In(word.RV, 1))
            word.Cut(1);
        return true;
    }

    /// <summary>Cuts an ending off inside R2, or replaces it outside.</summary>
    private static void CutOrReplace(ref Stem word, string ending, string otherwise)
    {
        if (word.EndsWith(ending))
            word.Replace(ending.Length, word.In(word.R2, ending.Length) ? string.Empty : otherwise);
    }

    private static bool Replace(ref Stem word, string suffix, string with)
    {
        word.Replace(suffix.Length, with);
        return true;
    }
}
