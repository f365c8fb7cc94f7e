using Granary.Index.Text.Stemming;

namespace Granary.Index.Tests.Text;

/// <summary>Checks against samples of the vocabularies published with Snowball (snowball-data, 3-clause BSD).</summary>
public sealed class StemmerTests
{
    public static TheoryData<string> Languages => new(Stemmer.Languages);

    [Theory]
    [MemberData(nameof(Languages))]
    public void Stems_are_those_of_the_published_vocabulary(string language)
    {
        var stemmer = Stemmer.Find(language)!;
        var wrong = new List<string>();
        var cases = 0;
        foreach (var line in Vectors.Lines(language + ".txt"))
        {
            cases++;
            var word = line[..line.IndexOf('\t')];
            var expected = line[(word.Length + 1)..];
            var found = StemOf(stemmer, word);
            if (found != expected)
                wrong.Add($"{word}: {found}, not {expected}");
        }

        Assert.True(cases > 1_000, $"{cases} words");
        Assert.True(wrong.Count == 0, $"{wrong.Count} of {cases}: {string.Join("; ", wrong.Take(40))}");
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public void Any_letters_are_stemmed_within_the_buffer(string language)
    {
        var stemmer = Stemmer.Find(language)!;
        var random = new Random(7);
        const string Letters = "aeiouybcdglmnrstzéèäöüßñçшщаеиоуыямнтсьй'";
        for (var round = 0; round < 20_000; round++)
        {
            var word = new string([.. Enumerable.Range(0, random.Next(1, 14)).Select(_ => Letters[random.Next(Letters.Length)])]);
            Assert.InRange(StemOf(stemmer, word).Length, 0, word.Length + Stem.Slack);
        }
    }

    private static string StemOf(Stemmer stemmer, string word)
    {
        Span<char> buffer = stackalloc char[word.Length + Stem.Slack];
        word.CopyTo(buffer);
        return buffer[..stemmer.StemInPlace(buffer, word.Length)].ToString();
    }
}
