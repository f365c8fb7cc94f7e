using System.Collections.Frozen;

namespace Granary.Index.Text.Tokens;

/// <summary>Takes diacritics off Latin and Greek letters.</summary>
internal static class Folding
{
    /// <summary>A letter becomes at most this many characters.</summary>
    public const int MaxExpansion = 3;

    private static readonly FrozenDictionary<char, string> Table = FoldingTable.Entries
        .SelectMany(entry => entry[(entry.IndexOf('>') + 1)..].Select(c => KeyValuePair.Create(c, entry[..entry.IndexOf('>')])))
        .ToFrozenDictionary();

    /// <summary>Folds a term; <paramref name="target"/> must hold <see cref="MaxExpansion"/> times as many characters. Returns how many
    /// were written.</summary>
    /// <param name="source">The term.</param>
    /// <param name="target">Where to.</param>
    /// <param name="latinOnly">Whether only letters that become ASCII are folded and combining marks stay.</param>
    public static int Fold(ReadOnlySpan<char> source, Span<char> target, bool latinOnly = false)
    {
        var length = 0;
        foreach (var c in source)
        {
            if (c < 0xC0)
            {
                target[length++] = c;
            }
            else if (latinOnly || c is < '\u0300' or > '\u036F')
            {
                if (Table.TryGetValue(c, out var folded) && (!latinOnly || folded[0] < 0x80))
                {
                    folded.CopyTo(target[length..]);
                    length += folded.Length;
                }
                else
                {
                    target[length++] = c;
                }
            }
        }

        return length;
    }
}
