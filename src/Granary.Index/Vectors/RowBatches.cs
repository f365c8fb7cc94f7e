using System.Numerics;
using System.Runtime.Intrinsics;

namespace Granary.Index.Vectors;

/// <summary>The rows of a mask below a bound, ascending, some at a time, as comparing them on codes wants them.</summary>
internal unsafe ref struct RowBatches
{
    /// <summary>Places that the rows of one batch may take.</summary>
    public const int MostRows = Batch + 64 + AtOnce;

    // A batch ends with the word that fills it.
    private const int Batch = 256;
    private const int AtOnce = 8;
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
            // How many bits a word has is guessed less often when several are written at once; what is written too many is written over.
            var word = _words[_word];
            var end = count + BitOperations.PopCount(word);
            for (; word != 0; count += AtOnce)
            {
                for (var i = 0; i < AtOnce; i++)
                {
                    rows[count + i] = (_word << 6) + BitOperations.TrailingZeroCount(word);
                    word &= word - 1;
                }
            }

            count = end;
        }

        while (count > 0 && rows[count - 1] >= _bound)
            count--;
        return count > 0;
    }

    /// <summary>
    /// Moves the rows whose distances are not above a limit to the front, in their order, and their distances with them; returns how many
    /// there are. What is not a number is above any.
    /// </summary>
    public static int KeepNear(int* rows, float* distances, int count, float limit)
    {
        var near = 0;
        var at = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            // Most are far: whole registers are passed over.
            var most = Vector512.Create(limit);
            for (; at <= count - Vector512<float>.Count; at += Vector512<float>.Count)
            {
                var left = Vector512.LessThanOrEqual(Vector512.Load(distances + at), most).ExtractMostSignificantBits();
                for (; left != 0; left &= left - 1)
                    Keep(at + BitOperations.TrailingZeroCount(left));
            }
        }

        for (; at < count; at++)
        {
            if (distances[at] <= limit)
                Keep(at);
        }

        return near;

        void Keep(int from)
        {
            rows[near] = rows[from];
            distances[near++] = distances[from];
        }
    }
}
