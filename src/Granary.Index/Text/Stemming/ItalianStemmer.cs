namespace Granary.Index.Text.Stemming;

/// <summary>The Snowball Italian stemmer, https://snowballstem.org/algorithms/italian/stemmer.html.</summary>
internal sealed class ItalianStemmer : Stemmer
{
    private const string Vowels = "aeiouàèìòù";

    private static readonly string[] Pronouns =
    [
        "ci", "gli", "la", "le", "li", "lo", "mi", "ne", "si", "ti", "vi", "sene", "gliela", "gliele", "glieli", "glielo", "gliene", "mela",
        "mele", "meli", "melo", "mene", "tela", "tele", "teli", "telo", "tene", "cela", "cele", "celi", "celo", "cene", "vela", "vele",
        "veli",
        "velo", "vene",
    ];

    private static readonly string[] Standard =
    [
        "anza", "anze", "ico", "ici", "ica", "ice", "iche", "ichi", "ismo", "ismi", "abile", "abili", "ibile", "ibili", "ista", "iste",
        "isti",
        "istà", "istè", "istì", "oso", "osi", "osa", "ose", "mente", "atrice", "atrici", "ante", "anti", "azione", "azioni", "atore",
        "atori",
        "logia", "logie", "uzione", "uzioni", "usione", "usioni", "enza", "enze", "amento", "amenti", "imento", "imenti", "amente", "ità",
        "ivo", "ivi", "iva", "ive",
    ];

    private static readonly string[] Verbs =
    [
        "ammo", "ando", "ano", "are", "arono", "asse", "assero", "assi", "assimo", "ata", "ate", "ati", "ato", "ava", "avamo", "avano",
        "avate",
        "avi", "avo", "emmo", "enda", "ende", "endi", "endo", "erà", "erai", "eranno", "ere", "erebbe", "erebbero", "erei", "eremmo",
        "eremo",
        "ereste", "eresti", "erete", "erò", "erono", "essero", "ete", "eva", "evamo", "evano", "evate", "evi", "evo", "Yamo", "iamo",
        "immo",
        "irà", "irai", "iranno", "ire", "irebbe", "irebbero", "irei", "iremmo", "iremo", "ireste", "iresti", "irete", "irò", "irono",
        "isca",
        "iscano", "isce", "isci", "isco", "iscono", "issero", "ita", "ite", "iti", "ito", "iva", "ivamo", "ivano", "ivate", "ivi", "ivo",
        "ono",
        "uta", "ute", "uti", "uto", "ar", "ir",
    ];

    public override int StemInPlace(Span<char> buffer, int length)
    {
        Prepare(buffer[..length]);
        var word = new Stem(buffer, length);
        word.MarkRegions(Vowels);
        word.RV = RomanceRegions.RV(word, Vowels);
        AttachedPronoun(ref word);
        if (!StandardSuffix(ref word) && word.Longest(Verbs, word.RV) is { } verb)
            word.Cut(verb.Length);
        if ("aeioàèìò".Contains(word.Back(1)) && word.In(word.RV, 1))
        {
            word.Cut(1);
            if (word.Back(1) == 'i' && word.In(word.RV, 1))
                word.Cut(1);
        }

        if (word.Back(1) == 'h' && word.Back(2) is 'c' or 'g' && word.In(word.RV, 2))
            word.Cut(1);
        foreach (ref var c in buffer[..word.Length])
            c = c is 'I' or 'U' ? char.ToLowerInvariant(c) : c;
        return word.Length;
    }

    /// <summary>Acute accents become grave; u behind q, and u and i between vowels, become consonants, in upper case.</summary>
    private static void Prepare(Span<char> word)
    {
        for (var i = 0; i < word.Length; i++)
        {
            word[i] = word[i] switch
            {
                'á' => 'à',
                'é' => 'è',
                'í' => 'ì',
                'ó' => 'ò',
                'ú' => 'ù',
                'u' when i > 0 && word[i - 1] == 'q' => 'U',
                var c => c,
            };
        }

        for (var i = 1; i + 1 < word.Length; i++)
        {
            if (word[i] is 'u' or 'i' && Vowels.Contains(word[i - 1]) && Vowels.Contains(word[i + 1]))
                word[i] = char.ToUpperInvariant(word[i]);
        }
    }

    private static void AttachedPronoun(ref Stem word)
    {
        if (word.Longest(Pronouns) is not { } pronoun)
            return;
        var stem = word;
        stem.Cut(pronoun.Length);
        if ((stem.EndsWith("ando") || stem.EndsWith("endo")) && stem.In(word.RV, 4))
            word.Cut(pronoun.Length);
        else if ((stem.EndsWith("ar") || stem.EndsWith("er") || stem.EndsWith("ir")) && stem.In(word.RV, 2))
            word.Replace(pronoun.Length, "e");
    }

    private static bool StandardSuffix(ref Stem word)
    {
        if (word.Longest(Standard) is not { } suffix)
            return false;
        var region = suffix switch
        {
            "amente" => word.R1,
            "amento" or "amenti" or "imento" or "imenti" => word.RV,
            _ => word.R2,
        };
        if (!word.In(region, suffix.Length))
            return false;
        switch (suffix)
        {
            case "azione" or "azioni" or "atore" or "atori":
                word.Cut(suffix.Length);
                word.CutInR2("ic");
                break;
            case "logia" or "logie":
                word.Cut(2);
                break;
            case "uzione" or "uzioni" or "usione" or "usioni":
                word.Replace(suffix.Length, "u");
                break;
            case "enza" or "enze":
                word.Replace(suffix.Length, "ente");
                break;
            case "amente":
                RomanceSuffixes.CutAdverb(ref word, "abil");
                break;
            case "ità":
                RomanceSuffixes.CutQuality(ref word, suffix.Length);
                break;
            case "ivo" or "ivi" or "iva" or "ive":
                word.Cut(3);
                if (word.CutInR2("at"))
                    word.CutInR2("ic");
                break;
            default:
                word.Cut(suffix.Length);
                break;
        }

        return true;
    }
}
