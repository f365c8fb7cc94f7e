using Granary.Embeddings;
using Granary.Embeddings.Glove;

namespace Granary.Standalone.Tests.Embeddings;

public sealed class GloveEmbeddingTests : IDisposable
{
    private readonly GloveEmbeddingGenerator _generator = new();

    public void Dispose() => _generator.Dispose();

    [Fact]
    public async Task Vectors_have_a_hundred_values_and_length_one()
    {
        var vectors = await _generator.GenerateAsync(["A fast music player", "network monitor"]);
        Assert.All(vectors, vector =>
        {
            Assert.Equal(100, vector.Vector.Length);
            Assert.Equal(1, Dot(vector.Vector.Span, vector.Vector.Span), 4);
        });
    }

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("... --- !!!")]
    [InlineData("qzxwvkj zzqqxx9")]
    public async Task A_text_without_a_known_word_gets_no_vector(string text)
    {
        Assert.Null(_generator.Embed(text));
        Assert.True((await _generator.GenerateAsync([text]))[0].Vector.IsEmpty);
    }

    [Fact]
    public void Texts_about_the_same_are_nearer_than_texts_about_something_else()
    {
        var music = _generator.Embed("play songs and albums on the terminal")!;
        var player = _generator.Embed("a command line audio player for music files")!;
        var kernel = _generator.Embed("statistical regression of biological samples")!;
        Assert.True(Dot(music, player) > Dot(music, kernel) + 0.2f);
    }

    [Fact]
    public void Case_and_outer_punctuation_make_no_difference()
    {
        var plain = _generator.Embed("editor for pictures");
        Assert.Equal(plain, _generator.Embed("EDITOR, for (pictures)!"));
    }

    [Fact]
    public void Words_joined_by_punctuation_count_as_their_parts() =>
        Assert.Equal(_generator.Embed("network monitor"), _generator.Embed("network/monitor"));

    [Fact]
    public void The_same_text_gets_the_same_vector_from_any_thread()
    {
        const string Text = "Synchronise folders between machines over an encrypted connection";
        var expected = new GloveEmbeddingGenerator().Embed(Text);
        var all = new float[64][];
        Parallel.For(0, all.Length, i => all[i] = _generator.Embed(Text)!);
        Assert.All(all, vector => Assert.Equal(expected, vector));
    }

    [Fact]
    public void The_table_stays_within_six_megabytes()
    {
        Assert.True(WordTable.BuiltIn.Count > 50_000);
        Assert.True(WordTable.BuiltIn.Count * (WordTable.BuiltIn.Dimensions + 4L) < 6_000_000);
        using var resource = typeof(WordTable).Assembly.GetManifestResourceStream("words.bin.gz")!;
        Assert.True(resource.Length < 6_000_000);
    }

    [Fact]
    public void A_table_of_another_version_is_refused() =>
        Assert.Throws<InvalidDataException>(() => WordTable.Read("GRWT\u0009\0\0\0\0\0\0\0\0\0\0\0"u8));

    private static float Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var sum = 0f;
        for (var i = 0; i < a.Length; i++)
            sum += a[i] * b[i];
        return sum;
    }
}
