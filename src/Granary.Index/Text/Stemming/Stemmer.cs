namespace Granary.Index.Text.Stemming;

/// <summary>A Snowball stemmer. Stateless and thread-safe.</summary>
internal abstract class Stemmer
{
    private static readonly Dictionary<string, Stemmer> Known = new(StringComparer.Ordinal)
    {
        ["danish"] = new DanishStemmer(),
        ["dutch"] = new DutchStemmer(),
        ["english"] = new EnglishStemmer(),
        ["french"] = new FrenchStemmer(),
        ["german"] = new GermanStemmer(),
        ["italian"] = new ItalianStemmer(),
        ["norwegian"] = new NorwegianStemmer(),
        ["portuguese"] = new PortugueseStemmer(),
        ["russian"] = new RussianStemmer(),
        ["spanish"] = new SpanishStemmer(),
        ["swedish"] = new SwedishStemmer(),
    };

    /// <summary>Languages that have a stemmer.</summary>
    public static IEnumerable<string> Languages => Known.Keys.Order(StringComparer.Ordinal);

    /// <summary>The stemmer of a language; null when there is none.</summary>
    public static Stemmer? Find(string language) => Known.GetValueOrDefault(language);

    /// <summary>
    /// Stems the lower-case word in the first <paramref name="length"/> characters of a buffer that is at least
    /// <see cref="Stem.Slack"/> longer. Returns the stem's length.
    /// </summary>
    public abstract int StemInPlace(Span<char> buffer, int length);
}
