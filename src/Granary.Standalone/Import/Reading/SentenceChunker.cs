namespace Granary.Standalone.Import.Reading;

/// <summary>
/// Splits a text into chunks of at most <paramref name="size"/> characters that end where a sentence or a paragraph does, or a word where
/// there is neither, each beginning with the last whole sentences of the one before, up to <paramref name="overlap"/> characters. Holds two
/// chunks at most.
/// </summary>
internal sealed class SentenceChunker(TextReader reader, int size, int overlap)
{
    private readonly char[] _buffer = new char[size + 1];
    private int _length;
    private int _repeated;
    private bool _ended;
    private long _nextLine = 1;

    /// <summary>The line at which the chunk read last begins, from 1.</summary>
    public long Line { get; private set; }

    /// <summary>The next chunk; null after the last.</summary>
    public async ValueTask<string?> ReadAsync(CancellationToken cancellation)
    {
        while (true)
        {
            while (!_ended && _length < _buffer.Length)
            {
                var count = await reader.ReadAsync(_buffer.AsMemory(_length), cancellation);
                _ended = count == 0;
                _length += count;
            }

            // What is left was in the chunk before: the text is at its end.
            if (_length <= _repeated)
                return null;
            var text = _buffer.AsSpan(0, _length);
            var end = _length <= size ? _length : End(text[..size], _repeated);
            Line = _nextLine + text[..(text.Length - text.TrimStart().Length)].Count('\n');
            var chunk = text[..end].Trim().ToString();
            var next = end == _length ? end : Restart(text[..end]);
            _nextLine += text[..next].Count('\n');
            text[next..].CopyTo(_buffer);
            _length -= next;
            _repeated = end - next;
            if (chunk.Length > 0)
                return chunk;
        }
    }

    /// <summary>
    /// Where a chunk ends: behind its last sentence, else its last word, else at the limit; always behind what was repeated.
    /// </summary>
    private static int End(ReadOnlySpan<char> text, int repeated)
    {
        // A sentence that ends in the first half would leave a chunk too small to be worth a point.
        var least = Math.Max(repeated, text.Length / 2);
        for (var i = text.Length - 1; i > least; i--)
        {
            if (EndsSentence(text, i))
                return i;
        }

        for (var i = text.Length - 1; i > repeated; i--)
        {
            if (char.IsWhiteSpace(text[i]))
                return i;
        }

        // Never between the halves of a surrogate pair.
        return char.IsHighSurrogate(text[^1]) && text.Length > 1 && text.Length - 1 > repeated ? text.Length - 1 : text.Length;
    }

    /// <summary>Where the next chunk begins: at the first sentence, else the first word, within the overlap.</summary>
    private int Restart(ReadOnlySpan<char> chunk)
    {
        var from = Math.Max(1, chunk.Length - overlap);
        for (var i = from; i < chunk.Length; i++)
        {
            if (EndsSentence(chunk, i))
                return i;
        }

        for (var i = from; i < chunk.Length; i++)
        {
            if (char.IsWhiteSpace(chunk[i]))
                return i;
        }

        return chunk.Length;
    }

    /// <summary>Whether a sentence or a paragraph ends right before the blank at <paramref name="at"/>.</summary>
    private static bool EndsSentence(ReadOnlySpan<char> text, int at) =>
        char.IsWhiteSpace(text[at])
            && (text[at - 1] is '.' or '!' or '?' or '\u3002' or '\u2026' || (text[at] == '\n' && text[at - 1] == '\n'));
}
