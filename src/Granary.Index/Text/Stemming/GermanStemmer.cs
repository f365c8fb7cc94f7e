namespace Granary.Index.Text.Stemming;

/// <summary>The Snowball German stemmer, https://snowballstem.org/algorithms/german/stemmer.html.</summary>
internal sealed class GermanStemmer : Stemmer
{
    private const string Vowels = "aeiouyäöü";
    private static readonly string[] Step1 = ["em", "ern", "er", "e", "en", "es", "s"];
    private static readonly string[] Step2 = ["en", "er", "est", "st"];
    private static readonly string[] Step3 = ["end", "ung", "ig", "ik", "isch", "lich", "heit", "keit"];

    public override int StemInPlace(Span<char> buffer, int length)
    {
        length = Prepare(buffer, length);
        var word = new Stem(buffer, length);
        word.MarkRegions(Vowels);
        if (word.R1 < 3)
            word.R1 = Math.Min(3, length);
        Endings(ref word);
        Derivations(ref word);
        foreach (ref var c in buffer[..word.Length])
        {
            c = c switch
            {
                'U' or 'ü' => 'u',
                'Y' => 'y',
                'ä' => 'a',
                'ö' => 'o',
                _ => c,
            };
        }

        return word.Length;
    }

    /// <summary>ß becomes ss while there is room; u and y between vowels become consonants, in upper case.</summary>
    private static int Prepare(Span<char> buffer, int length)
    {
        for (var i = 0; i < length; i++)
        {
            if (buffer[i] == 'ß' && length < buffer.Length)
            {
                buffer[(i + 1)..length].CopyTo(buffer[(i + 2)..]);
                buffer[i] = buffer[++i] = 's';
                length++;
            }
        }

        for (var i = 1; i + 1 < length; i++)
        {
            if (buffer[i] is 'u' or 'y' && Vowels.Contains(buffer[i - 1]) && Vowels.Contains(buffer[i + 1]))
                buffer[i] = char.ToUpperInvariant(buffer[i]);
        }

        return length;
    }

    /// <summary>Steps 1 and 2.</summary>
    private static void Endings(ref Stem word)
    {
        if (word.Longest(Step1) is { } suffix && word.In(word.R1, suffix.Length))
        {
            if (suffix == "s")
            {
                if ("bdfghklmnrt".Contains(word.Back(2)))
                    word.Cut(1);
            }
            else
            {
                word.Cut(suffix.Length);
                if (suffix is "e" or "en" or "es" && word.EndsWith("niss"))
                    word.Cut(1);
            }
        }

        if (word.Longest(Step2) is { } second && word.In(word.R1, second.Length)
            && (second != "st" || (word.Length >= 6 && "bdfghklmnt".Contains(word.Back(3)))))
        {
            word.Cut(second.Length);
        }
    }

    /// <summary>Step 3.</summary>
    private static void Derivations(ref Stem word)
    {
        if (word.Longest(Step3) is not { } suffix || !word.In(word.R2, suffix.Length))
            return;
        switch (suffix)
        {
            case "end" or "ung":
                word.Cut(3);
                if (word.EndsWith("ig") && word.In(word.R2, 2) && word.Back(3) != 'e')
                    word.Cut(2);
                break;
            case "ig" or "ik" or "isch":
                if (word.Back(suffix.Length + 1) != 'e')
                    word.Cut(suffix.Length);
                break;
            case "lich" or "heit":
                word.Cut(4);
                if ((word.EndsWith("er") || word.EndsWith("en")) && word.In(word.R1, 2))
                    word.Cut(2);
                break;
            default:
                word.Cut(4);
                if (word.EndsWith("lich") && word.In(word.R2, 4))
                    word.Cut(4);
                else if (word.EndsWith("ig") && word.In(word.R2, 2))
                    word.Cut(2);
                break;
        }
    }
}
