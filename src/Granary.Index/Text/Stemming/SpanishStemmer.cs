namespace Granary.Index.Text.Stemming;

/// <summary>The Snowball Spanish stemmer, https://snowballstem.org/algorithms/spanish/stemmer.html.</summary>
internal sealed class SpanishStemmer : Stemmer
{
    private const string Vowels = "aeiouáéíóúü";

    private static readonly string[] Pronouns =
        ["me", "se", "sela", "selo", "selas", "selos", "la", "le", "lo", "las", "les", "los", "nos"];

    private static readonly string[] BeforePronoun =
        ["iéndo", "ándo", "ár", "ér", "ír", "iendo", "ando", "ar", "er", "ir", "yendo"];

    private static readonly string[] Standard =
    [
        "anza", "anzas", "ico", "ica", "icos", "icas", "ismo", "ismos", "able", "ables", "ible", "ibles", "ista", "istas", "oso", "osa",
        "osos",
        "osas", "amiento", "amientos", "imiento", "imientos", "adora", "ador", "ación", "adoras", "adores", "aciones", "ante", "antes",
        "ancia",
        "ancias", "logía", "logías", "ución", "uciones", "encia", "encias", "amente", "mente", "idad", "idades", "iva", "ivo",
        "ivas", "ivos",
    ];

    private static readonly string[] VerbsY = ["ya", "ye", "yan", "yen", "yeron", "yendo", "yo", "yó", "yas", "yes", "yais", "yamos"];
    private static readonly string[] VerbsE = ["en", "es", "éis", "emos"];

    private static readonly string[] Verbs =
    [
        "arían", "arías", "arán", "arás", "aríais", "aría", "aréis", "aríamos", "aremos", "ará", "aré", "erían", "erías", "erán", "erás",
        "eríais", "ería", "eréis", "eríamos", "eremos", "erá", "eré", "irían", "irías", "irán", "irás", "iríais", "iría", "iréis",
        "iríamos",
        "iremos", "irá", "iré", "aba", "ada", "ida", "ía", "ara", "iera", "ad", "ed", "id", "ase", "iese", "aste", "iste", "an", "aban",
        "ían",
        "aran", "ieran", "asen", "iesen", "aron", "ieron", "ado", "ido", "ando", "iendo", "ió", "ar", "er", "ir", "as", "abas", "adas",
        "idas",
        "ías", "aras", "ieras", "ases", "ieses", "ís", "áis", "abais", "íais", "arais", "ierais", "aseis", "ieseis", "asteis", "isteis",
        "ados",
        "idos", "amos", "ábamos", "íamos", "imos", "áramos", "iéramos", "iésemos", "ásemos",
    ];

    private static readonly string[] Residual = ["os", "a", "o", "á", "í", "ó", "e", "é"];

    public override int StemInPlace(Span<char> buffer, int length)
    {
        var word = new Stem(buffer, length);
        word.MarkRegions(Vowels);
        word.RV = RomanceRegions.RV(word, Vowels);
        AttachedPronoun(ref word);
        if (!StandardSuffix(ref word) && !VerbWithY(ref word))
            Verb(ref word);
        Final(ref word);
        foreach (ref var c in buffer[..word.Length])
        {
            c = c switch
            {
                'á' => 'a',
                'é' => 'e',
                'í' => 'i',
                'ó' => 'o',
                'ú' => 'u',
                _ => c,
            };
        }

        return word.Length;
    }

    private static void AttachedPronoun(ref Stem word)
    {
        if (word.Longest(Pronouns) is not { } pronoun)
            return;
        var stem = word;
        stem.Cut(pronoun.Length);
        if (stem.Longest(BeforePronoun) is not { } before || !stem.In(word.RV, before.Length))
            return;
        if (before == "yendo")
        {
            if (stem.Back(6) == 'u')
                word.Cut(pronoun.Length);
            return;
        }

        word.Cut(pronoun.Length);
        ref var accent = ref word[word.Length - before.Length + (before == "iéndo" ? 1 : 0)];
        accent = accent switch
        {
            'á' => 'a',
            'é' => 'e',
            'í' => 'i',
            _ => accent,
        };
    }

    private static bool StandardSuffix(ref Stem word)
    {
        if (word.Longest(Standard) is not { } suffix || !word.In(suffix == "amente" ? word.R1 : word.R2, suffix.Length))
            return false;
        switch (suffix)
        {
            case "logía" or "logías":
                word.Replace(suffix.Length, "log");
                break;
            case "ución" or "uciones":
                word.Replace(suffix.Length, "u");
                break;
            case "encia" or "encias":
                word.Replace(suffix.Length, "ente");
                break;
            case "amente":
                RomanceSuffixes.CutAdverb(ref word, "ad");
                break;
            case "mente":
                word.Cut(5);
                if (!word.CutInR2("ante") && !word.CutInR2("able"))
                    word.CutInR2("ible");
                break;
            case "idad" or "idades":
                RomanceSuffixes.CutQuality(ref word, suffix.Length);
                break;
            case "iva" or "ivo" or "ivas" or "ivos":
                word.Cut(suffix.Length);
                word.CutInR2("at");
                break;
            case "adora" or "ador" or "ación" or "adoras" or "adores" or "aciones" or "ante" or "antes" or "ancia" or "ancias":
                word.Cut(suffix.Length);
                word.CutInR2("ic");
                break;
            default:
                word.Cut(suffix.Length);
                break;
        }

        return true;
    }

    private static bool VerbWithY(ref Stem word)
    {
        if (word.Longest(VerbsY, word.RV) is not { } suffix || word.Back(suffix.Length + 1) != 'u')
            return false;
        word.Cut(suffix.Length);
        return true;
    }

    private static void Verb(ref Stem word)
    {
        var e = word.Longest(VerbsE, word.RV);
        var suffix = word.Longest(Verbs, word.RV);
        if (e != null && e.Length > (suffix?.Length ?? 0))
        {
            word.Cut(e.Length);
            if (word.EndsWith("gu"))
                word.Cut(1);
        }
        else if (suffix != null)
        {
            word.Cut(suffix.Length);
        }
    }

    private static void Final(ref Stem word)
    {
        if (word.Longest(Residual) is not { } suffix || !word.In(word.RV, suffix.Length))
            return;
        word.Cut(suffix.Length);
        if (suffix is "e" or "é" && word.EndsWith("gu") && word.In(word.RV, 1))
            word.Cut(1);
    }
}
