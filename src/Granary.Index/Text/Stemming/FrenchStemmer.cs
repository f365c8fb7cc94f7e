namespace Granary.Index.Text.Stemming;

/// <summary>The Snowball French stemmer, https://snowballstem.org/algorithms/french/stemmer.html.</summary>
internal sealed partial class FrenchStemmer : Stemmer
{
    private const string Vowels = "aeiouyâàëéêèïîôûù";

    public override int StemInPlace(Span<char> buffer, int length)
    {
        length = Prepare(buffer, length);
        var word = new Stem(buffer, length);
        word.MarkRegions(Vowels);
        word.RV = FindRV(word);
        if (StandardSuffix(ref word) || VerbWithI(ref word) || OtherVerb(ref word))
        {
            if (word.Back(1) == 'Y')
                word[word.Length - 1] = 'i';
            else if (word.Back(1) == 'ç')
                word[word.Length - 1] = 'c';
        }
        else
        {
            Residual(ref word);
        }

        if (word.EndsWith("enn") || word.EndsWith("onn") || word.EndsWith("ett") || word.EndsWith("ell") || word.EndsWith("eill"))
            word.Cut(1);
        Unaccent(ref word);
        return Restore(buffer, word.Length);
    }

    /// <summary>Vowels that act as consonants go to upper case; ë and ï become He and Hi.</summary>
    private static int Prepare(Span<char> buffer, int length)
    {
        for (var i = 0; i < length; i++)
        {
            var before = i > 0 && Vowels.Contains(buffer[i - 1]);
            var after = i + 1 < length && Vowels.Contains(buffer[i + 1]);
            switch (buffer[i])
            {
                case 'u' when (before && after) || (i > 0 && buffer[i - 1] == 'q'):
                    buffer[i] = 'U';
                    break;
                case 'i' when before && after:
                    buffer[i] = 'I';
                    break;
                case 'y' when before || after:
                    buffer[i] = 'Y';
                    break;
                case 'ë' or 'ï' when length < buffer.Length:
                    buffer[(i + 1)..length].CopyTo(buffer[(i + 2)..]);
                    buffer[i + 1] = buffer[i] == 'ë' ? 'e' : 'i';
                    buffer[i++] = 'H';
                    length++;
                    break;
            }
        }

        return length;
    }

    private static int Restore(Span<char> buffer, int length)
    {
        var written = 0;
        for (var i = 0; i < length; i++)
        {
            var c = buffer[i];
            if (c == 'H' && i + 1 < length && buffer[i + 1] is 'e' or 'i')
                buffer[written++] = buffer[++i] == 'e' ? 'ë' : 'ï';
            else if (c != 'H')
                buffer[written++] = c is 'I' or 'U' or 'Y' ? char.ToLowerInvariant(c) : c;
        }

        return written;
    }

    /// <summary>After the third letter when two vowels begin the word, or par, col, tap; else after the first vowel not at the
    /// beginning.</summary>
    private static int FindRV(Stem word)
    {
        if (word.Length < 2)
            return word.Length;
        if (word.Length >= 3 && ((Vowels.Contains(word[0]) && Vowels.Contains(word[1]))
            || word.StartsWith("par") || word.StartsWith("col") || word.StartsWith("tap")))
        {
            return 3;
        }

        for (var i = 1; i < word.Length; i++)
        {
            if (Vowels.Contains(word[i]))
                return i + 1;
        }

        return word.Length;
    }

    private static void Residual(ref Stem word)
    {
        if (word.Back(1) == 's' && word.Length > 1)
        {
            if (word.Length >= 3 && word.Back(3) == 'H' && word.Back(2) == 'i')
                word.Cut(1);
            else if (!"aiouès".Contains(word.Back(2)))
                word.Cut(1);
        }

        switch (word.Longest(ResidualSuffixes, word.RV))
        {
            case "ion":
                if (word.In(word.R2, 3) && word.In(word.RV, 4) && word.Back(4) is 's' or 't')
                    word.Cut(3);
                break;
            case "e":
                word.Cut(1);
                break;
            case { } suffix:
                word.Replace(suffix.Length, "i");
                break;
        }
    }

    private static void Unaccent(ref Stem word)
    {
        var i = word.Length - 1;
        while (i >= 0 && !Vowels.Contains(word[i]))
            i--;
        if (i >= 0 && i < word.Length - 1 && word[i] is 'é' or 'è')
            word[i] = 'e';
    }
}
