using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Granary.Index.Text;

/// <summary>
/// Which term a token becomes, for the tokens met last, so that a word that comes often is not lowered, stemmed and looked up each time.
/// Tokens of up to 16 ASCII characters. For the writing thread.
/// </summary>
internal sealed class TermMemo
{
    private const int LongestToken = 16;
    private const int LeastPlaces = 256;
    private const int MostPlaces = 8192;
    private Place[] _places = [];

    /// <summary>Bytes held.</summary>
    public long Bytes => (long)Unsafe.SizeOf<Place>() * _places.Length;

    /// <summary>The term of a token, null when it becomes none (a stop word); false when that is not known.</summary>
    public bool TryGet(ReadOnlySpan<char> token, out TextField.Term? term)
    {
        term = null;
        if (_places.Length == 0 || !TryPack(token, out var key))
            return false;
        ref var place = ref PlaceOf(key);
        if (place.Key != key || place.Term is { IsDropped: true })
            return false;
        term = place.Term;
        return true;
    }

    /// <summary>Remembers the term of a token, in the place of what was there. The memory grows with the number of terms.</summary>
    public void Set(ReadOnlySpan<char> token, TextField.Term? term, int terms)
    {
        if (!TryPack(token, out var key))
            return;
        if (_places.Length < Math.Min(terms, MostPlaces))
            Grow();
        if (_places.Length > 0)
            PlaceOf(key) = new Place(key, term);
    }

    private void Grow()
    {
        var before = _places;
        _places = new Place[Math.Max(LeastPlaces, before.Length * 2)];
        foreach (var place in before)
        {
            if (place.Key != UInt128.Zero)
                PlaceOf(place.Key) = place;
        }
    }

    private ref Place PlaceOf(UInt128 key)
    {
        var mixed = ((ulong)key ^ ((ulong)(key >> 64) * 0xBF58_476D_1CE4_E5B9)) * 0x9E37_79B9_7F4A_7C15;
        return ref _places[(int)(mixed >> 40) & (_places.Length - 1)];
    }

    // Shorter ones are followed by zeros, so a token must hold none.
    private static bool TryPack(ReadOnlySpan<char> token, out UInt128 key)
    {
        key = default;
        if (token.Length > LongestToken)
            return false;
        var bytes = MemoryMarshal.AsBytes(new Span<UInt128>(ref key));
        for (var i = 0; i < token.Length; i++)
        {
            var c = token[i];
            if (c is '\0' or > '\u007f')
                return false;
            bytes[i] = (byte)c;
        }

        return true;
    }

    private readonly record struct Place(UInt128 Key, TextField.Term? Term);
}
