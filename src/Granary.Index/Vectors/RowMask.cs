using System.Numerics;
using System.Runtime.CompilerServices;

namespace Granary.Index.Vectors;

/// <summary>
/// A bit a row of a field: a filter accepts no row outside. Made for one search from what payload indexes name; the words may be pooled,
/// and may be longer than the rows need.
/// </summary>
public sealed class RowMask
{
    private readonly ulong[] _words;

    /// <summary>Takes the words over.</summary>
    /// <param name="words">Bit r of the whole is row r; those at and above the bound are zero as far as their last word goes.</param>
    /// <param name="bound">Rows set are below it.</param>
    /// <param name="isExact">Whether the filter accepts every row that is set.</param>
    public RowMask(ulong[] words, int bound, bool isExact)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bound);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bound, words.Length * 64L);
        _words = words;
        Bound = bound;
        IsExact = isExact;
        var used = (bound + 63) >> 6;
        for (var i = 0; i < used; i++)
            Count += BitOperations.PopCount(words[i]);
    }

    /// <summary>Rows set are below it.</summary>
    public int Bound { get; }

    /// <summary>Rows set.</summary>
    public int Count { get; }

    /// <summary>Whether the filter accepts every row that is set.</summary>
    public bool IsExact { get; }

    /// <summary>The words that hold bits.</summary>
    internal ReadOnlySpan<ulong> Words => _words.AsSpan(0, (Bound + 63) >> 6);

    /// <summary>Whether the row is set.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Test(int row) => (uint)row < (uint)Bound && (_words[row >> 6] & (1UL << row)) != 0;
}
