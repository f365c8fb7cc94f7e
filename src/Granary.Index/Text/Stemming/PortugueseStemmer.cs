namespace Granary.Index.Text.Stemming;

/// <summary>The Snowball Portuguese stemmer, https://snowballstem.org/algorithms/portuguese/stemmer.html. Nasal vowels are written a~ and
/// o~ meanwhile.</summary>
internal sealed class PortugueseStemmer : Stemmer
{
    private const string Vowels = "aeiouáéíóúâêô";

    private static readonly string[] Standard =
    [
        "eza", "ezas", "ico", "ica", "icos", "icas", "ismo", "ismos", "ável", "ível", "ista", "istas", "oso", "osa", "osos", "osas",
        "amento",
        "amentos", "imento", "imentos", "adora", "ador", "aça~o", "adoras", "adores", "aço~es", "ante", "antes", "ância", "logia", "logias",
        "uça~o", "uço~es", "ência", "ências", "amente", "mente", "idade", "idades", "iva", "ivo", "ivas", "ivos", "ira", "iras",
    ];

    private static readonly string[] Verbs =
    [
        "ada", "ida", "ia", "aria", "eria", "iria", "ará", "ara", "erá", "era", "irá", "ava", "asse", "esse", "isse", "aste", "este",
        "iste",
        "ei", "arei", "erei", "irei", "am", "iam", "ariam", "eriam", "iriam", "aram", "eram", "iram", "avam", "em", "arem", "erem", "irem",
        "assem", "essem", "issem", "ado", "ido", "ando", "endo", "indo", "ara~o", "era~o", "ira~o", "ar", "er", "ir", "as", "adas", "idas",
        "ias", "arias", "erias", "irias", "arás", "aras", "erás", "eras", "irás", "avas", "es", "ardes", "erdes", "irdes", "ares", "eres",
        "ires", "asses", "esses", "isses", "astes", "estes", "istes", "is", "ais", "eis", "íeis", "aríeis", "eríeis", "iríeis", "áreis",
        "areis", "éreis", "ereis", "íreis", "ireis", "ásseis", "ésseis", "ísseis", "áveis", "ados", "idos", "ámos", "amos", "íamos",
        "aríamos",
        "eríamos", "iríamos", "áramos", "éramos", "íramos", "ávamos", "emos", "aremos", "eremos", "iremos", "ássemos", "êssemos", "íssemos",
        "imos", "armos", "ermos", "irmos", "eu", "iu", "ou", "ira", "iras",
    ];

    private static readonly string[] Residual = ["os", "a", "i", "o", "á", "í", "ó"];

    public override int StemInPlace(Span<char> buffer, int length)
    {
        // A word with more nasal vowels than there is room for keeps the later ones, and only loses their endings.
        for (var i = 0; i < length; i++)
        {
            if (buffer[i] is not ('ã' or 'õ') || length == buffer.Length)
                continue;
            buffer[(i + 1)..length].CopyTo(buffer[(i + 2)..]);
            buffer[i] = buffer[i] == 'ã' ? 'a' : 'o';
            buffer[++i] = '~';
            length++;
        }

        var word = new Stem(buffer, length);
        word.MarkRegions(Vowels);
        word.RV = RomanceRegions.RV(word, Vowels);
        if (StandardSuffix(ref word) || Verb(ref word))
        {
            if (word.EndsWith("ci") && word.In(word.RV, 1))
                word.Cut(1);
        }
        else if (word.Longest(Residual) is { } residual && word.In(word.RV, residual.Length))
        {
            word.Cut(residual.Length);
        }

        FinalE(ref word);
        return Restore(buffer, word.Length);
    }

    private static int Restore(Span<char> buffer, int length)
    {
        var written = 0;
        for (var i = 0; i < length; i++)
        {
            if (buffer[i] is 'a' or 'o' && i + 1 < length && buffer[i + 1] == '~')
            {
                buffer[written++] = buffer[i] == 'a' ? 'ã' : 'õ';
                i++;
            }
            else
            {
                buffer[written++] = buffer[i];
            }
        }

        return written;
    }

    private static bool StandardSuffix(ref Stem word)
    {
        if (word.Longest(Standard) is not { } suffix)
            return false;
        if (suffix is "ira" or "iras")
        {
            if (!word.In(word.RV, suffix.Length) || word.Back(suffix.Length + 1) != 'e')
                return false;
            word.Replace(suffix.Length, "ir");
            return true;
        }

        if (!word.In(suffix == "amente" ? word.R1 : word.R2, suffix.Length))
            return false;
        switch (suffix)
        {
            case "logia" or "logias":
                word.Replace(suffix.Length, "log");
                break;
            case "uça~o" or "uço~es":
                word.Replace(suffix.Length, "u");
                break;
            case "ência" or "ências":
                word.Replace(suffix.Length, "ente");
                break;
            case "amente":
                RomanceSuffixes.CutAdverb(ref word, "ad");
                break;
            case "mente":
                word.Cut(5);
                if (!word.CutInR2("ante") && !word.CutInR2("avel") && !word.CutInR2("ável"))
                    word.CutInR2("ível");
                break;
            case "idade" or "idades":
                RomanceSuffixes.CutQuality(ref word, suffix.Length);
                break;
            case "iva" or "ivo" or "ivas" or "ivos":
                word.Cut(suffix.Length);
                word.CutInR2("at");
                break;
            default:
                word.Cut(suffix.Length);
                break;
        }

        return true;
    }

    private static bool Verb(ref Stem word)
    {
        if (word.Longest(Verbs, word.RV) is not { } suffix)
            return false;
        word.Cut(suffix.Length);
        return true;
    }

    private static void FinalE(ref Stem word)
    {
        if (word.Back(1) is 'e' or 'é' or 'ê')
        {
            if (!word.In(word.RV, 1))
                return;
            word.Cut(1);
            if ((word.EndsWith("gu") || word.EndsWith("ci")) && word.In(word.RV, 1))
                word.Cut(1);
        }
        else if (word.Back(1) == 'ç')
        {
            word.Replace(1, "c");
        }
    }
}
