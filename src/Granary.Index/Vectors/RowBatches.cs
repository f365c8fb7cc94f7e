using System.Numerics;

namespace Granary.Index.Vectors;

/// <summary>The rows of a mask below a bound, ascending, some at a time, as comparing them on codes wants them.</summary>
internal unsafe ref struct RowBatches
{
    /// <summary>Places that the rows of one batch may take.</summary>
    public const int MostRows = Batch + 64;

    // A batch ends with the word that fills it.
    private const int Batch = 256;
    private readonly ReadOnlySpan<ulong> _words;
    private readonly int _bound;
    private readonly bool _all;
    private int _word;

    /// <summary>The rows of a mask.</summary>
    public RowBatches(RowMask mask, int bound)
    {
        _words = mask.Words;
        _bound = bound;
    }

    /// <summary>All rows.</summary>
    public RowBatches(int bound)
    {
        _all = true;
        _bound = bound;
    }

    /// <summary>
    /// Writes the next rows to <paramref name="rows"/>, which has <see cref="MostRows"/> places; false when there are none.
    /// </summary>
    public bool TryNext(int* rows, out int count)
    {
        count = 0;
        if (_all)
        {
            for (; _word < _bound && count < Batch; _word++)
                rows[count++] = _word;
            return count > 0;
        }

        for (; _word < _words.Length && count < Batch; _word++)
        {
            for (var word = _words[_word]; word != 0; word &= word - 1)
                rows[count++] = (_word << 6) + BitOperations.TrailingZeroCount(word);
        }

        while (count > 0 && rows[count - 1] >= _bound)
            count--;
        return count > 0;
    }
}
