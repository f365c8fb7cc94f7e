namespace Granary.Index.Text.Stemming;

/// <summary>The Snowball Swedish stemmer, https://snowballstem.org/algorithms/swedish/stemmer.html.</summary>
internal sealed class SwedishStemmer : Stemmer
{
    private const string Vowels = "aeiouyäåö";

    private static readonly string[] Endings =
    [
        "a", "arna", "erna", "heterna", "orna", "ad", "e", "ade", "ande", "arne", "are", "aste", "en", "anden", "aren", "heten", "ern",
        "ar",
        "er", "heter", "or", "as", "arnas", "ernas", "ornas", "es", "ades", "andes", "ens", "arens", "hetens", "erns", "at", "andet", "het",
        "ast", "s",
    ];

    private static readonly string[] Pairs = ["dd", "gd", "nn", "dt", "gt", "kt", "tt"];
    private static readonly string[] Others = ["lig", "ig", "els", "löst", "fullt"];

    public override int StemInPlace(Span<char> buffer, int length)
    {
        var word = new Stem(buffer, length);
        word.MarkRegions(Vowels);
        word.R1 = Math.Max(word.R1, Math.Min(3, length));
        if (length < 3)
            return length;
        if (word.Longest(Endings, word.R1) is { } ending && (ending != "s" || "bcdfghjklmnoprtvy".Contains(word.Back(2))))
            word.Cut(ending.Length);
        if (word.Longest(Pairs, word.R1) != null)
            word.Cut(1);
        switch (word.Longest(Others, word.R1))
        {
            case "lig":
                word.Cut(3);
                break;
            case "ig":
                word.Cut(2);
                break;
            case "els":
                word.Cut(3);
                break;
            case "löst" or "fullt":
                word.Cut(1);
                break;
        }

        return word.Length;
    }
}
