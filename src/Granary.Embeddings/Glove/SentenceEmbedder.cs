namespace Granary.Embeddings.Glove;

/// <summary>
/// Sentence vectors after Arora, Liang and Ma (ICLR 2017): the mean of weighted word vectors, less its projection on the first
/// principal component, here of length 1. Stateless apart from the table, so any number of threads may use one.
/// </summary>
internal sealed class SentenceEmbedder(WordTable table)
{
    /// <summary>The longest blank-separated piece that is looked up whole.</summary>
    private const int LongestPiece = 64;

    /// <summary>Below this share of its length before, a vector without the component is rounding noise, and counts as none.</summary>
    private const float NoiseShare = 1e-4f;

    /// <summary>Values a vector.</summary>
    public int Dimensions => table.Dimensions;

    /// <summary>Embeds a text. False: it has no known word, and <paramref name="vector"/> is not to be used.</summary>
    public bool TryEmbed(ReadOnlySpan<char> text, Span<float> vector)
    {
        vector.Clear();
        var known = 0;
        while (!text.IsEmpty)
        {
            var start = 0;
            while (start < text.Length && char.IsWhiteSpace(text[start]))
                start++;
            var end = start;
            while (end < text.Length && !char.IsWhiteSpace(text[end]))
                end++;
            known += AddPiece(text[start..end], vector);
            text = text[end..];
        }

        return known > 0 && Finish(vector);
    }

    /// <summary>Adds a piece without its outer punctuation if it is a word, else its runs of letters and digits that are.</summary>
    private int AddPiece(ReadOnlySpan<char> piece, Span<float> sum)
    {
        while (!piece.IsEmpty && !char.IsLetterOrDigit(piece[0]))
            piece = piece[1..];
        while (!piece.IsEmpty && !char.IsLetterOrDigit(piece[^1]) && piece[^1] is not ('+' or '#'))
            piece = piece[..^1];
        if (piece.IsEmpty)
            return 0;
        if (piece.Length <= LongestPiece && AddWord(piece, sum))
            return 1;

        var known = 0;
        while (!piece.IsEmpty)
        {
            var end = 0;
            while (end < piece.Length && char.IsLetterOrDigit(piece[end]))
                end++;
            // A single letter between punctuation is an initial or the rest of a contraction, not a word.
            if (end is > 1 and <= LongestPiece && AddWord(piece[..end], sum))
                known++;
            piece = piece[Math.Min(end + 1, piece.Length)..];
        }

        return known;
    }

    private bool AddWord(ReadOnlySpan<char> word, Span<float> sum)
    {
        Span<char> lower = stackalloc char[LongestPiece];
        lower = lower[..word.ToLowerInvariant(lower)];
        var row = table.Find(lower);
        if (row < 0)
            return false;
        table.AddTo(row, sum);
        return true;
    }

    /// <summary>Removes the component and scales to length 1, which makes dividing by the number of words needless.</summary>
    private bool Finish(Span<float> vector)
    {
        var component = table.Component;
        var (projection, before) = (0f, 0f);
        for (var i = 0; i < vector.Length; i++)
        {
            projection += vector[i] * component[i];
            before += vector[i] * vector[i];
        }

        var after = 0f;
        for (var i = 0; i < vector.Length; i++)
        {
            vector[i] -= projection * component[i];
            after += vector[i] * vector[i];
        }

        if (!(after > before * NoiseShare * NoiseShare))
            return false;
        var scale = 1 / MathF.Sqrt(after);
        for (var i = 0; i < vector.Length; i++)
            vector[i] *= scale;
        return true;
    }
}
