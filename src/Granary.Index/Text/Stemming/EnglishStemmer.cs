namespace Granary.Index.Text.Stemming;

/// <summary>The Snowball English stemmer ("Porter2", M. F. Porter, 2001),
/// https://snowballstem.org/algorithms/english/stemmer.html.</summary>
internal sealed class EnglishStemmer : Stemmer
{
    private const string Vowels = "aeiouy";
    private static readonly string[] Step1b = ["eed", "eedly", "ed", "edly", "ing", "ingly"];
    private static readonly string[] Doubles = ["bb", "dd", "ff", "gg", "mm", "nn", "pp", "rr", "tt"];

    private static readonly string[] Step2 =
    [
        "tional", "enci", "anci", "abli", "entli", "izer", "ization", "ational", "ation", "ator", "alism", "aliti", "alli", "fulness",
        "ousli", "ousness", "iveness", "iviti", "biliti", "bli", "ogi", "fulli", "lessli", "li",
    ];

    private static readonly string[] Step3 = ["tional", "ational", "alize", "icate", "iciti", "ical", "ful", "ness", "ative"];

    private static readonly string[] Step4 =
    [
        "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ism", "ate", "iti", "ous", "ive", "ize", "ion",
    ];

    public override int StemInPlace(Span<char> buffer, int length)
    {
        if (length <= 2)
            return length;
        if (Exception(buffer[..length]) is { } stem)
        {
            stem.CopyTo(buffer);
            return stem.Length;
        }

        if (buffer[0] == '\'')
        {
            buffer[1..length].CopyTo(buffer);
            length--;
        }

        var anyY = false;
        for (var i = 0; i < length; i++)
        {
            if (buffer[i] == 'y' && (i == 0 || Vowels.Contains(buffer[i - 1])))
            {
                buffer[i] = 'Y';
                anyY = true;
            }
        }

        var word = new Stem(buffer, length);
        word.MarkRegions(Vowels);
        foreach (var prefix in (ReadOnlySpan<string>)["gener", "commun", "arsen"])
        {
            if (word.StartsWith(prefix))
            {
                word.R1 = prefix.Length;
                word.R2 = word.After(word.R1, Vowels);
            }
        }

        Plurals(ref word);
        if (word.Span is not ("inning" or "outing" or "canning" or "herring" or "earring" or "proceed" or "exceed" or "succeed"))
        {
            PastAndGerund(ref word);
            if (word.Back(1) is 'y' or 'Y' && word.Length > 2 && !Vowels.Contains(word.Back(2)))
                word[word.Length - 1] = 'i';
            LongSuffixes(ref word);
            MiddleSuffixes(ref word);
            ShortSuffixes(ref word);
            FinalLetters(ref word);
        }

        if (anyY)
            buffer[..word.Length].Replace('Y', 'y');
        return word.Length;
    }

    private static string? Exception(ReadOnlySpan<char> word) => word switch
    {
        "skis" => "ski",
        "skies" => "sky",
        "dying" => "die",
        "lying" => "lie",
        "tying" => "tie",
        "idly" => "idl",
        "gently" => "gentl",
        "ugly" => "ugli",
        "early" => "earli",
        "only" => "onli",
        "singly" => "singl",
        "sky" => "sky",
        "news" => "news",
        "howe" => "howe",
        "atlas" => "atlas",
        "cosmos" => "cosmos",
        "bias" => "bias",
        "andes" => "andes",
        _ => null,
    };

    /// <summary>Steps 0 and 1a.</summary>
    private static void Plurals(ref Stem word)
    {
        if (word.EndsWith("'s'"))
            word.Cut(3);
        else if (word.EndsWith("'s"))
            word.Cut(2);
        else if (word.EndsWith("'"))
            word.Cut(1);

        if (word.EndsWith("sses"))
            word.Cut(2);
        else if (word.EndsWith("ied") || word.EndsWith("ies"))
            word.Cut(word.Length > 4 ? 2 : 1);
        else if (word.EndsWith("us") || word.EndsWith("ss"))
            return;
        else if (word.EndsWith("s") && word.Length > 2 && word.AnyBefore(word.Length - 2, Vowels))
            word.Cut(1);
    }

    private static void PastAndGerund(ref Stem word)
    {
        if (word.Longest(Step1b) is not { } suffix)
            return;
        if (suffix[1] == 'e')
        {
            if (word.In(word.R1, suffix.Length))
                word.Replace(suffix.Length, "ee");
            return;
        }

        if (!word.AnyBefore(word.Length - suffix.Length, Vowels))
            return;
        word.Cut(suffix.Length);
        if (word.EndsWith("at") || word.EndsWith("bl") || word.EndsWith("iz"))
            word.Replace(0, "e");
        else if (word.Longest(Doubles) != null)
            word.Cut(1);
        else if (word.R1 >= word.Length && EndsInShortSyllable(word, word.Length))
            word.Replace(0, "e");
    }

    private static void LongSuffixes(ref Stem word)
    {
        if (word.Longest(Step2) is not { } suffix || !word.In(word.R1, suffix.Length))
            return;
        var before = word.Back(suffix.Length + 1);
        switch (suffix)
        {
            case "tional" or "entli" or "alli" or "ousli" or "fulli" or "lessli":
                word.Cut(2);
                break;
            case "enci" or "anci" or "abli":
                word.Replace(1, "e");
                break;
            case "izer" or "ization":
                word.Replace(suffix.Length, "ize");
                break;
            case "ational" or "ation" or "ator":
                word.Replace(suffix.Length, "ate");
                break;
            case "alism" or "aliti":
                word.Cut(3);
                break;
            case "fulness" or "ousness":
                word.Cut(4);
                break;
            case "iveness" or "iviti":
                word.Replace(suffix.Length, "ive");
                break;
            case "biliti" or "bli":
                word.Replace(suffix.Length, "ble");
                break;
            case "ogi":
                if (before == 'l')
                    word.Cut(1);
                break;
            default:
                if ("cdeghkmnrt".Contains(before))
                    word.Cut(2);
                break;
        }
    }

    private static void MiddleSuffixes(ref Stem word)
    {
        if (word.Longest(Step3) is not { } suffix || !word.In(word.R1, suffix.Length))
            return;
        switch (suffix)
        {
            case "tional":
                word.Cut(2);
                break;
            case "ational":
                word.Replace(7, "ate");
                break;
            case "alize" or "icate" or "iciti":
                word.Cut(3);
                break;
            case "ical":
                word.Cut(2);
                break;
            case "ful" or "ness":
                word.Cut(suffix.Length);
                break;
            default:
                if (word.In(word.R2, suffix.Length))
                    word.Cut(suffix.Length);
                break;
        }
    }

    private static void ShortSuffixes(ref Stem word)
    {
        if (word.Longest(Step4) is not { } suffix || !word.In(word.R2, suffix.Length))
            return;
        if (suffix != "ion" || word.Back(4) is 's' or 't')
            word.Cut(suffix.Length);
    }

    private static void FinalLetters(ref Stem word)
    {
        if (word.Back(1) == 'e')
        {
            if (word.In(word.R2, 1) || (word.In(word.R1, 1) && !EndsInShortSyllable(word, word.Length - 1)))
                word.Cut(1);
        }
        else if (word.Back(1) == 'l' && word.Back(2) == 'l' && word.In(word.R2, 1))
        {
            word.Cut(1);
        }
    }

    private static bool EndsInShortSyllable(Stem word, int end)
    {
        if (end == 2)
            return Vowels.Contains(word[0]) && !Vowels.Contains(word[1]);
        return end > 2
            && !Vowels.Contains(word[end - 1]) && word[end - 1] is not ('w' or 'x' or 'Y')
            && Vowels.Contains(word[end - 2])
            && !Vowels.Contains(word[end - 3]);
    }
}
