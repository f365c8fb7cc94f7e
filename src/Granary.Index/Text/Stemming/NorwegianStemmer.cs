namespace Granary.Index.Text.Stemming;

/// <summary>The Snowball Norwegian (Bokmål) stemmer, https://snowballstem.org/algorithms/norwegian/stemmer.html.</summary>
internal sealed class NorwegianStemmer : Stemmer
{
    private const string Vowels = "aeiouyæåø";

    private static readonly string[] Endings =
    [
        "a", "e", "ede", "ande", "ende", "ane", "ene", "hetene", "en", "heten", "ar", "er", "heter", "as", "es", "edes", "endes", "enes",
        "hetenes", "ens", "hetens", "ers", "ets", "et", "het", "ast", "s", "erte", "ert",
    ];

    private static readonly string[] Pairs = ["dt", "vt"];
    private static readonly string[] Others = ["leg", "eleg", "ig", "eig", "lig", "elig", "els", "lov", "elov", "slov", "hetslov"];

    public override int StemInPlace(Span<char> buffer, int length)
    {
        var word = new Stem(buffer, length);
        word.MarkRegions(Vowels);
        word.R1 = Math.Max(word.R1, Math.Min(3, length));
        if (length < 3)
            return length;
        switch (word.Longest(Endings, word.R1))
        {
            case null:
                break;
            case "s":
                if ("bcdfghjlmnoprtvyz".Contains(word.Back(2))
                    || (word.Back(2) == 'k' && word.Length > 2 && !Vowels.Contains(word.Back(3))))
                    word.Cut(1);
                break;
            case ("erte" or "ert") and var ending:
                word.Replace(ending.Length, "er");
                break;
            case var ending:
                word.Cut(ending.Length);
                break;
        }

        if (word.Longest(Pairs, word.R1) != null)
            word.Cut(1);
        if (word.Longest(Others, word.R1) is { } other)
            word.Cut(other.Length);
        return word.Length;
    }
}
