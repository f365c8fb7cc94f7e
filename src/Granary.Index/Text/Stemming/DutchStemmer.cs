namespace Granary.Index.Text.Stemming;

/// <summary>The Snowball Dutch stemmer (M. F. Porter's of 2001), https://snowballstem.org/algorithms/dutch/stemmer.html.</summary>
internal sealed class DutchStemmer : Stemmer
{
    private const string Vowels = "aeiouyè";
    private static readonly string[] Plurals = ["heden", "en", "ene", "s", "se"];
    private static readonly string[] Derivations = ["end", "ing", "ig", "lijk", "baar", "bar"];

    public override int StemInPlace(Span<char> buffer, int length)
    {
        for (var i = 0; i < length; i++)
        {
            buffer[i] = buffer[i] switch
            {
                'ä' or 'á' => 'a',
                'ë' or 'é' => 'e',
                'ï' or 'í' => 'i',
                'ö' or 'ó' => 'o',
                'ü' or 'ú' => 'u',
                var c => c,
            };
        }

        for (var i = 0; i < length; i++)
        {
            if ((buffer[i] == 'y' && (i == 0 || Vowels.Contains(buffer[i - 1])))
                || (buffer[i] == 'i' && i > 0 && i + 1 < length && Vowels.Contains(buffer[i - 1]) && Vowels.Contains(buffer[i + 1])))
            {
                buffer[i] = char.ToUpperInvariant(buffer[i]);
            }
        }

        var word = new Stem(buffer, length);
        word.MarkRegions(Vowels);
        if (word.R1 < 3)
            word.R1 = Math.Min(3, length);
        Inflections(ref word);
        var removedE = FinalE(ref word);
        if (word.EndsWith("heid") && word.In(word.R2, 4) && word.Back(5) != 'c')
        {
            word.Cut(4);
            if (word.EndsWith("en"))
                RemoveEn(ref word, 2);
        }

        Suffixes(ref word, removedE);
        if (word.Length >= 4 && word.Back(3) == word.Back(2) && "aeou".Contains(word.Back(2))
            && !Vowels.Contains(word.Back(1)) && word.Back(1) != 'I' && !Vowels.Contains(word.Back(4)))
        {
            word.RemoveAt(word.Length - 2);
        }

        foreach (ref var c in buffer[..word.Length])
            c = c is 'I' or 'Y' ? char.ToLowerInvariant(c) : c;
        return word.Length;
    }

    private static void Inflections(ref Stem word)
    {
        switch (word.Longest(Plurals))
        {
            case "heden":
                if (word.In(word.R1, 5))
                    word.Replace(5, "heid");
                break;
            case ("en" or "ene") and var suffix:
                RemoveEn(ref word, suffix.Length);
                break;
            case ("s" or "se") and var suffix:
                var before = word.Back(suffix.Length + 1);
                if (word.In(word.R1, suffix.Length) && before != '\0' && before != 'j' && !Vowels.Contains(before))
                    word.Cut(suffix.Length);
                break;
        }
    }

    private static void RemoveEn(ref Stem word, int count)
    {
        var before = word.Back(count + 1);
        if (!word.In(word.R1, count) || before == '\0' || Vowels.Contains(before) || word.Span[..^count].EndsWith("gem"))
            return;
        word.Cut(count);
        Undouble(ref word);
    }

    private static bool FinalE(ref Stem word)
    {
        if (word.Back(1) != 'e' || !word.In(word.R1, 1) || word.Length < 2 || Vowels.Contains(word.Back(2)))
            return false;
        word.Cut(1);
        Undouble(ref word);
        return true;
    }

    private static void Suffixes(ref Stem word, bool removedE)
    {
        if (word.Longest(Derivations) is not { } suffix || !word.In(word.R2, suffix.Length))
            return;
        switch (suffix)
        {
            case "end" or "ing":
                word.Cut(3);
                if (word.EndsWith("ig") && word.In(word.R2, 2) && word.Back(3) != 'e')
                    word.Cut(2);
                else
                    Undouble(ref word);
                break;
            case "ig":
                if (word.Back(3) != 'e')
                    word.Cut(2);
                break;
            case "lijk":
                word.Cut(4);
                FinalE(ref word);
                break;
            case "baar":
                word.Cut(4);
                break;
            default:
                if (removedE)
                    word.Cut(3);
                break;
        }
    }

    private static void Undouble(ref Stem word)
    {
        if (word.EndsWith("kk") || word.EndsWith("dd") || word.EndsWith("tt"))
            word.Cut(1);
    }
}
