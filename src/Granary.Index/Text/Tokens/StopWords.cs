using System.Collections.Frozen;

namespace Granary.Index.Text.Tokens;

/// <summary>Stop words by language.</summary>
internal static class StopWords
{
    /// <summary>The short English list of Lucene's analysers.</summary>
    public static readonly string[] English =
    [
        "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it", "no", "not", "of", "on", "or",
        "such", "that", "the", "their", "then", "there", "these", "they", "this", "to", "was", "will", "with",
    ];

    private static readonly Lazy<FrozenDictionary<string, string[]>> Lists = new(Read);

    /// <summary>Languages that have a list.</summary>
    public static IEnumerable<string> Languages => Lists.Value.Keys.Order(StringComparer.Ordinal);

    /// <summary>The long list of a language, as Qdrant uses it; null when there is none.</summary>
    public static string[]? Find(string language) => Lists.Value.GetValueOrDefault(language);

    private static FrozenDictionary<string, string[]> Read()
    {
        using var stream = typeof(StopWords).Assembly.GetManifestResourceStream("Granary.Index.StopWords.txt")!;
        using var reader = new StreamReader(stream);
        var lists = new Dictionary<string, string[]>();
        while (reader.ReadLine() is { } line)
        {
            if (line.StartsWith('#'))
                continue;
            var words = line.Split('\t');
            lists[words[0]] = words[1..];
        }

        return lists.ToFrozenDictionary();
    }
}
