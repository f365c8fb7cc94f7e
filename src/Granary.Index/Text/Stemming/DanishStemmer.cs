namespace Granary.Index.Text.Stemming;

/// <summary>The Snowball Danish stemmer, https://snowballstem.org/algorithms/danish/stemmer.html.</summary>
internal sealed class DanishStemmer : Stemmer
{
    private const string Vowels = "aeiouyæåø";

    private static readonly string[] Endings =
    [
        "hed", "ethed", "ered", "e", "erede", "ende", "erende", "ene", "erne", "ere", "en", "heden", "eren", "er", "heder", "erer", "heds",
        "es", "endes", "erendes", "enes", "ernes", "eres", "ens", "hedens", "erens", "ers", "ets", "erets", "et", "eret", "s",
    ];

    private static readonly string[] Pairs = ["gd", "dt", "gt", "kt"];
    private static readonly string[] Others = ["ig", "lig", "elig", "els", "løst"];

    public override int StemInPlace(Span<char> buffer, int length)
    {
        if (length < 3)
            return length;
        var word = new Stem(buffer, length);
        word.MarkRegions(Vowels);
        word.R1 = Math.Max(word.R1, 3);
        if (word.Longest(Endings, word.R1) is { } ending && (ending != "s" || "abcdfghjklmnoprtvyzå".Contains(word.Back(2))))
            word.Cut(ending.Length);
        Pair(ref word);
        if (word.EndsWith("igst"))
            word.Cut(2);
        switch (word.Longest(Others, word.R1))
        {
            case null:
                break;
            case "løst":
                word.Cut(1);
                break;
            case var other:
                word.Cut(other.Length);
                Pair(ref word);
                break;
        }

        // A doubled consonant at the end is written once.
        if (word.Length >= 2 && word.In(word.R1, 1) && word.Back(1) == word.Back(2) && "bcdfghjklmnpqrstvwxz".Contains(word.Back(1)))
            word.Cut(1);
        return word.Length;
    }

    private static void Pair(ref Stem word)
    {
        if (word.Longest(Pairs, word.R1) != null)
            word.Cut(1);
    }
}
