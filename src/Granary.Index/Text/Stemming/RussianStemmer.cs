namespace Granary.Index.Text.Stemming;

/// <summary>The Snowball Russian stemmer, https://snowballstem.org/algorithms/russian/stemmer.html.</summary>
internal sealed class RussianStemmer : Stemmer
{
    private const string Vowels = "аеиоуыэюя";
    private static readonly string[] Gerund1 = ["в", "вши", "вшись"];
    private static readonly string[] Gerund2 = ["ив", "ивши", "ившись", "ыв", "ывши", "ывшись"];
    private static readonly string[] Reflexive = ["ся", "сь"];

    private static readonly string[] Adjective =
    [
        "ее", "ие", "ые", "ое", "ими", "ыми", "ей", "ий", "ый", "ой", "ем", "им", "ым", "ом", "его", "ого", "ему", "ому", "их", "ых",
        "ую", "юю",
        "ая", "яя", "ою", "ею",
    ];

    private static readonly string[] Participle1 = ["ем", "нн", "вш", "ющ", "щ"];
    private static readonly string[] Participle2 = ["ивш", "ывш", "ующ"];

    private static readonly string[] Verb1 =
        ["ла", "на", "ете", "йте", "ли", "й", "л", "ем", "н", "ло", "но", "ет", "ют", "ны", "ть", "ешь", "нно"];

    private static readonly string[] Verb2 =
    [
        "ила", "ыла", "ена", "ейте", "уйте", "ите", "или", "ыли", "ей", "уй", "ил", "ыл", "им", "ым", "ен", "ило", "ыло", "ено", "ят",
        "ует",
        "уют", "ит", "ыт", "ены", "ить", "ыть", "ишь", "ую", "ю",
    ];

    private static readonly string[] Noun =
    [
        "а", "ев", "ов", "ие", "ье", "е", "иями", "ями", "ами", "еи", "ии", "и", "ией", "ей", "ой", "ий", "й", "иям", "ям", "ием", "ем",
        "ам",
        "ом", "о", "у", "ах", "иях", "ях", "ы", "ь", "ию", "ью", "ю", "ия", "ья", "я",
    ];

    private static readonly string[] Superlative = ["ейш", "ейше"];

    public override int StemInPlace(Span<char> buffer, int length)
    {
        buffer[..length].Replace('ё', 'е');
        var word = new Stem(buffer, length);
        word.MarkRegions(Vowels);
        var first = word.Span.IndexOfAny(Vowels);
        word.RV = first < 0 ? length : first + 1;
        if (!Remove(ref word, Gerund1, Gerund2))
        {
            if (word.Longest(Reflexive, word.RV) is { } reflexive)
                word.Cut(reflexive.Length);
            if (word.Longest(Adjective, word.RV) is { } adjective)
            {
                word.Cut(adjective.Length);
                Remove(ref word, Participle1, Participle2);
            }
            else if (!Remove(ref word, Verb1, Verb2) && word.Longest(Noun, word.RV) is { } noun)
            {
                word.Cut(noun.Length);
            }
        }

        if (word.EndsWith("и") && word.In(word.RV, 1))
            word.Cut(1);
        var derivation = word.EndsWith("ость") ? 4 : word.EndsWith("ост") ? 3 : 0;
        if (derivation > 0 && word.In(Math.Max(word.R2, word.RV), derivation))
            word.Cut(derivation);
        if (word.Longest(Superlative, word.RV) is { } superlative)
        {
            word.Cut(superlative.Length);
            SingleN(ref word);
        }
        else if (word.EndsWith("ь") && word.In(word.RV, 1))
        {
            word.Cut(1);
        }
        else
        {
            SingleN(ref word);
        }

        return word.Length;
    }

    /// <summary>Removes the longest suffix of either group; one of the first only behind а or я, inside RV.</summary>
    private static bool Remove(ref Stem word, string[] behindA, string[] others)
    {
        var one = word.Longest(behindA, word.RV);
        var other = word.Longest(others, word.RV);
        if (other != null && other.Length > (one?.Length ?? 0))
        {
            word.Cut(other.Length);
            return true;
        }

        if (one == null || !word.In(word.RV, one.Length + 1) || word.Back(one.Length + 1) is not ('а' or 'я'))
            return false;
        word.Cut(one.Length);
        return true;
    }

    private static void SingleN(ref Stem word)
    {
        if (word.EndsWith("нн") && word.In(word.RV, 2))
            word.Cut(1);
    }
}
